// What stands between an offer that is ready and a desk: skills, the contact policy, how much a queue takes a day and
// how much may wait in it; and the reservation of a contact with the lease.
#include <algorithm>

#include "deliver/queue_book.h"

namespace tellerd::deliver {

bool has_skills(const Client& client, const std::vector<std::string>& needed) {
  return std::all_of(needed.begin(), needed.end(), [&](const std::string& skill) {
    return std::find(client.skills.begin(), client.skills.end(), skill) != client.skills.end();
  });
}

void QueueBook::name_queue(std::size_t number, std::string_view name) {
  if (queue_names_.size() <= number) queue_names_.resize(number + 1);
  if (queues_.size() <= number) queues_.resize(number + 1);
  queue_names_[number] = name;
}

int QueueBook::queue_named(std::string_view name) const {
  const auto at = std::find(queue_names_.begin(), queue_names_.end(), name);
  return at == queue_names_.end() || name.empty() ? -1 : static_cast<int>(at - queue_names_.begin());
}

void QueueBook::know(OfferKind kind, const KindFacts& facts) {
  auto lane = std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& known) {
    return known.queue == facts.queue && known.level == facts.level && known.skills == facts.skills;
  });
  const auto class_id = static_cast<ClassId>(lane - lanes_.begin());
  ready_.set_class(kind, class_id);
  if (lane != lanes_.end()) return;
  lanes_.push_back({facts.queue, facts.level, facts.skills, 0});
  auto& lanes = queues_[static_cast<std::size_t>(facts.queue)].lanes;
  lanes.insert(std::upper_bound(lanes.begin(), lanes.end(), facts.level,
                                [this](int level, ClassId other) { return level < lanes_[other].level; }),
               class_id);
}

void QueueBook::set_bounds(std::size_t queue, std::int64_t taken_a_day, std::int64_t waiting) {
  queues_[queue].taken_a_day = taken_a_day;
  queues_[queue].waiting = waiting;
}

bool QueueBook::has_room(OfferKind kind) const {
  const Lane& own = lanes_[ready_.class_of({0, kind, false, false, 0})];
  const Queue& queue = queues_[static_cast<std::size_t>(own.queue)];
  if (queue.waiting == 0) return true;
  std::int64_t before = 0;
  for (const ClassId lane : queue.lanes)
    if (lanes_[lane].level <= own.level) before += lanes_[lane].waiting;
  return before < queue.waiting;
}

std::int64_t QueueBook::displaced_by(OfferKind kind) const {
  const Lane& own = lanes_[ready_.class_of({0, kind, false, false, 0})];
  const Queue& queue = queues_[static_cast<std::size_t>(own.queue)];
  if (queue.waiting == 0) return 0;
  std::int64_t waiting = 0, displaced = 0;
  for (const ClassId lane : queue.lanes) waiting += lanes_[lane].waiting;
  if (waiting < queue.waiting) return 0;
  int lowest = own.level + 1;
  for (auto lane = queue.lanes.rbegin(); lane != queue.lanes.rend() && lanes_[*lane].level >= lowest; ++lane)
    if (const std::int64_t last = ready_.last_waiting(*lane)) {
      lowest = lanes_[*lane].level;
      displaced = std::max(displaced, last);
    }
  return displaced;
}

void QueueBook::refuse(OfferKind kind) {
  QueueDay& day = queue_at({0, kind, false, false, 0}).day;
  ++day.refused;
  day.is_dirty = true;
}

// A contact is reserved with the lease and given back with it; its outcome, if there is one, counts by itself.
void QueueBook::reserve_contact(const Item& item) {
  const auto* slot = ready_.find(item.number);
  if (!slot) return;
  const auto channel = contacts_.subject(slot->kind).channel;
  contacts_.put(item.customer,
                decide::PastContact{item.granted_us, -item.number, slot->kind, decide::made_by_lease(channel)});
}

void QueueBook::count_taken(const Item& item) {
  const auto* slot = ready_.find(item.number);
  if (!slot) return;
  QueueDay& day = queue_at(*slot).day;
  const core::Day today = contacts_.branch().day_of(item.granted_us);
  if (day.day != today) {
    day.day = today;
    day.taken = 0;
  }
  ++day.taken;
  day.is_dirty = true;
}

void QueueBook::free_contact(const Item& item, bool is_taken) {
  contacts_.take_contact(item.customer, -item.number);
  freed_.push_back(item.customer);
  const auto* slot = ready_.find(item.number);
  if (!slot || is_taken) return;
  QueueDay& day = queue_at(*slot).day;
  if (day.day != contacts_.branch().day_of(item.granted_us)) return;
  --day.taken;
  day.is_dirty = true;
}

void QueueBook::no_longer_stands(const ReadyIndex::Slot& slot) {
  contacts_.stand(slot.customer, slot.kind, -1);
  if (contacts_.subject(slot.kind).purpose != decide::Purpose::kMarketing) freed_.push_back(slot.customer);
}

core::Instant QueueBook::spent_until_us(std::size_t number, core::Instant now_us) const {
  const Queue& queue = queues_[number];
  if (queue.taken_a_day == 0) return 0;
  const core::Day today = contacts_.branch().day_of(now_us);
  const bool is_spent = queue.day.day == today && queue.day.taken >= queue.taken_a_day;
  return is_spent ? contacts_.branch().start_of_day(today + 1) : 0;
}

QueueBook::Gate QueueBook::gate(std::int64_t number, core::Instant now_us) const {
  const auto& slot = *ready_.find(number);
  if (const core::Instant until_us = spent_until_us(static_cast<std::size_t>(queue_of(slot)), now_us))
    return {Blocked::kCapacity, until_us};
  if (!contacts_.has_rules()) return {};
  const auto verdict = contacts_.check(slot.customer, slot.kind, now_us);
  if (verdict.may_contact()) return {};
  return {static_cast<Blocked>(verdict.why()), verdict.open_us()};
}

void QueueBook::park(std::int64_t number, const Gate& gate) {
  const auto* slot = ready_.find(number);
  if (!slot || !slot->is_ready || slot->parked) return;
  cards_.drop(number);
  ready_.set_parked(number, static_cast<std::uint8_t>(gate.why));
  Queue& queue = queue_at(*slot);
  ++queue.parked[static_cast<std::size_t>(gate.why)];
  if (gate.open_us == core::kNever) return;
  // By whole minutes, so that what opens about the same time stands together.
  queue.opening[(gate.open_us + core::kMinute - 1) / core::kMinute * core::kMinute].push_back(number);
}

void QueueBook::unpark(std::int64_t number) {
  const auto* slot = ready_.find(number);
  if (!slot || !slot->parked) return;
  --queue_at(*slot).parked[slot->parked];
  ready_.set_parked(number, 0);
  ++changes_;
  has_news_ = true;
}

void QueueBook::unpark_all() {
  ready_.each_standing(1, [this](std::int64_t number, const ReadyIndex::Slot&) {
    unpark(number);
    return true;
  });
  for (Queue& queue : queues_) queue.opening.clear();
}

bool QueueBook::unpark_due(core::Instant now_us, std::size_t offers_max) {
  for (Queue& queue : queues_)
    while (!queue.opening.empty() && queue.opening.begin()->first <= now_us) {
      auto& numbers = queue.opening.begin()->second;
      for (; !numbers.empty(); numbers.pop_back(), --offers_max) {
        if (offers_max == 0) return false;
        // As unpark(), but not news for the engine: the delivery thread is at it.
        const auto* slot = ready_.find(numbers.back());
        if (!slot || !slot->parked) continue;
        --queue.parked[slot->parked];
        ready_.set_parked(numbers.back(), 0);
      }
      queue.opening.erase(queue.opening.begin());
    }
  return true;
}

bool QueueBook::is_asked(std::int64_t steady_us) const {
  return std::any_of(queues_.begin(), queues_.end(), [steady_us](const Queue& queue) {
    return queue.asked_us != 0 && queue.asked_us + CardStock::kFreshUs >= steady_us;
  });
}

std::vector<std::pair<std::int64_t, std::uint32_t>> QueueBook::without_card(std::int64_t steady_us,
                                                                            std::size_t offers_max) {
  std::vector<std::pair<std::int64_t, std::uint32_t>> found;
  cards_.drop_older(steady_us - CardStock::kFreshUs);
  const std::size_t looked_max = cards_.count() < CardStock::kCardsEnough ? CardStock::kCardsMax : CardStock::kHeads;
  for (const Queue& queue : queues_) {
    if (queue.asked_us == 0 || queue.asked_us + CardStock::kFreshUs < steady_us) continue;
    std::size_t looked = 0;
    for (const ClassId lane : queue.lanes)
      for (std::int64_t number = ready_.next(lane, 0); number && found.size() < offers_max && looked < looked_max;
           number = ready_.next(lane, number)) {
        ++looked;
        if (!cards_.contains(number)) found.emplace_back(number, ready_.find(number)->customer);
      }
  }
  return found;
}

std::int64_t QueueBook::parked(std::size_t queue, Blocked why) const {
  return queues_[queue].parked[static_cast<std::size_t>(why)];
}

// Those at the front that are parked no more go; one that was parked again for later is found there, too.
core::Instant QueueBook::next_open_us(std::size_t number, core::Instant now_us) {
  Queue& queue = queues_[number];
  while (!queue.opening.empty()) {
    auto& [open_us, numbers] = *queue.opening.begin();
    while (!numbers.empty()) {
      const auto* slot = ready_.find(numbers.back());
      if (slot && slot->parked) return std::max(open_us, now_us);
      numbers.pop_back();
    }
    queue.opening.erase(queue.opening.begin());
  }
  return core::kNever;
}

std::int64_t QueueBook::free_count(std::size_t queue) const {
  std::int64_t count = 0;
  for (const ClassId lane : queues_[queue].lanes) count += ready_.ready_count(lane);
  return count;
}

std::int64_t QueueBook::ready_count(std::size_t queue) const {
  std::int64_t count = free_count(queue);
  for (const std::int64_t parked : queues_[queue].parked) count += parked;
  return count;
}

std::int64_t QueueBook::oldest(std::size_t queue) const {
  std::int64_t oldest = 0;
  for (const ClassId lane : queues_[queue].lanes)
    if (const std::int64_t first = ready_.next(lane, 0)) oldest = oldest ? std::min(oldest, first) : first;
  return oldest;
}

std::int64_t QueueBook::unskilled(std::size_t queue, const Client& client) const {
  std::int64_t count = 0;
  for (const ClassId lane : queues_[queue].lanes)
    if (!has_skills(client, lanes_[lane].skills)) count += ready_.ready_count(lane);
  return count;
}

void QueueBook::drain(std::vector<std::pair<std::size_t, QueueDay>>& days) {
  for (std::size_t number = 0; number < queues_.size(); ++number) {
    if (!queues_[number].day.is_dirty) continue;
    queues_[number].day.is_dirty = false;
    days.emplace_back(number, queues_[number].day);
  }
}

void QueueBook::restore(std::size_t queue, const QueueDay& day) {
  if (queue < queues_.size()) queues_[queue].day = day;
}

}  // namespace tellerd::deliver
