// A quarter of a branch, made up: customers who differ in what they accept, desks that reach so many of them a day, and
// tastes that drift. The same quarter is lived through under three policies. Deterministic by seed.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "decide/pack.h"

namespace tellerd::tellerctl::bench {

enum class Policy : std::uint8_t { kLearning, kRules, kRandom };

struct QuarterOptions {
  std::uint64_t seed = 1;
  int days = 91, customers = 3'000, contacts_a_day = 150;
};

struct Quarter {
  double accepted_minor = 0;  // value of what was accepted, cost of contacts and discounts taken off
  std::int64_t contacts = 0, accepted = 0, silent = 0;
};

// `pack` chooses; the learning policy has its arms as they are, the others have none (rules) or one (random).
Quarter live_quarter(const decide::PackFiles& pack, Policy policy, const QuarterOptions& options);

struct Compared {  // of means over seeds, learning less the other, with a 95 % interval (Student)
  double mean_minor = 0, low_minor = 0, high_minor = 0;
};
Compared compare(const std::vector<Quarter>& learning, const std::vector<Quarter>& other);

}  // namespace tellerd::tellerctl::bench
