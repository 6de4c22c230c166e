#include "decide/offer_book.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/assert.h"
#include "core/checksum.h"

namespace tellerd::decide {
namespace {
// Of some hundred bytes each. What two flushes make should be kept: what is forgotten before its commit is through is
// waited for.
constexpr std::size_t kKeptMax = 49'152, kKeptMaxOfALargeBank = 196'608, kKeptACustomer = 2, kForgottenAtOnce = 16'384;
}  // namespace

std::int64_t offer_id(std::int64_t decided_seq, core::Instant due_us, silver::CustomerId customer,
                      std::string_view action) noexcept {
  char turn[8 + 8 + 4];
  std::memcpy(turn, &decided_seq, 8);
  std::memcpy(turn + 8, &due_us, 8);
  std::memcpy(turn + 16, &customer, 4);
  return static_cast<std::int64_t>(core::hash64({turn, sizeof turn}, core::hash64(action)) >> 1);
}

OfferBook::OfferBook(store::Database& database, std::int64_t offer_count, std::int64_t first_offer)
    : put_made_(
          database, "offer_made", "number",
          "offer_id,customer,decided_seq,template,tier,expected_revenue_minor,days_valid,created_us,prev,queue_seq"),
      put_ends_(database, "INSERT INTO offer_end", "number,count,state,ended_us"),
      find_(database,
            "SELECT offer_id,customer,decided_seq,expected_revenue_minor,prev,created_us,template,tier,days_valid,"
            "queue_seq FROM offer_made WHERE number=?"),
      put_seq_(database, "UPDATE offer_made SET queue_seq=?2 WHERE number=?1"),
      count_(offer_count),
      first_(first_offer),
      committing_(offer_count) {
  pool_.emplace_back();
  make_room(0);
}

std::uint32_t OfferBook::place_for(const OpenOffer& offer, std::uint32_t& first) {
  std::uint32_t place = free_;
  if (place)
    free_ = pool_[place].next;
  else {
    place = static_cast<std::uint32_t>(pool_.size());
    pool_.emplace_back();
  }
  pool_[place] = offer;
  pool_[place].next = 0;
  std::uint32_t* link = &first;
  while (*link) link = &pool_[*link].next;
  *link = place;
  ++open_count_;
  return place;
}

std::int64_t OfferBook::open(const NewOffer& offer, std::uint32_t& first) {
  const core::Instant expires_us = offer.created_us + offer.days_valid * core::kDay;
  ++count_;
  kept_.push_back({offer, offer_id(offer.decided_seq, offer.due_us, offer.customer, offer.action)});
  kept_.back().offer.action = {};
  place_for({count_, kept_.back().id, offer.revenue_minor, expires_us,
             static_cast<std::uint16_t>(offer.template_number), static_cast<std::uint16_t>(offer.days_valid)},
            first);
  return count_;
}

void OfferBook::leaves(std::int64_t number, std::int64_t queue_seq) {
  const bool is_kept = number >= first_kept();
  const auto at = static_cast<std::size_t>(number - first_kept());
  if (is_kept) kept_[at].offer.queue_seq = queue_seq;
  if (is_kept && at >= written_) return;
  put_seq_.later(number, queue_seq);
  seqs_.put(number, queue_seq);
}

void OfferBook::close(silver::CustomerId customer, std::uint32_t place, std::uint32_t& first, std::string_view state,
                      core::Instant at_us, std::int64_t turn) {
  if (std::exchange(ended_turn_, turn) != turn) {
    ended_.clear();
    ended_asked_ = 0;
  }
  ended_.push_back({pool_[place], customer, state});
  // A row may not depend on when it is flushed: ends join only inside one turn, and a flush never comes inside one.
  const std::int64_t number = pool_[place].number;
  End* last = ends_.empty() ? nullptr : &ends_.back();
  if (last && last->turn == turn && last->number + last->count == number && last->state == state)
    ++last->count;
  else
    ends_.push_back({number, 1, turn, at_us, state});
  std::uint32_t* link = &first;
  while (*link != place) {
    TELLERD_ASSERT(*link != 0);
    link = &pool_[*link].next;
  }
  *link = pool_[place].next;
  pool_[place] = {};
  pool_[place].next = free_;
  free_ = place;
  --open_count_;
}

void OfferBook::commit_begins() {
  committed_ = committing_;
  committing_ = first_kept() + static_cast<std::int64_t>(written_) - 1;
  is_through_.store(false, std::memory_order_relaxed);
  is_seen_through_ = false;
  forget_below(committed_ + 1);
  seqs_.commit_begins();
}

void OfferBook::forget_below(std::int64_t number) {
  const auto known = static_cast<std::size_t>(std::max<std::int64_t>(number - first_kept(), 0));
  const std::size_t gone = std::min(known, written_);
  kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(gone));
  written_ -= gone;
}

void OfferBook::take() {
  TELLERD_ASSERT(taken_.empty() && taken_ends_.empty());
  taken_first_ = first_kept() + static_cast<std::int64_t>(written_);
  taken_.assign(kept_.begin() + static_cast<std::ptrdiff_t>(written_), kept_.end());
  taken_ends_.swap(ends_);
  written_ = kept_.size();
  if (kept_.size() > kept_max_) forget_below(count_ + 1 - static_cast<std::int64_t>(kept_max_ - kForgottenAtOnce));
}

void OfferBook::make_room(std::size_t customers) {
  kept_max_ = std::clamp(customers * kKeptACustomer, kKeptMax, kKeptMaxOfALargeBank);
}

void OfferBook::give_back() {
  end_turn();
  if (is_seen_through_) forget_below(committing_ + 1);
  kept_.shrink_to_fit();
  taken_.shrink_to_fit();
  for (auto* ends : {&ends_, &taken_ends_}) ends->shrink_to_fit();
  ended_ = {};
}

void OfferBook::write_taken() {
  put_made_.run(taken_first_, taken_.size(), [&](std::size_t at, store::BulkRow& row) {
    const auto& [offer, id] = taken_[at];
    row.add_all(id, std::int64_t{offer.customer}, offer.decided_seq, std::int64_t{offer.template_number},
                std::int64_t{offer.tier}, offer.revenue_minor, std::int64_t{offer.days_valid}, offer.created_us,
                offer.prev, offer.queue_seq);
  });
  std::sort(taken_ends_.begin(), taken_ends_.end(), [](const End& a, const End& b) { return a.number < b.number; });
  put_ends_.run(taken_ends_.size(), [&](std::size_t at, store::BulkRow& row) {
    const End& end = taken_ends_[at];
    row.add_all(end.number, end.count, end.state, end.at_us);
  });
  taken_.clear();
  taken_ends_.clear();
}

const EndedOffer* OfferBook::ended_now(std::int64_t number, std::int64_t turn) noexcept {
  if (turn != ended_turn_) return nullptr;
  for (std::size_t looked = 0; looked < ended_.size(); ++looked) {
    if (ended_asked_ == ended_.size()) ended_asked_ = 0;
    const EndedOffer& ended = ended_[ended_asked_++];
    if (ended.offer.number == number) return &ended;
  }
  return nullptr;
}

std::optional<OfferFacts> OfferBook::find(std::int64_t number) {
  if (number > count_ || number < first_) return std::nullopt;
  OfferFacts found;
  found.number = number;
  if (number >= first_kept()) {
    const auto& [made, id] = kept_[static_cast<std::size_t>(number - first_kept())];
    found.id = id;
    found.customer = made.customer;
    found.decided_seq = made.decided_seq;
    found.revenue_minor = made.revenue_minor;
    found.prev = made.prev;
    found.created_us = made.created_us;
    found.template_number = made.template_number;
    found.tier = made.tier;
    found.days_valid = made.days_valid;
    found.queue_seq = made.queue_seq;
  } else {
    const std::int64_t* newer_seq = seqs_.find(number);
    store::Statement& find = find_.fresh(is_committed(number) && (newer_seq || !seqs_.has(number)));
    if (!find.bind(1, number).step()) {
      find_.reset();
      return std::nullopt;
    }
    found.id = find.integer(0);
    found.customer = static_cast<silver::CustomerId>(find.integer(1));
    found.decided_seq = find.integer(2);
    found.revenue_minor = find.integer(3);
    found.prev = find.integer(4);
    found.created_us = find.integer(5);
    found.template_number = static_cast<int>(find.integer(6));
    found.tier = static_cast<int>(find.integer(7));
    found.days_valid = static_cast<int>(find.integer(8));
    found.queue_seq = newer_seq ? *newer_seq : find.integer(9);
    find_.reset();
  }
  found.expires_us = found.created_us + found.days_valid * core::kDay;
  return found;
}

std::int64_t OfferBook::named(std::int64_t last, std::int64_t id) {
  while (const auto made = find(last)) {
    if (made->id == id) return last;
    last = made->prev;
  }
  return 0;
}

core::Instant OfferBook::first_expiry(std::uint32_t first) const noexcept {
  core::Instant earliest = core::kNever;
  for (std::uint32_t place = first; place; place = pool_[place].next)
    earliest = std::min(earliest, pool_[place].expires_us);
  return earliest;
}

void OfferBook::restore(const OpenOffer& offer, std::uint32_t& first) { place_for(offer, first); }

}  // namespace tellerd::decide
