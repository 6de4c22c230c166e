#include "model/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tellerd::model {
namespace {

constexpr double kLeast = 1e-6;  // so that one sure error is not an infinite loss
constexpr std::size_t kBins = 10;

std::vector<std::size_t> by_score(std::span<const double> scores, bool is_descending) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return is_descending ? scores[a] > scores[b] : scores[a] < scores[b];
  });
  return order;
}

// Calls visit(rows, positives) for each set of equal scores, in the order given.
template <class Visit>
void each_tie(std::span<const double> scores, std::span<const char> labels, const std::vector<std::size_t>& order,
              Visit&& visit) {
  for (std::size_t at = 0; at < order.size();) {
    std::size_t rows = 0, positives = 0;
    const double score = scores[order[at]];
    for (; at < order.size() && scores[order[at]] == score; ++at, ++rows) positives += labels[order[at]] != 0;
    visit(rows, positives);
  }
}

std::size_t positives_of(std::span<const char> labels) {
  return static_cast<std::size_t>(std::count_if(labels.begin(), labels.end(), [](char label) { return label != 0; }));
}

double average_precision(std::span<const double> scores, std::span<const char> labels) {
  const auto positives = static_cast<double>(positives_of(labels));
  if (positives == 0) return 0;
  double found = 0, seen = 0, area = 0;
  each_tie(scores, labels, by_score(scores, true), [&](std::size_t rows, std::size_t hits) {
    seen += static_cast<double>(rows);
    found += static_cast<double>(hits);
    area += static_cast<double>(hits) / positives * (found / seen);
  });
  return area;
}

// Rows of one score at the edge of the tenth count by their mean.
double lift_of_top_tenth(std::span<const double> scores, std::span<const char> labels) {
  const double rows = static_cast<double>(labels.size()), share = static_cast<double>(positives_of(labels)) / rows;
  const double wanted = std::max(1.0, std::floor(rows / 10));
  double left = wanted, hits = 0;
  each_tie(scores, labels, by_score(scores, true), [&](std::size_t tied, std::size_t positives) {
    const double taken = std::min(left, static_cast<double>(tied));
    hits += taken * static_cast<double>(positives) / static_cast<double>(tied);
    left -= taken;
  });
  return share > 0 ? hits / wanted / share : 0;
}

}  // namespace

double roc_auc(std::span<const double> scores, std::span<const char> labels) {
  const auto positives = static_cast<double>(positives_of(labels));
  const double negatives = static_cast<double>(labels.size()) - positives;
  if (positives == 0 || negatives == 0) return 0.5;
  double below = 0, wins = 0;
  each_tie(scores, labels, by_score(scores, false), [&](std::size_t rows, std::size_t hits) {
    const double misses = static_cast<double>(rows - hits);
    wins += static_cast<double>(hits) * (below + misses / 2);
    below += misses;
  });
  return wins / (positives * negatives);
}

double log_loss(std::span<const double> probabilities, std::span<const char> labels) {
  double loss = 0;
  for (std::size_t at = 0; at < labels.size(); ++at) {
    const double p = std::clamp(probabilities[at], kLeast, 1 - kLeast);
    loss -= labels[at] ? std::log(p) : std::log(1 - p);
  }
  return labels.empty() ? 0 : loss / static_cast<double>(labels.size());
}

Metrics metrics_of(std::span<const double> probabilities, std::span<const char> labels) {
  Metrics found;
  found.rows = labels.size();
  if (labels.empty()) return found;
  found.positives = positives_of(labels);
  found.roc_auc = roc_auc(probabilities, labels);
  found.pr_auc = average_precision(probabilities, labels);
  found.lift_10 = lift_of_top_tenth(probabilities, labels);
  found.log_loss = log_loss(probabilities, labels);
  return found;
}

std::vector<CalibrationBin> calibration_curve(std::span<const double> probabilities, std::span<const char> labels) {
  const auto order = by_score(probabilities, false);
  const std::size_t count = std::min(kBins, order.size());
  std::vector<CalibrationBin> bins(count);
  for (std::size_t bin = 0; bin < count; ++bin) {
    const std::size_t begin = bin * order.size() / count, end = (bin + 1) * order.size() / count;
    for (std::size_t at = begin; at < end; ++at) {
      bins[bin].predicted += probabilities[order[at]];
      bins[bin].observed += labels[order[at]] != 0;
    }
    bins[bin].rows = end - begin;
    bins[bin].predicted /= static_cast<double>(end - begin);
    bins[bin].observed /= static_cast<double>(end - begin);
  }
  return bins;
}

double stability_index(std::span<const double> before, std::span<const double> after) {
  if (before.empty() || after.empty()) return 0;
  std::vector<double> sorted(before.begin(), before.end()), edges;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t bin = 1; bin < kBins; ++bin) {
    const double edge = sorted[bin * sorted.size() / kBins];
    if (edges.empty() || edge > edges.back()) edges.push_back(edge);
  }
  auto shares = [&](std::span<const double> sample) {
    std::vector<double> share(edges.size() + 1, 0.0);
    for (const double value : sample)
      share[static_cast<std::size_t>(std::upper_bound(edges.begin(), edges.end(), value) - edges.begin())] += 1;
    for (double& one : share) one = std::max(one / static_cast<double>(sample.size()), 1e-4);
    return share;
  };
  const auto was = shares(before), is = shares(after);
  double index = 0;
  for (std::size_t bin = 0; bin < was.size(); ++bin) index += (is[bin] - was[bin]) * std::log(is[bin] / was[bin]);
  return index;
}

}  // namespace tellerd::model
