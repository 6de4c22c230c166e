// Moves of customers between segments and churn states: appended in the turn, written with the flush. A row's number is
// also its place in the feed (topics segment and churn), so the outbox keeps no line for it. Threads: the engine's;
// write_taken() is for whoever has the connection.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/time.h"
#include "gold/customer.h"
#include "silver/row.h"
#include "store/bulk_insert.h"

namespace tellerd::gold {

struct Move {
  silver::CustomerId customer = 0;
  core::Instant from_us = 0;
  silver::Seq cause_seq = 0;
};

class Histories {
 public:
  struct Counts {
    std::int64_t segments = 0, churn = 0;  // rows so far
  };
  Histories(store::Database& database, const Counts& counts);
  std::int64_t add_segment(const Move& move, int tier, int combined, int reason);  // the row's number
  std::int64_t add_churn(const Move& move, ChurnState state);
  const Counts& counts() const noexcept { return counts_; }
  void take();         // for the next write_taken(); the one before is through
  void write_taken();  // in order
  std::size_t unwritten() const noexcept { return std::max(segments_.size(), churn_.size()); }
  void give_back() {  // the room that a burst took
    for (auto* rows : {&segments_, &taken_segments_}) rows->shrink_to_fit();
    for (auto* rows : {&churn_, &taken_churn_}) rows->shrink_to_fit();
  }

  struct Segment {
    Move move;
    int tier = 0, combined = 0, reason = 0;
  };
  struct Churn {
    Move move;
    ChurnState state = ChurnState::kNone;
  };
  // Of a row that is not taken yet; null of any other. Lives until the next row.
  const Segment* segment(std::int64_t number) const noexcept { return unwritten(segments_, counts_.segments, number); }
  const Churn* churn(std::int64_t number) const noexcept { return unwritten(churn_, counts_.churn, number); }

 private:
  template <class Row>
  static const Row* unwritten(const std::vector<Row>& rows, std::int64_t count, std::int64_t number) noexcept {
    const std::int64_t behind = count - number;
    const bool is_there = behind >= 0 && behind < static_cast<std::int64_t>(rows.size());
    return is_there ? &rows[rows.size() - 1 - static_cast<std::size_t>(behind)] : nullptr;
  }
  store::BulkAppend put_segments_, put_churn_;
  std::vector<Segment> segments_, taken_segments_;  // the first: the last of the numbers given out
  std::vector<Churn> churn_, taken_churn_;
  Counts counts_, taken_through_;
};

}  // namespace tellerd::gold
