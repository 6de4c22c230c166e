// The daily marketing mart: clients, revenue, active and new clients of each combined segment, as of the running day.
// Kept by deltas: a customer is stood out before a turn changes it and stood in again after. Threads: the engine's.
#pragma once
#include <map>
#include <vector>

#include "gold/customer.h"
#include "store/database.h"

namespace tellerd::gold {

class Marketing {
 public:
  struct Rules {
    bool only_active_in_window = false;
  };
  void set_rules(const Rules& rules) { rules_ = rules; }
  void stand(const Customer& customer, core::Day today, int sign);
  void close_day() noexcept;  // nobody is new on a day that begins
  void write(store::Database& database, core::Day day);
  bool is_dirty() const noexcept { return is_dirty_; }

 private:
  struct Segment {
    std::int64_t clients = 0, revenue_minor = 0, active = 0, fresh = 0;
  };
  Rules rules_;
  std::vector<Segment> segments_;  // by number of the combined segment
  bool is_dirty_ = false;
};

}  // namespace tellerd::gold
