// Who is due when. The queue holds lower bounds: what pops is asked for its exact deadline, run when it is due and put
// back otherwise, so that state alone decides which turns happen and a restart rebuilds the same queue.
#pragma once
#include <queue>
#include <vector>

#include "core/time.h"
#include "silver/rows.h"

namespace tellerd::gold {

// In the order in which deadlines of one instant and customer run.
enum class DueKind : std::uint8_t { kWindow, kChurn, kDowngrade, kLoan, kOffer, kChoice };

class Deadlines {
 public:
  struct Entry {
    core::Instant due_us = 0;
    silver::CustomerId customer = 0;
    friend bool operator>(const Entry& a, const Entry& b) noexcept {
      return a.due_us != b.due_us ? a.due_us > b.due_us : a.customer > b.customer;
    }
  };
  void push(core::Instant due_us, silver::CustomerId customer) { queue_.push({due_us, customer}); }
  bool is_empty() const noexcept { return queue_.empty(); }
  const Entry& next() const noexcept { return queue_.top(); }
  void pop() { queue_.pop(); }

 private:
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue_;
};

}  // namespace tellerd::gold
