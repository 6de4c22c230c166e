#include "deliver/lease_timers.h"

#include <algorithm>

namespace tellerd::deliver {
namespace {

bool waits_for(const Item* item, std::int64_t epoch, Timer timer) {
  if (!item || item->epoch != epoch) return false;
  switch (timer) {
    case Timer::kLease:
      return item->state == ItemState::kLeased;
    case Timer::kDelay:
      return item->state == ItemState::kScheduled;
    case Timer::kReserve:
      return item->state == ItemState::kReserved;
  }
  return false;
}

}  // namespace

void LeaseTimers::start(const Item& item, std::int64_t steady_us, core::Instant wall_us) {
  if (item.state == ItemState::kLeased) {
    Lease& lease = leases_[item.number];
    if (lease.epoch != item.epoch) lease = {item.epoch, steady_us, false};
    entries_.push({lease.began_us + item.wait_ms * 800, item.number, item.epoch, Timer::kLease, true});
    entries_.push({lease.began_us + item.wait_ms * 1000, item.number, item.epoch, Timer::kLease, false});
  } else if (item.state == ItemState::kScheduled) {
    const std::int64_t wait_us = item.at_us ? std::max<std::int64_t>(0, item.at_us - wall_us) : item.wait_ms * 1000;
    entries_.push({steady_us + wait_us, item.number, item.epoch, Timer::kDelay, false});
  } else if (item.state == ItemState::kReserved) {
    entries_.push({steady_us + item.wait_ms * 1000, item.number, item.epoch, Timer::kReserve, false});
  }
}

std::int64_t LeaseTimers::left_ms(const Item& item, std::int64_t steady_us) const {
  const auto known = leases_.find(item.number);
  if (known == leases_.end() || known->second.epoch != item.epoch) return item.wait_ms;
  return std::max<std::int64_t>(0, item.wait_ms - (steady_us - known->second.began_us) / 1000);
}

void LeaseTimers::take_due(std::int64_t steady_us, const std::function<const Item*(std::int64_t)>& find,
                           std::vector<Due>& due) {
  while (!entries_.empty() && entries_.top().at_us <= steady_us) {
    const Entry entry = entries_.top();
    entries_.pop();
    const Item* item = find(entry.number);
    const auto lease = leases_.find(entry.number);
    if (!waits_for(item, entry.epoch, entry.ended)) {
      if (lease != leases_.end() && lease->second.epoch == entry.epoch && !entry.is_warning) leases_.erase(lease);
      continue;
    }
    if (entry.ended != Timer::kLease) {
      due.push_back({entry.number, entry.epoch, entry.ended, false, 0});
      continue;
    }
    if (lease == leases_.end() || lease->second.has_ended) continue;
    const std::int64_t ends_us = lease->second.began_us + item->wait_ms * 1000;
    if (entry.is_warning) {  // of a lease that has grown since, the later entry warns
      if (entry.at_us >= lease->second.began_us + item->wait_ms * 800)
        due.push_back({entry.number, entry.epoch, Timer::kLease, true, (ends_us - steady_us) / 1000});
    } else if (ends_us <= steady_us) {
      lease->second.has_ended = true;
      due.push_back({entry.number, entry.epoch, Timer::kLease, false, 0});
    }
  }
}

}  // namespace tellerd::deliver
