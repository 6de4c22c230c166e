// Expected values on paper, and from a world whose truth is known.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "model/draws.h"
#include "model/off_policy.h"

using namespace tellerd::model;
using doctest::Approx;

namespace {

// Customers who differ, see one to six choices of three actions, and are alike within themselves. The logging policy
// takes action k with kLogged[k], the other one with kTarget[k]; the reward's mean is kMean[k], moved by the customer.
constexpr double kLogged[] = {0.6, 0.3, 0.1}, kTarget[] = {0.2, 0.3, 0.5}, kMean[] = {0.2, 0.4, 0.6};
constexpr double kTruth = 0.2 * 0.2 + 0.3 * 0.4 + 0.5 * 0.6;

std::vector<LoggedChoice> log_of(std::uint64_t seed, std::size_t customers) {
  Draws draws(seed);
  std::vector<LoggedChoice> log;
  for (std::size_t customer = 1; customer <= customers; ++customer) {
    const double moved = (draws.uniform() - 0.5) * 0.3;
    for (std::uint64_t left = 1 + draws.below(6); left > 0; --left) {
      const double u = draws.uniform();
      const std::size_t action = u < kLogged[0] ? 0 : u < kLogged[0] + kLogged[1] ? 1 : 2;
      const double reward = draws.uniform() < kMean[action] + moved ? 1 : 0;
      log.push_back({customer, reward, kLogged[action], kTarget[action]});
    }
  }
  return log;
}

}  // namespace

TEST_SUITE("model.off_policy") {
  TEST_CASE("four choices on paper") {
    const std::vector<LoggedChoice> log{{1, 1, 0.5, 0.25}, {1, 0, 0.5, 0.75}, {2, 1, 0.25, 0.5}, {3, 0, 0.25, 0}};
    const auto result = evaluate(log);
    CHECK(result.choices == 4);
    CHECK(result.customers == 3);
    // weights 0.5, 1.5, 2, 0: earned 2.5
    CHECK(result.ips.value == Approx(2.5 / 4));
    CHECK(result.snips.value == Approx(2.5 / 4.0));
    CHECK(result.effective == Approx(16 / 6.5));
    // IPS residuals of customers: (0.5 - 0.625) + (0 - 0.625), 2 - 0.625, -0.625; sqrt(sum of squares * 3/2) / 4
    const double error = std::sqrt((0.75 * 0.75 + 1.375 * 1.375 + 0.625 * 0.625) * 1.5) / 4;
    CHECK(result.ips.high == Approx(0.625 + 1.959963984540054 * error));
    CHECK(result.ips.low == Approx(0.625 - 1.959963984540054 * error));
  }

  TEST_CASE("the policy that logged is worth what was logged") {
    auto log = log_of(1, 500);
    for (auto& one : log) one.target = one.probability;
    const auto result = evaluate(log);
    CHECK(result.ips.value == Approx(on_policy(log).value));
    CHECK(result.snips.high == Approx(on_policy(log).high));
    CHECK(result.effective == Approx(static_cast<double>(log.size())));
  }

  TEST_CASE("a probability under the least counts as the least, and is counted") {
    const std::vector<LoggedChoice> log{{1, 1, 0.001, 0.5}, {2, 1, 0.5, 0.5}};
    CHECK(evaluate(log, 0.05).clipped == 1);
    CHECK(evaluate(log, 0.05).ips.value == Approx((10 + 1) / 2.0));
    CHECK(evaluate({}).ips.value == 0);
  }

  TEST_CASE("in a thousand worlds the interval covers the truth 93 to 97 times in a hundred") {
    int ips = 0, snips = 0;
    for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
      const auto result = evaluate(log_of(seed * 7919, 400));
      ips += result.ips.low <= kTruth && kTruth <= result.ips.high;
      snips += result.snips.low <= kTruth && kTruth <= result.snips.high;
    }
    CHECK(ips >= 930);
    CHECK(ips <= 970);
    CHECK(snips >= 930);
    CHECK(snips <= 970);
  }

  TEST_CASE("taken for strangers, a customer's choices would promise too narrow an interval") {
    auto log = log_of(3, 2'000);
    for (auto& one : log) one.reward += static_cast<double>(one.customer % 2);  // alike within a customer
    const auto clustered = on_policy(log);
    std::uint64_t stranger = 0;
    for (auto& one : log) one.customer = ++stranger;
    const auto apart = on_policy(log);
    CHECK(clustered.high - clustered.low > 1.2 * (apart.high - apart.low));
  }
}
