// When leases and delays end, on the steady clock. A lease that stood before a restart gets its whole length again: how
// much was left is not known, and no wall time is asked. Threads: the delivery thread's.
#pragma once
#include <cstdint>
#include <functional>
#include <queue>
#include <unordered_map>
#include <vector>

#include "deliver/queue_book.h"

namespace tellerd::deliver {

class LeaseTimers {
 public:
  struct Due {
    std::int64_t number = 0, epoch = 0;
    Timer ended = Timer::kLease;
    bool is_warning = false;  // a lease that is nearly over
    std::int64_t left_ms = 0;
  };
  // The item's lease has begun or grown, or it waits; `wall_us` is for a callback's own time.
  void start(const Item& item, std::int64_t steady_us, core::Instant wall_us);
  // What has ended by now, each once; `state_of` is the item as it is, or nullptr.
  void take_due(std::int64_t steady_us, const std::function<const Item*(std::int64_t)>& find, std::vector<Due>& due);
  std::int64_t next_us() const noexcept { return entries_.empty() ? INT64_MAX : entries_.top().at_us; }
  std::int64_t left_ms(const Item& item, std::int64_t steady_us) const;  // of a lease
  void forget() { entries_ = {}; }  // all but when leases began: the items are told again

 private:
  struct Entry {
    std::int64_t at_us = 0, number = 0, epoch = 0;
    Timer ended = Timer::kLease;
    bool is_warning = false;
    bool operator<(const Entry& other) const noexcept { return at_us > other.at_us; }
  };
  struct Lease {
    std::int64_t epoch = 0, began_us = 0;
    bool has_ended = false;
  };
  std::priority_queue<Entry> entries_;
  std::unordered_map<std::int64_t, Lease> leases_;
};

}  // namespace tellerd::deliver
