// How good a set of probabilities was, once it is known what happened. Ties share their rank. Pure.
// ROC-AUC by ranks (Mann-Whitney), PR-AUC as average precision, both as scikit-learn computes them.
#pragma once
#include <span>
#include <vector>

namespace tellerd::model {

struct Metrics {
  std::size_t rows = 0, positives = 0;
  double roc_auc = 0, pr_auc = 0;
  double lift_10 = 0;  // share of positives among the top tenth, over their share in all
  double log_loss = 0;
};

struct CalibrationBin {
  std::size_t rows = 0;
  double predicted = 0, observed = 0;  // means
};

double roc_auc(std::span<const double> scores, std::span<const char> labels);
double log_loss(std::span<const double> probabilities, std::span<const char> labels);
Metrics metrics_of(std::span<const double> probabilities, std::span<const char> labels);
// Ten bins of equal size by rank, lowest first; fewer when there are fewer rows.
std::vector<CalibrationBin> calibration_curve(std::span<const double> probabilities, std::span<const char> labels);
// Population stability index of two samples over deciles of the first: under 0.1 stable, over 0.25 another population.
double stability_index(std::span<const double> before, std::span<const double> after);

}  // namespace tellerd::model
