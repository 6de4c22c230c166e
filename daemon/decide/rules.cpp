#include "decide/rules.h"

#include <algorithm>

#include "core/assert.h"
#include "core/money.h"

namespace tellerd::decide {
namespace {
constexpr std::int64_t kNeverActive = 99;  // inactive_weeks of a customer without transactions
std::size_t slot(Column column) { return static_cast<std::size_t>(column); }
}  // namespace

Numbers numbers_of(const gold::Customer& customer, core::Day today) noexcept {
  Numbers numbers{};
  auto put = [&](Column column, std::int64_t value) { numbers[slot(column)] = value; };
  put(Column::kTransactionCount, customer.transaction_count);
  put(Column::kTransactionTotalMinor, customer.transaction_total_minor);
  put(Column::kTransactionMaxMinor, customer.transaction_max_minor);
  put(Column::kLoginCount, customer.login_count);
  put(Column::kSuccessfulLoginCount, customer.successful_login_count);
  put(Column::kActivityCount, customer.activity_count);
  put(Column::kActivityMinutes, customer.activity_minutes);
  put(Column::kPageViews, customer.page_views);
  put(Column::kBillCount, customer.bill_count);
  put(Column::kBillTotalMinor, customer.bill_total_minor);
  put(Column::kHoldingCount, customer.holding_count);
  put(Column::kPortfolioValueMinor, customer.portfolio_value_minor);
  put(Column::kOverdueLoans, customer.overdue_loans);
  put(Column::kDpd, customer.dpd);
  const int inactive = gold::inactive_weeks(customer);
  put(Column::kInactiveWeeks, inactive < 0 ? kNeverActive : inactive);
  put(Column::kClientCode, customer.client_code);
  put(Column::kHasProfile, customer.has_profile);
  put(Column::kRegisteredDays, customer.registered_on == INT32_MIN ? 0 : std::max(0, today - customer.registered_on));
  return numbers;
}

Rules::Rules(const Pack& pack) : pack_(pack), expressions_(expression_columns()), row_(kExpressionColumns.size()) {
  for (const auto& tier : pack.segments.tiers) {
    tier_when_.push_back(expressions_.add(tier.when, "segments.toml"));
    tier_stay_.push_back(expressions_.add(tier.stay.empty() ? tier.when : tier.stay, "segments.toml"));
  }
  for (const auto& combined : pack.segments.combined)
    combined_when_.push_back(expressions_.add(combined.when, "segments.toml"));
  for (const auto& multiplier : pack.offers.multipliers)
    multiplier_when_.push_back(expressions_.add(multiplier.when, "offers.toml"));
  expressions_.compile();
  for (int expression = 0; expression < expressions_.size(); ++expression)
    for (const int column : expressions_.columns_read(expression))
      if (static_cast<std::size_t>(column) == slot(Column::kChurnState))
        reads_churn_ = true;
      else if (static_cast<std::size_t>(column) < kNumbers)
        is_read_[static_cast<std::size_t>(column)] = true;
  for (std::size_t column = 0; column < kNumbers; ++column)
    is_stepped_[column] = expressions_.is_step_function(static_cast<int>(column));
}

bool Rules::crosses(const Numbers& before, const Numbers& after) const noexcept {
  for (std::size_t column = 0; column < kNumbers; ++column) {
    if (before[column] == after[column] || !is_read_[column]) continue;
    if (!is_stepped_[column]) return true;
    const auto& steps = expressions_.steps(static_cast<int>(column));
    const auto [low, high] = std::minmax(before[column], after[column]);
    const auto step = std::upper_bound(steps.begin(), steps.end(), low);
    if (step != steps.end() && *step <= high) return true;
  }
  return false;
}

Standing Rules::stand(const Numbers& numbers, int present_tier, core::Instant downgrade_since_us, core::Instant now_us,
                      std::string_view churn) {
  for (std::size_t column = 0; column < kNumbers; ++column) row_[column] = numbers[column];
  row_[slot(Column::kTier)] = present_tier < 0
                                  ? std::string_view()
                                  : std::string_view(pack_.segments.tiers[static_cast<std::size_t>(present_tier)].name);
  row_[slot(Column::kCombinedSegment)] = std::string_view();
  row_[slot(Column::kChurnState)] = churn;
  Standing standing;
  int candidate = 0;
  while (!holds(tier_when_[static_cast<std::size_t>(candidate)]))
    ++candidate;  // the last always holds: the pack was checked
  standing.tier = candidate;
  if (present_tier >= 0 && candidate > present_tier) {
    const core::Instant wait_us = downgrade_wait_us();
    if (holds(tier_stay_[static_cast<std::size_t>(present_tier)])) {
      standing.tier = present_tier;
    } else if (wait_us > 0) {
      standing.downgrade_since_us = downgrade_since_us ? downgrade_since_us : now_us;
      standing.is_downgrade_due = now_us >= standing.downgrade_since_us + wait_us;
      if (!standing.is_downgrade_due)
        standing.tier = present_tier;
      else
        standing.downgrade_since_us = 0;
    }
  }
  row_[slot(Column::kTier)] = std::string_view(pack_.segments.tiers[static_cast<std::size_t>(standing.tier)].name);
  for (std::size_t at = 0; at < combined_when_.size() && standing.combined < 0; ++at)
    if (pack_.segments.combined[at].tier == static_cast<std::size_t>(standing.tier) && holds(combined_when_[at]))
      standing.combined = static_cast<int>(at);
  for (std::size_t at = 0; at < multiplier_when_.size() && standing.factor < 0; ++at)
    if (holds(multiplier_when_[at])) standing.factor = static_cast<int>(at);
  TELLERD_ASSERT(standing.combined >= 0);
  return standing;
}

std::int64_t Rules::expected_revenue(std::int64_t base_minor, int factor) const {
  if (factor < 0) return base_minor;
  const auto& multiplier = pack_.offers.multipliers[static_cast<std::size_t>(factor)];
  return base_minor * multiplier.numerator / multiplier.denominator;  // the pack's check leaves no overflow
}

}  // namespace tellerd::decide
