// Is a model still what it was when it was trained? How far the customers of today are from those it learnt from, and
// which figures are beyond the limits. Pure. Limits: policy.md 2 for ROC-AUC; the population stability index's usual
// steps (under 0.1 the same population, over 0.25 another); the mean may be a quarter off before somebody should know,
// which is what a season does (models.md).
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "model/churn_model.h"
#include "model/metrics.h"

namespace tellerd::model {

inline constexpr double kStabilityMax = 0.25, kAucUseless = 0.52, kAucSuspicious = 0.90, kLevelRatioMax = 1.25;
inline constexpr std::size_t kWatchedMin = 500;  // fewer customers tell nothing

struct Drift {
  double score = 0;                                      // index of the probabilities
  std::vector<std::pair<std::string, double>> features;  // of those the model looks at, the greatest first
};
// Against the sample that stands in the model's document.
Drift drift_of(const ChurnModel& model, const std::vector<ChurnView>& views);

// Words from a closed set, by spaces; empty is well. "drift": the scores are of another population.
std::string alarms_of(const Drift& drift, std::size_t customers);
// "useless" and "leak": the ranking is too bad, or too good to be true; "level": the mean is off.
std::string alarms_of(const Metrics& realised, double predicted_mean);

}  // namespace tellerd::model
