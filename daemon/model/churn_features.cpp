#include "model/churn_features.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "core/assert.h"

namespace tellerd::model {
namespace {

constexpr std::array<std::string_view, gold::kChurnSources> kSources = {"tx", "sup", "sms", "host"};
constexpr std::array<int, 5> kTxWindows = {2, 4, 8, 13, 26};
constexpr std::array<Theme, gold::kChurnSources> kThemeOf = {Theme::kRecency, Theme::kSupport, Theme::kSms,
                                                             Theme::kHost};

constexpr std::uint64_t lowest(int weeks) noexcept { return weeks >= 64 ? ~0ull : (1ull << weeks) - 1; }
int visits_within(std::uint64_t weeks, int window) noexcept { return std::popcount(weeks & lowest(window)); }

// Writes one after the other.
struct Pen {
  float* at;
  template <class T>
  void operator()(T value) noexcept {
    *at++ = static_cast<float>(value);
  }
};

void write_bits(std::uint64_t weeks, int count, Pen& pen) noexcept {
  for (int week = 0; week < count; ++week) pen(weeks >> week & 1);
}

void write_transactions(const ChurnView& view, const ChurnScope& scope, Pen& pen) noexcept {
  const std::uint64_t tx = view.weeks[gold::kTx];
  const Gaps gaps = gaps_of(tx);
  pen(gaps.recency);
  pen(gaps.span);
  pen(gaps.mean);
  pen(gaps.longest);
  pen(gaps.mean > 0 ? gaps.recency / gaps.mean : -1);
  pen(gaps.longest > 0 ? static_cast<double>(gaps.recency) / gaps.longest : -1);
  for (const int window : kTxWindows) pen(visits_within(tx, window));
  pen(gaps.visits);
  const int half = std::max(scope.feature_weeks / 2, 1);
  pen(visits_within(tx, half) - visits_within(tx >> half, half));
  pen(view.count);
  const double tenure = std::max(view.tenure_weeks, 1);
  pen(view.count / tenure);
  pen(gaps.recency * view.count / tenure);
  const double mean = view.count > 0 ? static_cast<double>(view.minor) / view.count : 0;
  pen(static_cast<double>(view.minor));
  pen(mean);
  pen(view.tenure_weeks);
  // Over the whole time with the branch, which the kept weeks may not reach.
  const int active = gaps.recency > 0 ? std::max(view.tenure_weeks - gaps.recency, 0) : -1;
  const double gap = view.count > 1 ? static_cast<double>(active) / (view.count - 1) : -1;
  pen(active);
  pen(gap);
  pen(gap > 0 ? gaps.recency / gap : -1);
  pen(gaps.latest);
  pen(gaps.deviation);
  pen(gaps.deviation >= 0 ? (gaps.recency - gaps.mean) / (gaps.deviation + 1) : -9);
}

void write_signal(std::uint64_t weeks, Pen& pen) noexcept {
  pen(weeks == 0 ? -1 : std::countr_zero(weeks) + 1);
  pen(visits_within(weeks, 4));
  pen(visits_within(weeks, 13));
}

}  // namespace

Gaps gaps_of(std::uint64_t weeks) noexcept {
  Gaps gaps;
  if (weeks == 0) return gaps;
  const int newest = std::countr_zero(weeks), oldest = 63 - std::countl_zero(weeks);
  gaps.recency = newest + 1;
  gaps.visits = std::popcount(weeks);
  gaps.span = oldest - newest;
  if (gaps.visits < 2) return gaps;
  gaps.mean = static_cast<double>(gaps.span) / (gaps.visits - 1);
  double squares = 0;
  for (std::uint64_t rest = weeks; rest & (rest - 1); rest &= rest - 1) {
    const int gap = std::countr_zero(rest & (rest - 1)) - std::countr_zero(rest);
    gaps.longest = std::max(gaps.longest, gap);
    if (gaps.latest < 0) gaps.latest = gap;
    squares += (gap - gaps.mean) * (gap - gaps.mean);
  }
  gaps.deviation = std::sqrt(squares / (gaps.visits - 1));
  return gaps;
}

std::vector<FeatureColumn> feature_columns(const ChurnScope& scope) {
  std::vector<FeatureColumn> columns;
  for (std::size_t source = 0; source < kSources.size(); ++source)
    for (int week = 1; week <= scope.feature_weeks; ++week)
      columns.push_back({std::string(kSources[source]) + "_w" + std::to_string(week), kThemeOf[source]});
  if (!scope.is_full) return columns;
  auto add = [&](const char* name, Theme theme) { columns.push_back({name, theme}); };
  add("tx_recency", Theme::kRecency);
  add("tx_span", Theme::kTenure);
  add("tx_mean_gap", Theme::kFrequency);
  add("tx_longest_gap", Theme::kFrequency);
  add("tx_recency_to_mean_gap", Theme::kRecency);
  add("tx_recency_to_longest_gap", Theme::kRecency);
  for (const int window : kTxWindows) columns.push_back({"tx_visits_" + std::to_string(window), Theme::kFrequency});
  add("tx_visits", Theme::kFrequency);
  add("tx_trend", Theme::kFrequency);
  add("tx_count", Theme::kFrequency);
  add("tx_rate", Theme::kFrequency);
  add("tx_expected_missed", Theme::kRecency);
  add("tx_total", Theme::kAmount);
  add("tx_mean", Theme::kAmount);
  add("tenure", Theme::kTenure);
  add("tx_active_weeks", Theme::kTenure);
  add("tx_life_gap", Theme::kFrequency);
  add("tx_recency_to_life_gap", Theme::kRecency);
  add("tx_latest_gap", Theme::kFrequency);
  add("tx_gap_deviation", Theme::kFrequency);
  add("tx_recency_beyond_gap", Theme::kRecency);
  for (std::size_t source = 1; source < kSources.size(); ++source)
    for (const char* what : {"_recency", "_visits_4", "_visits_13"})
      columns.push_back({std::string(kSources[source]) + what, kThemeOf[source]});
  add("tier_level", Theme::kTier);
  add("dpd_bucket", Theme::kOverdue);
  return columns;
}

std::size_t feature_count(const ChurnScope& scope) noexcept {
  constexpr std::size_t kFull = 25 + 9 + 2;
  return kSources.size() * static_cast<std::size_t>(scope.feature_weeks) + (scope.is_full ? kFull : 0);
}

void fill_features(const ChurnView& view, const ChurnScope& scope, std::span<float> row) noexcept {
  Pen pen{row.data()};
  for (const std::uint64_t weeks : view.weeks) write_bits(weeks, scope.feature_weeks, pen);
  if (scope.is_full) {
    write_transactions(view, scope, pen);
    for (std::size_t source = 1; source < view.weeks.size(); ++source) write_signal(view.weeks[source], pen);
    pen(view.stood.tier_level);
    pen(view.stood.dpd_bucket);
  }
  TELLERD_ASSERT(pen.at == row.data() + row.size());
}

}  // namespace tellerd::model
