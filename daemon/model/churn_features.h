// The columns of a churn model, computed from a ChurnView: `tx_w1 … host_wN` as in the original, and with "full" scope
// recency, frequency, amounts, trend, tenure, tier, overdue and the signals of support and competitors.
// What is not defined (a gap between visits of somebody who came once) is -1, so no value is ever missing.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "model/churn_view.h"

namespace tellerd::model {

// What a column speaks of: reason codes add up contributions by it.
enum class Theme : std::uint8_t { kRecency, kFrequency, kAmount, kTenure, kSupport, kSms, kHost, kTier, kOverdue };
inline constexpr std::size_t kThemes = 9;

struct FeatureColumn {
  std::string name;
  Theme theme;
};

inline constexpr std::size_t kFeaturesMax = 4 * 50 + 64;

std::vector<FeatureColumn> feature_columns(const ChurnScope& scope);
std::size_t feature_count(const ChurnScope& scope) noexcept;
// From here on a column is no single week's bit; with "bits" scope there is none.
inline int first_summed_column(const ChurnScope& scope) noexcept {
  return static_cast<int>(gold::kChurnSources) * scope.feature_weeks;
}
// `row` has feature_count() places.
void fill_features(const ChurnView& view, const ChurnScope& scope, std::span<float> row) noexcept;

// Of weeks in which something happened, newest first.
struct Gaps {
  int recency = -1, visits = 0, span = 0, longest = -1, latest = -1;  // in weeks; recency 1 is the last whole week
  double mean = -1, deviation = -1;
};
Gaps gaps_of(std::uint64_t weeks) noexcept;

}  // namespace tellerd::model
