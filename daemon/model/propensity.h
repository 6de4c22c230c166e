// How likely an action is accepted over a channel, learnt from outcomes as they come (policy.md 2). Under kMatureAt
// positives it is drawn from Beta(1 + positives, 1 + negatives), Thompson's way; from then on the model over the
// customer's columns tells it, unless its own record is no better than chance. Every outcome is first predicted, then
// learnt: that record is the AUC. Deterministic: the same outcomes in the same order give the same; one that was
// corrected is taken back by learning the others anew.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "model/draws.h"
#include "model/online_logistic.h"

namespace tellerd::model {

inline constexpr std::int64_t kMatureAt = 200;  // positives

// policy.md 2: usual is 0.55 to 0.80, over 0.90 points at a leak, under 0.52 is not used.
enum class Health : std::uint8_t { kUntried, kUseless, kWeak, kUsual, kStrong, kSuspicious };
Health health_of(double auc) noexcept;
std::string_view name_of(Health health) noexcept;

// Area under the ROC curve of predictions so far, over bins of the log odds; old ones fade by halves.
class RunningAuc {
 public:
  static constexpr std::size_t kBins = 48;
  static constexpr std::int64_t kHalvedAt = 8'000, kPositivesAtLeast = 50;
  void note(double probability, bool is_positive) noexcept;
  bool is_told() const noexcept;                            // enough of both
  double value() const noexcept;                            // 0.5 until it is told
  std::array<std::array<std::int32_t, kBins>, 2> counts{};  // [is positive][bin], lowest odds first
};

class Propensity {
 public:
  explicit Propensity(std::size_t features) : model_(features) {}

  bool is_drawn() const noexcept;  // Thompson's draw; else the model's probability
  double draw(Draws& draws) const noexcept {
    return draws.beta(static_cast<double>(1 + positives_), static_cast<double>(1 + negatives_));
  }
  double predicted(std::span<const Feature> features) const noexcept { return model_.probability(features); }
  double mean() const noexcept {
    return static_cast<double>(1 + positives_) / static_cast<double>(2 + positives_ + negatives_);
  }

  void learn(std::span<const Feature> features, bool is_positive) noexcept;

  std::int64_t positives() const noexcept { return positives_; }
  std::int64_t negatives() const noexcept { return negatives_; }
  Health health() const noexcept { return auc_.is_told() ? health_of(auc_.value()) : Health::kUntried; }
  double auc() const noexcept { return auc_.value(); }

  std::string bytes() const;
  void restore(std::int64_t positives, std::int64_t negatives, std::string_view bytes);

 private:
  std::int64_t positives_ = 0, negatives_ = 0;
  RunningAuc auc_;
  OnlineLogistic model_;
};

}  // namespace tellerd::model
