#include "model/draws.h"

#include <cmath>

#include "model/steady_math.h"

namespace tellerd::model {

std::uint64_t Draws::next() noexcept {
  std::uint64_t mixed = seed_ + ++counter_ * 0x9E3779B97F4A7C15ull;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ull;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBull;
  return mixed ^ (mixed >> 31);
}

double Draws::uniform() noexcept { return (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53; }

// The high half of a 32 by 32 bit product; the unevenness is under count / 2^32.
std::uint64_t Draws::below(std::uint64_t count) noexcept { return ((next() >> 32) * count) >> 32; }

double Draws::normal() noexcept {
  for (;;) {
    const double across = 2 * uniform() - 1, up = 2 * uniform() - 1, length = across * across + up * up;
    if (length < 1 && length > 0) return across * std::sqrt(-2 * steady_log(length) / length);
  }
}

double Draws::gamma(double shape) noexcept {
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal();
    double v = 1 + c * x;
    if (v <= 0) continue;
    v = v * v * v;
    const double u = uniform(), square = x * x;
    if (u < 1 - 0.0331 * square * square) return d * v;
    if (steady_log(u) < 0.5 * square + d * (1 - v + steady_log(v))) return d * v;
  }
}

double Draws::beta(double successes, double failures) noexcept {
  const double good = gamma(successes), bad = gamma(failures);
  return good / (good + bad);
}

}  // namespace tellerd::model
