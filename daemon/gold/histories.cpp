#include "gold/histories.h"

#include "core/assert.h"

namespace tellerd::gold {

Histories::Histories(store::Database& database, const Counts& counts)
    : put_segments_(database, "segment_history", "number", "customer,from_us,cause_seq,tier,combined,reason"),
      put_churn_(database, "churn_history", "number", "customer,from_us,cause_seq,state"),
      counts_(counts) {}

std::int64_t Histories::add_segment(const Move& move, int tier, int combined, int reason) {
  segments_.push_back({move, tier, combined, reason});
  return ++counts_.segments;
}

std::int64_t Histories::add_churn(const Move& move, ChurnState state) {
  churn_.push_back({move, state});
  return ++counts_.churn;
}

void Histories::take() {
  TELLERD_ASSERT(taken_segments_.empty() && taken_churn_.empty());
  taken_segments_.swap(segments_);
  taken_churn_.swap(churn_);
  taken_through_ = counts_;
}

void Histories::write_taken() {
  const auto put_head = [](store::BulkRow& row, const Move& move) {
    row.add_all(std::int64_t{move.customer}, move.from_us, move.cause_seq);
  };
  const auto first_of = [](std::int64_t through, std::size_t rows) {
    return through - static_cast<std::int64_t>(rows) + 1;
  };
  put_segments_.run(first_of(taken_through_.segments, taken_segments_.size()), taken_segments_.size(),
                    [&](std::size_t at, store::BulkRow& row) {
                      const Segment& one = taken_segments_[at];
                      put_head(row, one.move);
                      row.add_all(std::int64_t{one.tier}, std::int64_t{one.combined}, std::int64_t{one.reason});
                    });
  put_churn_.run(first_of(taken_through_.churn, taken_churn_.size()), taken_churn_.size(),
                 [&](std::size_t at, store::BulkRow& row) {
                   put_head(row, taken_churn_[at].move);
                   row.add(static_cast<std::int64_t>(taken_churn_[at].state));
                 });
  taken_segments_.clear();
  taken_churn_.clear();
}

}  // namespace tellerd::gold
