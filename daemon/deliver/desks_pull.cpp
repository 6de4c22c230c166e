// What a pull gets: an offer that may be taken, with its card as soon as the grant is on disk where that is possible.
#include <fmt/core.h>

#include <algorithm>

#include "core/limits.h"
#include "deliver/desks.h"

namespace tellerd::deliver {
namespace {

namespace limits = core::limits;
constexpr std::int64_t kCardWaitUs = 20'000;
constexpr std::size_t kTicketsAheadMax = 4;  // of a client: who is further ahead of the engine waits for it

std::string pull_key(const Asker& asker) { return asker.client + '\x1f' + asker.session + '\x1f' + asker.request; }

}  // namespace

bool Desks::answer_pull(Open& open) {
  const std::string& id = open.ask.id;
  if (const Answer* known = book_->answer_to(open.asker)) {
    answer(open.peer, grant_reply(id, known->granted));
    return true;
  }
  if (!book_->is_current(open.asker)) {
    answer(open.peer, refusal(id, "FENCED", "another session of this client has taken its place"));
    return true;
  }
  if (const auto granted = pulls_granted_.find(pull_key(open.asker)); granted != pulls_granted_.end()) {
    if (granted->second.empty()) return false;
    answer(open.peer, granted->second);
    return true;
  }
  if (!is_draining_ && grant(open)) return false;
  if (now_us_ < open.until_us && !is_draining_) return false;
  answer(open.peer, empty_reply(open));
  return true;
}

// The callbacks kept for this client, then by priority, then first in first out. What may not be taken now is parked on
// the way; true when something was found, or when the look has to go on at the next turn.
bool Desks::grant(Open& open) {
  const int queue = book_->queue_named(open.ask.queue);
  if (queue < 0) return false;
  book_->asks_for(static_cast<std::size_t>(queue), now_us_);
  const Client& client = book_->client(book_->client_number(open.asker.client));
  const auto own = under_way_.find(open.asker.client);
  const std::size_t held =
      std::min(client.held.size() + (own == under_way_.end() ? 0 : own->second.offers), limits::kClientLeasesMax);
  const std::size_t credit = std::min(static_cast<std::size_t>(open.ask.credit), limits::kClientLeasesMax - held);
  GrantRecord record{open.asker, book_->lease_ms(), {}, false};
  const bool has_rules = book_->contacts().has_rules();
  bool is_cut_short = false;
  const auto take = [&](std::int64_t number, const ReadyIndex::Slot& slot) {
    if (record.offers.size() >= credit) return false;
    if (on_their_way_.contains(number)) return true;
    if (has_rules && customers_on_their_way_.contains(slot.customer)) return true;  // its contact is being reserved
    if (looks_left_ == 0) {
      is_cut_short = true;
      return false;
    }
    --looks_left_;
    const auto gate = book_->gate(number, policy_us_);
    if (gate.why == Blocked::kCapacity) return false;  // and so is everything else
    if (gate.why != Blocked::kNone) {
      book_->park(number, gate);
      return true;
    }
    const Item* item = book_->find(number);
    record.offers.push_back({number, slot.customer, (item ? item->epoch : 0) + 1});
    if (has_rules) customers_on_their_way_.insert(slot.customer);
    return true;
  };
  for (const std::int64_t number : client.reserved) {
    const auto* slot = book_->ready().find(number);
    if (slot && book_->queue_of(*slot) == queue && !take(number, *slot)) break;
  }
  book_->each_ready(static_cast<std::size_t>(queue), client, take);
  if (record.offers.empty()) return is_cut_short;
  const bool is_sure = may_promise(record, static_cast<std::size_t>(queue));
  std::string promise = is_sure ? promise_of(record) : std::string();
  if (is_sure && promise.empty() && waits_for_card(open)) {
    if (has_rules)
      for (const auto& offer : record.offers) customers_on_their_way_.erase(offer.customer);
    return true;
  }
  Ticket ticket;
  ticket.pull = pull_key(open.asker);
  for (const auto& offer : record.offers) {
    ticket.offers.push_back(offer.number);
    if (has_rules) ticket.customers.push_back(offer.customer);
  }
  on_their_way_.insert(ticket.offers.begin(), ticket.offers.end());
  pulls_granted_.emplace(ticket.pull, std::string());
  ticket.client = open.asker.client;
  ticket.promise = std::move(promise);
  record.is_promised = !ticket.promise.empty();
  if (record.is_promised)
    for (const auto& offer : record.offers) {
      const std::int64_t offer_id = book_->cards().find(offer.number, now_us_)->offer_id;
      ticket.promised.push_back(offer_id);
      promised_[offer_id] = {record.asker.client, record.asker.session, offer.epoch};
    }
  counters_.granted.fetch_add(record.offers.size(), std::memory_order_relaxed);
  submit(wire::Kind::kQueueGrant, to_payload(record), std::move(ticket));
  return true;
}

bool Desks::is_session_sure(const std::string& client) const {
  const auto own = under_way_.find(client);
  return own == under_way_.end() || own->second.sessions == 0;
}

// Not where this could be another session's, and not before a start has caught up.
bool Desks::may_promise(const GrantRecord& record, std::size_t queue) const {
  return may_promise_ && is_session_sure(record.asker.client) && book_->may_promise(queue);
}

// While the engine is far behind, and of a lease that nobody is about to change but this: what ends the offer's ground
// meanwhile leaves the outcome as it is told.
bool Desks::may_promise(const OutcomeRecord& record) const {
  const auto own = under_way_.find(record.asker.client);
  if (own != under_way_.end() && own->second.tickets >= kTicketsAheadMax) return false;
  const bool may = may_promise_ && is_behind_ && !record.is_correction && !changing_.contains(record.offer_id) &&
                   is_session_sure(record.asker.client) && book_->is_current(record.asker);
  if (!may) return false;
  if (const auto promised = promised_.find(record.offer_id); promised != promised_.end()) {
    const Promised& lease = promised->second;
    return lease.epoch == record.epoch && lease.client == record.asker.client && lease.session == record.asker.session;
  }
  const Item* item = book_->find_known(record.offer_id);
  return item && book_->holds(record.asker, *item, record.epoch);
}

// The engine makes cards of what stands first between a few hundred records: sooner than the turn of a grant comes that
// is committed now.
bool Desks::waits_for_card(Open& open) {
  if (!is_behind_) return false;
  if (open.card_until_us == 0) open.card_until_us = now_us_ + kCardWaitUs;
  if (now_us_ >= open.card_until_us) return false;
  is_waiting_for_card_ = true;
  return true;
}

// What the desk may be told as soon as the grant is on disk, however far the engine is behind: what was looked at
// stands as of the engine's last record, and if what came since ends it, the desk hears that as of any lease. Empty
// where a card is missing.
std::string Desks::promise_of(const GrantRecord& record) const {
  std::string text = fmt::format(R"({{"id":{},"ok":true,"offers":[)", record.asker.request);
  for (const auto& offer : record.offers) {
    const auto* card = book_->cards().find(offer.number, now_us_);
    if (!card) return {};
    if (text.back() != '[') text += ',';
    text += fmt::format(R"({{"offer_id":"{}","epoch":{},"lease_ms":{},)", offer_hex(card->offer_id), offer.epoch,
                        record.lease_ms);
    text.append(card->text).append("}");
  }
  return text + "]}";
}

}  // namespace tellerd::deliver
