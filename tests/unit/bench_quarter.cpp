// A short quarter: what the learning policy earns beside rules only and random (bench quarter lives through whole
// ones).
#include <doctest/doctest.h>

#include <cmath>

#include "decide/pack_files.h"
#include "tellerctl/bench/quarter.h"

using namespace tellerd;
using namespace tellerd::tellerctl::bench;

TEST_SUITE("bench.quarter") {
  TEST_CASE("the same seed lives the same quarter") {
    const auto pack = decide::read_pack_files("default");
    const QuarterOptions options{7, 5, 200, 40};
    const Quarter one = live_quarter(pack, Policy::kLearning, options),
                  two = live_quarter(pack, Policy::kLearning, options);
    CHECK(one.accepted_minor == two.accepted_minor);
    CHECK(one.contacts == two.contacts);
    CHECK(one.contacts + one.silent == 200);
    CHECK(one.silent > 0);  // the holdout
  }

  TEST_CASE(
      "even in a short quarter, with its arms paid for, the learning policy earns more than rules only and random") {
    const auto pack = decide::read_pack_files("default");
    std::vector<Quarter> learning, rules, random;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const QuarterOptions options{seed, 45, 1'000, 150};
      learning.push_back(live_quarter(pack, Policy::kLearning, options));
      rules.push_back(live_quarter(pack, Policy::kRules, options));
      random.push_back(live_quarter(pack, Policy::kRandom, options));
    }
    CHECK(compare(learning, rules).mean_minor > 0);
    CHECK(compare(learning, random).mean_minor > 0);
  }

  TEST_CASE("the interval of a difference is Student's") {
    const std::vector<Quarter> a{{10}, {12}, {14}}, b{{9}, {9}, {9}};
    const Compared found = compare(a, b);  // differences 1, 3, 5: mean 3, deviation 2
    CHECK(found.mean_minor == doctest::Approx(3));
    CHECK(found.high_minor == doctest::Approx(3 + 4.303 * 2 / std::sqrt(3.0)));
    CHECK(found.low_minor == doctest::Approx(3 - 4.303 * 2 / std::sqrt(3.0)));
  }
}
