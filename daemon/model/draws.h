// Random draws that follow from a seed and a counter alone (SplitMix64, Steele et al. 2014), so that a decision made
// again draws the same. The seed is the decision's identity. Pure; the numbers are the same on every machine.
#pragma once
#include <cstdint>

namespace tellerd::model {

class Draws {
 public:
  explicit Draws(std::uint64_t seed) noexcept : seed_(seed) {}
  std::uint64_t next() noexcept;
  double uniform() noexcept;                                // in (0, 1), never an end
  std::uint64_t below(std::uint64_t count) noexcept;        // 0 to count - 1, count at least 1
  double normal() noexcept;                                 // Marsaglia's polar method
  double gamma(double shape) noexcept;                      // shape at least 1; Marsaglia and Tsang 2000
  double beta(double successes, double failures) noexcept;  // both at least 1

 private:
  std::uint64_t seed_, counter_ = 0;
};

}  // namespace tellerd::model
