#include "model/online_logistic.h"

#include <cmath>
#include <cstring>

#include "model/steady_math.h"

namespace tellerd::model {

OnlineLogistic::OnlineLogistic(std::size_t features)
    : weights_(features), covariances_(features * (features + 1) / 2), gain_(features) {
  for (std::size_t at = 0; at < features; ++at) covariance(at, at) = kPriorVariance;
  covariance(0, 0) = kLevelVariance;
  weights_[0] = kLevelAtFirst;
}

double OnlineLogistic::probability(std::span<const Feature> features) const noexcept {
  constexpr double kPi = 3.14159265358979323846;
  double margin = 0, variance = 0;
  for (const Feature& one : features) {
    margin += weights_[one.at] * one.value;
    const auto& self = static_cast<const OnlineLogistic&>(*this);
    for (const Feature& other : features) variance += one.value * other.value * self.covariance(one.at, other.at);
  }
  if (variance < 0) variance = 0;
  return steady_sigmoid(margin / std::sqrt(1 + kPi / 8 * variance));  // MacKay 1992
}

void OnlineLogistic::learn(std::span<const Feature> features, bool is_positive) noexcept {
  constexpr double kKept = 1 - 1 / kMemory, kGivenBack = (1 - kKept * kKept) * kPriorVariance;
  const auto& self = static_cast<const OnlineLogistic&>(*this);
  // Forgetting: the level keeps its place and grows unsure, the others go back towards the prior.
  covariances_[0] += kLevelWander;
  for (std::size_t row = 1; row < weights_.size(); ++row) {
    weights_[row] *= kKept;
    covariance(row, 0) *= kKept;
    for (std::size_t column = 1; column <= row; ++column) covariance(row, column) *= kKept * kKept;
    covariance(row, row) += kGivenBack;
  }
  double margin = 0, variance = 0;
  for (std::size_t row = 0; row < weights_.size(); ++row) {
    gain_[row] = 0;
    for (const Feature& one : features) gain_[row] += self.covariance(row, one.at) * one.value;
  }
  for (const Feature& one : features) {
    margin += weights_[one.at] * one.value;
    variance += gain_[one.at] * one.value;
  }
  const double expected = steady_sigmoid(margin), slope = expected * (1 - expected), share = 1 / (1 + slope * variance),
               error = (is_positive ? 1.0 : 0.0) - expected;
  for (std::size_t row = 0; row < weights_.size(); ++row) {
    weights_[row] += gain_[row] * share * error;
    for (std::size_t column = 0; column <= row; ++column)
      covariance(row, column) -= gain_[row] * gain_[column] * (slope * share);
  }
}

std::string OnlineLogistic::bytes() const {
  std::string out((weights_.size() + covariances_.size()) * sizeof(double), '\0');
  std::memcpy(out.data(), weights_.data(), weights_.size() * sizeof(double));
  std::memcpy(out.data() + weights_.size() * sizeof(double), covariances_.data(), covariances_.size() * sizeof(double));
  return out;
}

OnlineLogistic OnlineLogistic::of_bytes(std::string_view bytes, std::size_t features) {
  OnlineLogistic model(features);
  const std::size_t weights = features * sizeof(double), all = weights + model.covariances_.size() * sizeof(double);
  if (bytes.size() != all) return model;
  std::memcpy(model.weights_.data(), bytes.data(), weights);
  std::memcpy(model.covariances_.data(), bytes.data() + weights, all - weights);
  return model;
}

}  // namespace tellerd::model
