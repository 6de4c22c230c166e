// Arithmetic of measurements: percentiles, medians, ranges.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace tellerd::tellerctl::bench {

// Nearest rank: the smallest value that at least `share` of all values do not exceed; 0 without values.
inline double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(share * static_cast<double>(values.size()) - 1e-9);
  const auto at = std::clamp<double>(rank, 1, static_cast<double>(values.size()));
  return values[static_cast<std::size_t>(at) - 1];
}

// The middle value; between the two middle ones when their number is even. 0 without values.
inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

inline double least(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::min_element(values.begin(), values.end());
}
inline double greatest(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

}  // namespace tellerd::tellerctl::bench
