#include "model/propensity.h"

#include <algorithm>
#include <cstring>

#include "model/steady_math.h"

namespace tellerd::model {

Health health_of(double auc) noexcept {
  if (auc < 0.52) return Health::kUseless;
  if (auc < 0.55) return Health::kWeak;
  if (auc <= 0.80) return Health::kUsual;
  return auc <= 0.90 ? Health::kStrong : Health::kSuspicious;
}

std::string_view name_of(Health health) noexcept {
  switch (health) {
    case Health::kUntried:
      return "untried";
    case Health::kUseless:
      return "useless";
    case Health::kWeak:
      return "weak";
    case Health::kUsual:
      return "usual";
    case Health::kStrong:
      return "strong";
    case Health::kSuspicious:
      return "suspicious";
  }
  return "";
}

void RunningAuc::note(double probability, bool is_positive) noexcept {
  constexpr double kLowest = -8, kBinsPerUnit = 4;
  const double odds = steady_log(probability / (1 - probability));
  const auto bin =
      static_cast<std::size_t>(std::clamp((odds - kLowest) * kBinsPerUnit, 0.0, static_cast<double>(kBins - 1)));
  ++counts[is_positive][bin];
  std::int64_t all = 0;
  for (const auto& side : counts)
    for (const std::int32_t count : side) all += count;
  if (all < kHalvedAt) return;
  for (auto& side : counts)
    for (std::int32_t& count : side) count /= 2;
}

bool RunningAuc::is_told() const noexcept {
  for (const auto& side : counts) {
    std::int64_t sum = 0;
    for (const std::int32_t count : side) sum += count;
    if (sum < kPositivesAtLeast) return false;
  }
  return true;
}

double RunningAuc::value() const noexcept {
  std::int64_t below = 0, positives = 0;
  double pairs = 0;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    pairs += counts[1][bin] * (static_cast<double>(below) + counts[0][bin] / 2.0);
    below += counts[0][bin];
    positives += counts[1][bin];
  }
  return below == 0 || positives == 0 || !is_told()
             ? 0.5
             : pairs / (static_cast<double>(below) * static_cast<double>(positives));
}

bool Propensity::is_drawn() const noexcept { return positives_ < kMatureAt || health() == Health::kUseless; }

void Propensity::learn(std::span<const Feature> features, bool is_positive) noexcept {
  auc_.note(model_.probability(features), is_positive);
  model_.learn(features, is_positive);
  ++(is_positive ? positives_ : negatives_);
}

std::string Propensity::bytes() const {
  std::string out(sizeof auc_.counts, '\0');
  std::memcpy(out.data(), auc_.counts.data(), sizeof auc_.counts);
  return out + model_.bytes();
}

void Propensity::restore(std::int64_t positives, std::int64_t negatives, std::string_view bytes) {
  positives_ = positives;
  negatives_ = negatives;
  if (bytes.size() < sizeof auc_.counts) return;
  std::memcpy(auc_.counts.data(), bytes.data(), sizeof auc_.counts);
  model_ = OnlineLogistic::of_bytes(bytes.substr(sizeof auc_.counts), model_.size());
}

}  // namespace tellerd::model
