#include "deliver/queue_book.h"

#include <algorithm>
#include <iterator>

#include "core/assert.h"

namespace tellerd::deliver {
namespace {

// Oldest first, so that reading them in order fills the ring as it was.
std::string answers_text(const Client& client) {
  std::string text = "[";
  const auto count = static_cast<std::int64_t>(client.answers.size());
  for (std::int64_t at = client.answered - count; at < client.answered; ++at) {
    if (text.size() > 1) text += ',';
    text += client.answers[static_cast<std::size_t>(at) % kAnswersKept].row;
  }
  return text + "]";
}

constexpr QueueCounts kNoCounts{};

bool is_waiting(ItemState state) noexcept {
  return state != ItemState::kDone && state != ItemState::kDead && state != ItemState::kEnded;
}

std::int64_t* count_of(QueueCounts& counts, ItemState state) {
  switch (state) {
    case ItemState::kLeased:
      return &counts.leased;
    case ItemState::kScheduled:
      return &counts.scheduled;
    case ItemState::kReserved:
      return &counts.reserved;
    case ItemState::kDead:
      return &counts.dead;
    case ItemState::kDone:
      return &counts.done;
    case ItemState::kReady:
    case ItemState::kEnded:
      return nullptr;
  }
  return nullptr;
}

void insert(std::vector<std::int64_t>& numbers, std::int64_t number) {
  const auto at = std::lower_bound(numbers.begin(), numbers.end(), number);
  if (at == numbers.end() || *at != number) numbers.insert(at, number);
}

void erase(std::vector<std::int64_t>& numbers, std::int64_t number) {
  const auto at = std::lower_bound(numbers.begin(), numbers.end(), number);
  if (at != numbers.end() && *at == number) numbers.erase(at);
}

}  // namespace

std::int64_t back_off_ms(int faults) noexcept {
  constexpr std::int64_t kSteps[] = {60'000, 420'000, 3'000'000, 21'600'000};  // about sevenfold each time
  return kSteps[std::clamp(faults, 1, 4) - 1];
}

void QueueBook::open(std::int64_t number, std::uint32_t customer, OfferKind kind, bool is_held_back) {
  ready_.put(number, customer, kind, !is_held_back);
  ++lane_of(*ready_.find(number)).waiting;
  contacts_.stand(customer, kind, 1);
  if (!is_held_back) ++changes_;
  has_news_ = true;
}

void QueueBook::let_out(std::int64_t number) {
  ready_.set_ready(number, true);
  ++changes_;
  has_news_ = true;
}

bool QueueBook::close(std::int64_t number, std::string_view reason) {
  unpark(number);
  const ReadyIndex::Slot slot = *ready_.find(number);
  const bool was_done = slot.is_done;
  const auto found = items_.find(number);
  if (!was_done && (found == items_.end() || is_waiting(found->second.state))) --lane_of(slot).waiting;
  if (found != items_.end() && found->second.state != ItemState::kDone) {
    Item& ended = found->second;
    ended.is_unacked = ended.state == ItemState::kLeased;
    ended.reason = reason;
    if (ended.is_unacked) note(Note::What::kWithdraw, number);
    move(ended, ItemState::kEnded);
  } else if (was_done) {
    --queue_at(slot).counts.done;
  }
  if (!was_done) no_longer_stands(slot);
  ready_.take(number);
  cards_.drop(number);
  return was_done;
}

bool QueueBook::finish(std::int64_t number, std::int64_t offer_id, std::uint32_t customer, std::string_view code) {
  const auto* slot = ready_.find(number);
  if (!slot || slot->is_done) return false;
  Item& done = item_of(number, offer_id, customer);
  done.is_unacked = done.state == ItemState::kLeased;
  done.code = code;
  done.reason = kDoneElsewhere;
  done.card.clear();
  if (done.is_unacked) note(Note::What::kWithdraw, number);
  move(done, ItemState::kDone);
  return true;
}

Item& QueueBook::item_of(std::int64_t number, std::int64_t offer_id, std::uint32_t customer) {
  const auto [at, is_new] = items_.try_emplace(number);
  Item& made = at->second;
  if (!is_new) return made;
  made.number = number;
  made.offer_id = offer_id;
  made.customer = customer;
  numbers_[offer_id] = number;
  return made;
}

// Every change of an item's state passes here: index, counts, who holds it.
void QueueBook::move(Item& item, ItemState to) {
  Client* holder = item.client < 0 ? nullptr : &clients_[static_cast<std::size_t>(item.client)];
  if (holder && item.state == ItemState::kLeased) erase(holder->held, item.number);
  if (holder && item.state == ItemState::kReserved) erase(holder->reserved, item.number);
  if (item.state == ItemState::kLeased) free_contact(item, to == ItemState::kDone);
  if (const auto* slot = ready_.find(item.number)) {
    unpark(item.number);
    QueueCounts& counts = queue_at(*slot).counts;
    if (auto* count = count_of(counts, item.state)) --*count;
    if (auto* count = count_of(counts, to)) ++*count;
    if (to != ItemState::kEnded) lane_of(*slot).waiting += is_waiting(to) - is_waiting(item.state);
    if (to == ItemState::kDone) {
      if (!slot->is_done) no_longer_stands(*slot);
      ready_.set_done(item.number);
    } else {
      ready_.set_ready(item.number, to == ItemState::kReady);
    }
  }
  item.state = to;
  cards_.drop(item.number);
  if (to == ItemState::kLeased) reserve_contact(item);
  if (holder && to == ItemState::kLeased) insert(holder->held, item.number);
  if (holder && to == ItemState::kReserved) insert(holder->reserved, item.number);
  if (to == ItemState::kReady || to == ItemState::kReserved) ++changes_;
  has_news_ = true;
  change(item);
}

void QueueBook::note(Note::What what, std::int64_t number) {
  if (is_listened_) notes_.push_back({what, number});
  has_news_ = true;
}

void QueueBook::apply(const SessionRecord& record) {
  auto known = client_numbers_.find(record.client);
  if (known == client_numbers_.end()) {
    known = client_numbers_.emplace(record.client, static_cast<std::int32_t>(clients_.size())).first;
    clients_.emplace_back().name = record.client;
  }
  Client& client = clients_[static_cast<std::size_t>(known->second)];
  if (std::find(client.fenced.begin(), client.fenced.end(), record.session) != client.fenced.end()) return;
  client.is_dirty = true;
  has_news_ = true;
  client.skills = record.skills;
  if (client.session == record.session) return;
  if (!client.session.empty()) client.fenced.push_back(client.session);
  if (client.fenced.size() > kFencedKept) client.fenced.erase(client.fenced.begin());
  client.session = record.session;
  client.answered = 0;
  client.answers.clear();
  for (const std::int64_t number : std::vector<std::int64_t>(client.held))
    give_back(item(number), true, "its session was fenced");
}

bool QueueBook::may_grant(const GrantRecord& record, const GrantRecord::Offer& offer) const {
  const auto* slot = ready_.find(offer.number);
  if (!slot || slot->customer != offer.customer) return false;
  const Item* known = find(offer.number);
  if (offer.epoch != (known ? known->epoch : 0) + 1) return false;
  const bool is_kept_for_me =
      known && known->state == ItemState::kReserved && known->client == client_number(record.asker.client);
  if (!slot->is_ready && !is_kept_for_me) return false;
  const auto& skills = lanes_[ready_.class_of(*slot)].skills;
  return skills.empty() || (is_current(record.asker) && has_skills(client(client_number(record.asker.client)), skills));
}

void QueueBook::grant(const GrantRecord& record, std::vector<Item> offers, std::vector<Item> voided) {
  if (answer_to(record.asker)) return;
  Answer answer{record.asker.request, QueueCode::kOk, {}};
  const std::int32_t client = client_number(record.asker.client);
  if (!is_current(record.asker)) {
    if (!record.is_promised) return;
    std::move(offers.begin(), offers.end(), std::back_inserter(voided));
    offers.clear();
  }
  for (Item& offer : offers) {
    if (const Gate shut = gate(offer.number, offer.granted_us); shut.why != Blocked::kNone) {
      if (shut.why != Blocked::kCapacity) park(offer.number, shut);
      if (record.is_promised) voided.push_back(std::move(offer));
      continue;
    }
    Item& item = item_of(offer.number, offer.offer_id, offer.customer);
    if (item.state == ItemState::kReserved) move(item, ItemState::kReady);
    item.client = client;
    ++item.epoch;
    item.wait_ms = record.lease_ms;
    item.at_us = 0;
    item.granted_us = offer.granted_us;
    item.is_mine = false;
    item.is_unacked = false;
    item.reason.clear();
    item.card = std::move(offer.card);
    move(item, ItemState::kLeased);
    count_taken(item);
    note(Note::What::kTime, item.number);
    answer.granted.push_back({item.number, item.offer_id, item.epoch});
  }
  for (Item& offer : voided) void_lease(record, std::move(offer), answer);
  if (!answer.granted.empty()) keep_answer(record.asker, std::move(answer));
}

// A desk was told of this lease while the log held what ends the offer, its session or the permission before it. The
// epoch is gone, and a holder that still counts hears of it.
void QueueBook::void_lease(const GrantRecord& record, Item offer, Answer& answer) {
  const auto told = std::find_if(record.offers.begin(), record.offers.end(),
                                 [&](const GrantRecord::Offer& one) { return one.number == offer.number; });
  const Item* known = find_id(offer.offer_id);
  Item& item = known ? this->item(known->number) : item_of(offer.number, offer.offer_id, offer.customer);
  if (told == record.offers.end() || told->epoch != item.epoch + 1 || item.state == ItemState::kLeased) return;
  ++item.epoch;
  cards_.drop(item.number);
  change(item);
  has_news_ = true;
  if (!ready_.find(item.number)) item.state = ItemState::kEnded;
  if (!is_current(record.asker) || item.state == ItemState::kReserved) return;
  item.client = client_number(record.asker.client);
  item.is_unacked = true;
  if (item.reason.empty()) item.reason = "WITHDRAWN";
  note(Note::What::kWithdraw, item.number);
  answer.granted.push_back({item.number, item.offer_id, item.epoch});
}

void QueueBook::give_back(Item& item, bool is_fault, std::string_view reason) {
  if (is_fault) ++item.faults;
  item.reason = is_fault ? reason : std::string_view();
  item.card.clear();
  move(item, item.faults >= kFaultsMax ? ItemState::kDead : ItemState::kReady);
}

void QueueBook::delay(Item& item, std::int64_t ms) {
  item.wait_ms = ms;
  item.card.clear();
  move(item, ItemState::kScheduled);
  note(Note::What::kTime, item.number);
}

bool QueueBook::holds(const Asker& asker, const Item& item, std::int64_t epoch) const {
  return item.state == ItemState::kLeased && item.epoch == epoch && item.client == client_number(asker.client) &&
         is_current(asker);
}

QueueCode QueueBook::apply(const LeaseRecord& record) {
  if (const Answer* known = answer_to(record.asker)) return known->code;
  const QueueCode code = lease_verb(record);
  keep_answer(record.asker, {record.asker.request, code, {}});
  return code;
}

QueueCode QueueBook::lease_verb(const LeaseRecord& record) {
  Item* found = find_id(record.offer_id);
  if (!found) return QueueCode::kUnknownOffer;
  Item& item = *found;
  switch (record.verb) {
    case LeaseVerb::kKick:
      if (!is_current(record.asker)) return QueueCode::kFenced;
      if (item.state != ItemState::kDead) return QueueCode::kNotDead;
      if (const auto* slot = ready_.find(item.number); slot && !has_room(slot->kind)) return QueueCode::kQueueFull;
      item.faults = 0;
      give_back(item, false, {});
      return QueueCode::kOk;
    case LeaseVerb::kAck:
      if (!item.is_unacked || item.epoch != record.epoch) return QueueCode::kOk;  // it is known already
      item.is_unacked = false;
      change(item);
      return QueueCode::kOk;
    default:
      break;
  }
  if (!holds(record.asker, item, record.epoch)) return QueueCode::kStaleLease;
  switch (record.verb) {
    case LeaseVerb::kRelease:
      give_back(item, false, {});
      break;
    case LeaseVerb::kFail:
      give_back(item, true, record.reason);
      if (item.state == ItemState::kReady) delay(item, back_off_ms(item.faults));
      break;
    case LeaseVerb::kBury:
      item.reason = record.reason;
      move(item, ItemState::kDead);
      break;
    case LeaseVerb::kSnooze:
      item.at_us = record.at_us;
      item.is_mine = record.is_mine;
      item.reason = record.reason;
      delay(item, 0);
      break;
    case LeaseVerb::kExtend:
      item.wait_ms = std::max(item.wait_ms, std::min(item.wait_ms + record.ms, lease_ms_max_));
      change(item);
      note(Note::What::kTime, item.number);
      break;
    case LeaseVerb::kKick:
    case LeaseVerb::kAck:
      break;
  }
  return QueueCode::kOk;
}

// What an outcome means for the offer. One that was promised is taken: after what ended the offer meanwhile as the
// contact's alone, after an outcome from elsewhere in its place.
QueueBook::Disposed QueueBook::judged(const OutcomeRecord& record, Item* item) {
  if (!item) return {QueueCode::kUnknownOffer};
  const bool is_done = item->state == ItemState::kDone;
  const auto amend = [&]() -> Disposed {
    const bool is_other = item->code != record.code;
    item->code = record.code;
    change(*item);
    return {QueueCode::kOk, is_other ? item : nullptr, true};
  };
  if (record.is_correction) {
    if (!is_current(record.asker)) return {QueueCode::kFenced};
    if (!is_done || (record.epoch != 0 && record.epoch != item->epoch)) return {QueueCode::kNotDone};
    return amend();
  }
  if (is_done && item->epoch == record.epoch) {
    if (record.is_promised) return amend();
    return {item->code == record.code ? QueueCode::kOk : QueueCode::kAlreadyDone};
  }
  const Item* counts_for = record.epoch >= 1 && record.epoch <= item->epoch ? item : nullptr;
  if (!holds(record.asker, *item, record.epoch))
    return {record.is_promised ? QueueCode::kOk : QueueCode::kStaleLease, counts_for};
  item->code = record.code;
  item->faults = 0;
  item->card.clear();
  move(*item, ItemState::kDone);
  return {QueueCode::kOk, counts_for};
}

QueueBook::Disposed QueueBook::apply(const OutcomeRecord& record) {
  if (const Answer* known = answer_to(record.asker)) return {known->code};
  const Disposed disposed = judged(record, find_id(record.offer_id));
  keep_answer(record.asker, {record.asker.request, disposed.code, {}});
  return disposed;
}

void QueueBook::apply(const TimerRecord& record) {
  const auto found = items_.find(record.number);
  if (found == items_.end() || found->second.epoch != record.epoch) return;
  Item& item = found->second;
  switch (record.ended) {
    case Timer::kLease:
      if (item.state == ItemState::kLeased) give_back(item, true, "its lease ended");
      return;
    case Timer::kDelay:
      if (item.state != ItemState::kScheduled) return;
      item.at_us = 0;
      if (!item.is_mine) return give_back(item, false, {});
      item.wait_ms = kReserveMs;
      move(item, ItemState::kReserved);
      return note(Note::What::kTime, item.number);
    case Timer::kReserve:
      if (item.state != ItemState::kReserved) return;
      item.is_mine = false;
      return give_back(item, false, {});
  }
}

const Item* QueueBook::find(std::int64_t number) const {
  const auto found = items_.find(number);
  return found == items_.end() ? nullptr : &found->second;
}

const Item* QueueBook::find_known(std::int64_t offer_id) const {
  const auto known = numbers_.find(offer_id);
  return known == numbers_.end() ? nullptr : find(known->second);
}

Item* QueueBook::find_id(std::int64_t offer_id) {
  const auto known = numbers_.find(offer_id);
  if (known != numbers_.end()) return &item(known->second);
  Item read;
  if (!loader_ || !loader_(offer_id, read)) return nullptr;
  numbers_[offer_id] = read.number;
  change(read);  // so that it is forgotten again with the next drain
  return &(items_[read.number] = std::move(read));
}

std::int32_t QueueBook::client_number(std::string_view name) const {
  const auto known = client_numbers_.find(name);
  return known == client_numbers_.end() ? -1 : known->second;
}

bool QueueBook::is_current(const Asker& asker) const {
  const std::int32_t number = client_number(asker.client);
  return number >= 0 && client(number).session == asker.session;
}

const Answer* QueueBook::answer_to(const Asker& asker) const {
  if (!is_current(asker)) return nullptr;
  const Client& known = client(client_number(asker.client));
  for (const Answer& answer : known.answers)
    if (answer.request == asker.request) return &answer;
  return nullptr;
}

void QueueBook::keep_answer(const Asker& asker, Answer answer) {
  if (!is_current(asker)) return;
  Client& known = clients_[static_cast<std::size_t>(client_number(asker.client))];
  const auto at = static_cast<std::size_t>(known.answered++) % kAnswersKept;
  if (known.answers.size() <= at) known.answers.resize(at + 1);
  answer.row = row_of(answer);
  known.answers[at] = std::move(answer);
  known.is_dirty = true;
  has_news_ = true;
}

const QueueCounts& QueueBook::counts(std::size_t queue) const {
  return queue < queues_.size() ? queues_[queue].counts : kNoCounts;
}

void QueueBook::attach() {
  is_listened_ = true;
  notes_.clear();
  for (const auto& [number, item] : items_) {
    if (item.state == ItemState::kLeased || item.state == ItemState::kScheduled || item.state == ItemState::kReserved)
      note(Note::What::kTime, number);
    if (item.is_unacked) note(Note::What::kWithdraw, number);
  }
  has_news_ = true;
}

void QueueBook::take_notes(std::vector<Note>& into) {
  into.swap(notes_);
  notes_.clear();
}

void QueueBook::drain(std::vector<Item>& items, std::vector<ClientRow>& clients) {
  for (const std::int64_t number : dirty_) {
    const auto found = items_.find(number);
    const ItemState state = found->second.state;
    const bool is_over = (state == ItemState::kDone || state == ItemState::kEnded) && !found->second.is_unacked;
    if (is_over) numbers_.erase(found->second.offer_id);
    if (!is_over)
      items.push_back(found->second);
    else {
      items.push_back(std::move(found->second));
      items_.erase(found);
    }
  }
  dirty_.clear();
  for (std::size_t number = 0; number < clients_.size(); ++number) {
    if (!clients_[number].is_dirty) continue;
    clients_[number].is_dirty = false;
    const Client& client = clients_[number];
    clients.push_back({static_cast<std::int32_t>(number), client.answered, client.name, client.session,
                       answers_text(client), client.skills, client.fenced});
  }
}

void QueueBook::drop_below(std::int64_t number) {
  std::erase_if(items_, [&](const auto& of) {
    if (of.first >= number) return false;
    numbers_.erase(of.second.offer_id);
    return true;
  });
  dirty_.erase(dirty_.begin(), dirty_.lower_bound(number));
}

void QueueBook::restore(Item item) {
  if (const auto* slot = ready_.find(item.number)) {
    ready_.set_ready(item.number, item.state == ItemState::kReady);
    if (item.state == ItemState::kDone) restore_done(item.number);
    if (item.state == ItemState::kDead) --lane_of(*slot).waiting;
    auto* count = count_of(queue_at(*slot).counts, item.state);
    if (count && item.state != ItemState::kDone) ++*count;
  }
  if (item.state == ItemState::kLeased) reserve_contact(item);
  Client* holder = item.client < 0 ? nullptr : &clients_[static_cast<std::size_t>(item.client)];
  if (holder && item.state == ItemState::kLeased) insert(holder->held, item.number);
  if (holder && item.state == ItemState::kReserved) insert(holder->reserved, item.number);
  numbers_[item.offer_id] = item.number;
  items_[item.number] = std::move(item);
}

void QueueBook::restore_done(std::int64_t number) {
  const auto* slot = ready_.find(number);
  if (slot->is_done) return;
  ready_.set_done(number);
  ++queue_at(*slot).counts.done;
  --lane_of(*slot).waiting;
  no_longer_stands(*slot);
}

void QueueBook::restore(Client client) {
  client_numbers_[client.name] = static_cast<std::int32_t>(clients_.size());
  clients_.push_back(std::move(client));
}

}  // namespace tellerd::deliver
