// A logistic model learnt one outcome at a time that forgets: Bayesian weights with their covariance (an extended
// Kalman step an outcome), each drawn back to its prior by 1/kMemory an outcome, the level free to wander. A
// probability is the mean over what the weights may be, so little evidence is told as little. Deterministic: plain
// arithmetic in one order. Costs n^2 multiplications an outcome and k^2 a probability, for n weights and k features
// given.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tellerd::model {

struct Feature {
  std::uint16_t at = 0;  // 0 is the level: always given, with value 1
  double value = 0;
};

class OnlineLogistic {
 public:
  static constexpr double kMemory = 10'000;      // outcomes until a weight has forgotten about two thirds
  static constexpr double kPriorVariance = 0.1;  // of a weight
  static constexpr double kLevelVariance = 4;    // of the level at the start
  static constexpr double kLevelWander = 0.001;  // added to the level's variance an outcome
  static constexpr double kLevelAtFirst = -2;

  explicit OnlineLogistic(std::size_t features);
  double probability(std::span<const Feature> features) const noexcept;
  void learn(std::span<const Feature> features, bool is_positive) noexcept;
  std::size_t size() const noexcept { return weights_.size(); }
  double weight(std::size_t at) const { return weights_[at]; }

  std::string bytes() const;
  static OnlineLogistic of_bytes(std::string_view bytes, std::size_t features);  // new when they are of another size

 private:
  double& covariance(std::size_t row, std::size_t column) noexcept {  // column <= row
    return covariances_[row * (row + 1) / 2 + column];
  }
  double covariance(std::size_t row, std::size_t column) const noexcept {
    return row < column ? covariances_[column * (column + 1) / 2 + row] : covariances_[row * (row + 1) / 2 + column];
  }
  std::vector<double> weights_, covariances_, gain_;  // covariances: the lower triangle by rows
};

}  // namespace tellerd::model
