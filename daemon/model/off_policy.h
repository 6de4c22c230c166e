// What another policy would have earned, from choices logged with the probability each was made with: inverse
// propensity scoring (Horvitz and Thompson 1952) and its self-normalised form (Swaminathan and Joachims 2015). The 95 %
// intervals are clustered by customer: one customer's choices count as one observation. Pure.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace tellerd::model {

struct LoggedChoice {
  std::uint64_t customer = 0;
  double reward = 0;
  double probability = 0;  // with which it was chosen
  double target = 0;       // with which the other policy would have chosen the same
};

struct Estimate {
  double value = 0, low = 0, high = 0;
};

struct OffPolicy {
  std::size_t choices = 0, customers = 0, clipped = 0;  // clipped: logged with less than the least probability
  double effective = 0;                                 // (sum of weights)^2 / sum of squares: what they are worth
  Estimate ips, snips;
};

// A logged probability under `least` counts as `least`.
OffPolicy evaluate(std::span<const LoggedChoice> choices, double least = 0);
// The mean of rewards as logged, with the same kind of interval.
Estimate on_policy(std::span<const LoggedChoice> choices);
// Mean reward of the first less that of the second, customers apart.
Estimate lift(std::span<const LoggedChoice> treated, std::span<const LoggedChoice> control);

}  // namespace tellerd::model
