#include "model/steady_math.h"

#include <cmath>

namespace tellerd::model {
namespace {

constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;
constexpr double kExpMax = 700;
constexpr int kExpTerms = 14, kLogTerms = 23;

}  // namespace

double steady_exp(double x) noexcept {
  if (x < -kExpMax) return 0;
  if (x > kExpMax) x = kExpMax;
  const int halvings = static_cast<int>(x / kLn2High + (x < 0 ? -0.5 : 0.5));
  const double rest = (x - halvings * kLn2High) - halvings * kLn2Low;
  double sum = 1;
  for (int term = kExpTerms; term > 0; --term) sum = 1 + rest / term * sum;  // Horner's form of the series
  return std::ldexp(sum, halvings);
}

// log(m * 2^e) with m near 1: twice the series of atanh((m - 1) / (m + 1)).
double steady_log(double x) noexcept {
  constexpr double kRootOfHalf = 0.70710678118654752440;
  int exponent = 0;
  double part = std::frexp(x, &exponent);
  if (part < kRootOfHalf) {
    part *= 2;
    --exponent;
  }
  const double ratio = (part - 1) / (part + 1), square = ratio * ratio;
  double sum = 0;
  for (int odd = kLogTerms; odd > 0; odd -= 2) sum = sum * square + 1.0 / odd;
  return exponent * kLn2High + (2 * ratio * sum + exponent * kLn2Low);
}

double steady_sigmoid(double margin) noexcept { return 1 / (1 + steady_exp(-margin)); }

}  // namespace tellerd::model
