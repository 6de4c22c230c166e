#include "model/calibration.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/steady_math.h"

namespace tellerd::model {
namespace {

constexpr double kLeast = 0.0005, kMost = 0.9995;  // nothing is certain from a sample

struct Pool {
  double margin_sum = 0, hits = 0, rows = 0;
  double mean() const { return hits / rows; }
};

}  // namespace

std::string_view name_of(CalibrationKind kind) noexcept {
  switch (kind) {
    case CalibrationKind::kNone:
      return "none";
    case CalibrationKind::kPlatt:
      return "platt";
    case CalibrationKind::kIsotonic:
      return "isotonic";
  }
  return "none";
}

double sigmoid(double margin) noexcept { return steady_sigmoid(margin); }

double Calibration::probability(double margin) const noexcept {
  if (kind == CalibrationKind::kNone) return sigmoid(margin);
  if (kind == CalibrationKind::kPlatt) return sigmoid(slope * margin + shift);
  if (margin <= margins.front()) return probabilities.front();
  if (margin >= margins.back()) return probabilities.back();
  const auto above =
      static_cast<std::size_t>(std::upper_bound(margins.begin(), margins.end(), margin) - margins.begin());
  const double part = (margin - margins[above - 1]) / (margins[above] - margins[above - 1]);
  return probabilities[above - 1] + part * (probabilities[above] - probabilities[above - 1]);
}

Calibration fit_platt(std::span<const double> margins, std::span<const char> labels) {
  Calibration fitted;
  fitted.kind = CalibrationKind::kPlatt;
  const auto positives = static_cast<double>(std::count(labels.begin(), labels.end(), 1));
  const double negatives = static_cast<double>(labels.size()) - positives;
  const double high = (positives + 1) / (positives + 2), low = 1 / (negatives + 2);
  for (int round = 0; round < 50; ++round) {
    double slope_slope = 1e-9, slope_shift = 0, shift_shift = 1e-9, slope_step = 0, shift_step = 0;
    for (std::size_t at = 0; at < labels.size(); ++at) {
      const double p = sigmoid(fitted.slope * margins[at] + fitted.shift), weight = p * (1 - p),
                   error = p - (labels[at] ? high : low);
      slope_slope += weight * margins[at] * margins[at];
      slope_shift += weight * margins[at];
      shift_shift += weight;
      slope_step += error * margins[at];
      shift_step += error;
    }
    const double determinant = slope_slope * shift_shift - slope_shift * slope_shift;
    if (!(std::abs(determinant) > 1e-12)) break;
    const double slope = (shift_shift * slope_step - slope_shift * shift_step) / determinant;
    const double shift = (slope_slope * shift_step - slope_shift * slope_step) / determinant;
    fitted.slope -= slope;
    fitted.shift -= shift;
    if (std::abs(slope) + std::abs(shift) < 1e-9) break;
  }
  if (!(fitted.slope > 0) || !std::isfinite(fitted.slope) || !std::isfinite(fitted.shift))
    return {};  // it may not turn the ranking round
  return fitted;
}

Calibration fit_isotonic(std::span<const double> margins, std::span<const char> labels) {
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return margins[a] < margins[b]; });
  std::vector<Pool> pools;
  for (std::size_t at = 0; at < order.size();) {
    Pool pool;
    const double margin = margins[order[at]];
    for (; at < order.size() && margins[order[at]] == margin; ++at) {
      pool.margin_sum += margin;
      pool.hits += labels[order[at]] != 0;
      pool.rows += 1;
    }
    while (!pools.empty() && pools.back().mean() >= pool.mean()) {
      const Pool last = pools.back();
      pools.pop_back();
      pool = {pool.margin_sum + last.margin_sum, pool.hits + last.hits, pool.rows + last.rows};
    }
    pools.push_back(pool);
  }
  if (pools.size() < 2) return {};
  Calibration fitted;
  fitted.kind = CalibrationKind::kIsotonic;
  for (const Pool& pool : pools) {
    fitted.margins.push_back(pool.margin_sum / pool.rows);
    fitted.probabilities.push_back(std::clamp(pool.mean(), kLeast, kMost));
  }
  return fitted;
}

}  // namespace tellerd::model
