// The active pack's tier, segment and revenue rules, compiled; asked only when a value has crossed a step of some rule.
// Pure: no clock, no store; time comes as an argument. Threads: one (the expressions own a private connection).
#pragma once
#include <array>
#include <cstdint>
#include <memory>

#include "decide/pack.h"
#include "gold/customer.h"
#include "store/expression.h"

namespace tellerd::decide {

inline constexpr std::size_t kNumbers = static_cast<std::size_t>(Column::kTier);
using Numbers = std::array<std::int64_t, kNumbers>;  // the integer columns, in slot order

// As the rules see a customer; `today` gives registered_days.
Numbers numbers_of(const gold::Customer& customer, core::Day today) noexcept;

struct Standing {
  int tier = -1, combined = -1, factor = -1;  // indices into the pack; factor -1 is the base as it is
  core::Instant downgrade_since_us = 0;       // a lower tier waits since then; 0 is none
  bool is_downgrade_due = false;
};

class Rules {
 public:
  explicit Rules(const Pack& pack);
  // `present_tier` is the pack's index of the tier held now, -1 for none; `churn` its state's name.
  Standing stand(const Numbers& numbers, int present_tier, core::Instant downgrade_since_us, core::Instant now_us,
                 std::string_view churn);
  bool reads_churn() const noexcept { return reads_churn_; }  // some rule asks for the churn state
  // True when some rule could answer differently for `after` than for `before`.
  bool crosses(const Numbers& before, const Numbers& after) const noexcept;
  std::int64_t expected_revenue(std::int64_t base_minor, int factor) const;
  core::Instant downgrade_wait_us() const noexcept { return pack_.segments.downgrade_days * core::kDay; }

 private:
  bool holds(int expression) { return expressions_.holds(expression, row_); }
  const Pack& pack_;
  store::ExpressionSet expressions_;
  std::vector<int> tier_when_, tier_stay_, combined_when_, multiplier_when_;
  bool reads_churn_ = false;
  std::array<bool, kNumbers> is_read_{}, is_stepped_{};
  std::vector<store::ExpressionSet::Value> row_;
};

}  // namespace tellerd::decide
