// What a churn model may know of one customer at the start of a week T: the one road to features, for live scores,
// for history and for training (design.md 2: features as of T are the bits shifted).
// A week k before T is bit k - 1 (w1 is the last whole week before T). Pure; no clock, no store.
#pragma once
#include <array>
#include <cstdint>

#include "gold/customer.h"

namespace tellerd::model {

using core::Week;

// How far any feature looks back: what is stored less what the horizon and the oldest training T have used up.
struct ChurnScope {
  int feature_weeks = 12, horizon_weeks = 12;
  int view_weeks = 12;   // at least feature_weeks; older weeks are masked
  bool is_full = false;  // "bits" is exactly the weeks of the four sources
};

// What happened in and after week T, to be taken off the lifetime sums: nothing for a live score.
struct Later {
  std::int32_t count = 0;
  std::int64_t minor = 0;
};

// Standing at T, which the customer's present row cannot tell for the past.
struct Stood {
  int tier_level = 0;  // 1 the highest, 0 none
  int dpd_bucket = 0;
  friend bool operator==(const Stood&, const Stood&) = default;
};

struct ChurnView {
  std::array<std::uint64_t, gold::kChurnSources> weeks{};  // by gold::Source; bit 0 is w1
  std::int32_t count = 0;                                  // transactions ever
  std::int64_t minor = 0;                                  // and their sum
  int tenure_weeks = 0;                                    // since the first transaction's week; 0 without one
  Stood stood;
  bool is_in_population = false;  // a transaction in the last max(feature, horizon) weeks
  friend bool operator==(const ChurnView&, const ChurnView&) = default;
};

// As of the start of week `at`. Live scores are of the running week, whose facts so far join w1 (`joins_running`).
ChurnView view_of(const gold::Customer& customer, Week at, const Later& later, const Stood& stood,
                  const ChurnScope& scope, bool joins_running) noexcept;
inline ChurnView live_view(const gold::Customer& customer, Week running, const Stood& stood,
                           const ChurnScope& scope) noexcept {
  return view_of(customer, running, {}, stood, scope, true);
}
// The same view, from fewer weeks back.
ChurnView masked(ChurnView view, int view_weeks) noexcept;
// No transaction in the horizon's weeks from `at` on. They must have passed, and lie within the bits; the customer may
// stand at an earlier week, where nothing has happened to it since.
bool has_left(const gold::Customer& customer, Week at, int horizon_weeks) noexcept;

}  // namespace tellerd::model
