#include "model/reasons.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace tellerd::model {
namespace {

constexpr std::size_t kReasonsMax = 4;
constexpr double kWeightMin = 0.05;  // in log odds: about a percent of probability at most
constexpr int kSignalWeeks = 13;

int visits_within(std::uint64_t weeks, int window) noexcept { return std::popcount(weeks & ((1ull << window) - 1)); }

// "3", or "1.4" where a whole number would mislead.
std::string figure(double value) {
  const double rounded = std::round(value * 10) / 10;
  return rounded == std::floor(rounded) ? fmt::format("{:.0f}", rounded) : fmt::format("{:.1f}", rounded);
}

std::string of_recency(const ChurnView& view) {
  const Gaps gaps = gaps_of(view.weeks[gold::kTx]);
  if (gaps.recency < 2) return {};  // there was one last week: nothing to say
  if (gaps.visits < 2) return fmt::format("CH-02:{}", gaps.recency);
  const double active_weeks = std::max(view.tenure_weeks - gaps.recency + 1, 1);
  const double rate = view.count / active_weeks;
  return rate >= 1 ? fmt::format("CH-09:{},{}", gaps.recency, figure(rate))
                   : fmt::format("CH-10:{},{}", gaps.recency, figure(1 / rate));
}

std::string of_frequency(const ChurnView& view, const ChurnScope& scope) {
  const std::uint64_t tx = view.weeks[gold::kTx];
  const int half = std::max(scope.feature_weeks / 2, 1);
  const int now = visits_within(tx, half), before = visits_within(tx >> half, half);
  if (now < before) return fmt::format("CH-06:{},{}", before, now);
  return fmt::format("CH-11:{},{}", visits_within(tx, scope.feature_weeks), scope.feature_weeks);
}

std::string of_signal(const char* code, std::uint64_t weeks) {
  const int visits = visits_within(weeks, kSignalWeeks);
  return visits == 0 ? std::string() : fmt::format("{}:{}", code, visits);
}

// Empty where the customer shows nothing that could be said.
std::string reason(Theme theme, const ChurnView& view, const ChurnScope& scope) {
  switch (theme) {
    case Theme::kRecency:
      return of_recency(view);
    case Theme::kFrequency:
      return of_frequency(view, scope);
    case Theme::kAmount:
      return view.count > 0 ? fmt::format("CH-12:{:.2f}", static_cast<double>(view.minor) / view.count / 100)
                            : std::string();
    case Theme::kTenure:
      return fmt::format("CH-13:{}", view.tenure_weeks);
    case Theme::kSupport:
      return of_signal("CH-05", view.weeks[gold::kSupport]);
    case Theme::kSms:
      return of_signal("CH-03", view.weeks[gold::kSms]);
    case Theme::kHost:
      return of_signal("CH-04", view.weeks[gold::kHost]);
    case Theme::kTier:
      return view.stood.tier_level > 0 ? fmt::format("CH-14:{}", view.stood.tier_level) : std::string();
    case Theme::kOverdue:
      return view.stood.dpd_bucket > 0 ? "CH-15" : "";
  }
  return {};
}

// BG/NBD knows two things: how long somebody has been away, against having come just now, and how often they came,
// against a customer whose habit is as likely to go on as not.
std::array<double, kThemes> contributions_by_habit(const ChurnModel& model, const ChurnView& view) {
  ChurnView just_now = view;
  std::uint64_t& weeks = just_now.weeks[gold::kTx];
  if (weeks != 0) weeks >>= std::countr_zero(weeks);
  const double here = model.margin(just_now);
  std::array<double, kThemes> sums{};
  sums[static_cast<std::size_t>(Theme::kRecency)] = model.margin(view) - here;
  sums[static_cast<std::size_t>(Theme::kFrequency)] = here;
  return sums;
}

}  // namespace

std::array<double, kThemes> contributions_by_theme(const ChurnModel& model, const ChurnView& view) {
  if (model.bgnbd()) return contributions_by_habit(model, view);
  const auto& themes = model.themes();
  std::array<float, kFeaturesMax> row;
  std::array<double, kFeaturesMax> parts;
  const std::span<float> filled(row.data(), themes.size());
  fill_features(view, model.scope(), filled);
  model.forest().contributions(filled, {parts.data(), themes.size()});
  std::array<double, kThemes> sums{};
  for (std::size_t at = 0; at < themes.size(); ++at) sums[static_cast<std::size_t>(themes[at])] += parts[at];
  return sums;
}

std::string reasons_of(const ChurnModel& model, const ChurnView& view) {
  const auto sums = contributions_by_theme(model, view);
  std::array<std::size_t, kThemes> order;
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return sums[a] > sums[b]; });
  std::string text;
  std::size_t count = 0;
  for (const std::size_t theme : order) {
    if (sums[theme] < kWeightMin || count == kReasonsMax) break;
    const std::string one = reason(static_cast<Theme>(theme), view, model.scope());
    if (one.empty()) continue;
    text += (count++ ? " " : "") + one;
  }
  return text;
}

}  // namespace tellerd::model
