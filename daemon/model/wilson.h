// Wilson's interval of a share at 95 %: honest for few cases, never below 0 or above 1 (E. B. Wilson, 1927; Newcombe
// 1998, method 3). Pure.
#pragma once
#include <cmath>
#include <cstdint>

namespace tellerd::model {

struct Share {
  double share = 0, low = 0, high = 1;
};

// Of nothing nothing is known: from 0 to 1.
inline Share wilson(std::int64_t positives, std::int64_t all) noexcept {
  constexpr double kZ = 1.959963984540054;
  if (all <= 0) return {};
  const double n = static_cast<double>(all), share = static_cast<double>(positives) / n;
  const double middle = share + kZ * kZ / (2 * n);
  const double spread = kZ * std::sqrt(share * (1 - share) / n + kZ * kZ / (4 * n * n)), scale = 1 + kZ * kZ / n;
  return {share, std::fmax(0, (middle - spread) / scale), std::fmin(1, (middle + spread) / scale)};
}

}  // namespace tellerd::model
