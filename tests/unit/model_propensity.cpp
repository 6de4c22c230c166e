// Expected values: moments of the Beta distribution and exact logarithms on paper; the limits of policy.md 2.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "model/metrics.h"
#include "model/propensity.h"
#include "model/steady_math.h"

using namespace tellerd::model;
using doctest::Approx;

namespace {

// A world of two columns whose meaning turns round half way.
struct World {
  explicit World(std::uint64_t seed) : draws(seed) {}
  std::vector<Feature> customer() {
    return {{0, 1}, {1, draws.uniform() * 2 - 1}, {2, draws.uniform() < 0.5 ? 1.0 : 0.0}};
  }
  bool answers(const std::vector<Feature>& of, double slope) {
    return draws.uniform() < steady_sigmoid(-1 + slope * of[1].value + of[2].value);
  }
  Draws draws;
};

}  // namespace

TEST_SUITE("model.propensity") {
  TEST_CASE("exp and log agree with the C library to the last digits") {
    for (double x = -40; x < 40; x += 0.37) {
      CHECK(steady_exp(x) == Approx(std::exp(x)).epsilon(4e-15));
      CHECK(steady_log(std::exp(x)) == Approx(x).epsilon(1e-13));
    }
    CHECK(steady_exp(-800) == 0);
    CHECK(steady_log(1) == 0);
    CHECK(steady_sigmoid(0) == 0.5);
  }

  TEST_CASE("the same seed draws the same, another seed something else") {
    Draws a(7), b(7), c(8);
    for (int at = 0; at < 100; ++at) {
      const double drawn = a.beta(3, 9);
      CHECK(drawn == b.beta(3, 9));
      CHECK(drawn != c.beta(3, 9));
    }
  }

  TEST_CASE("draws have the mean and the variance of Beta(1 + positives, 1 + negatives)") {
    for (const auto& [positives, negatives] : std::vector<std::pair<int, int>>{{0, 0}, {3, 40}, {199, 5000}}) {
      Draws draws(11);
      const double a = 1 + positives, b = 1 + negatives, n = 40'000;
      double sum = 0, squares = 0;
      for (int at = 0; at < n; ++at) {
        const double drawn = draws.beta(a, b);
        sum += drawn;
        squares += drawn * drawn;
      }
      const double mean = a / (a + b), variance = a * b / ((a + b) * (a + b) * (a + b + 1));
      CHECK(sum / n == Approx(mean).epsilon(0.02));
      CHECK(squares / n - (sum / n) * (sum / n) == Approx(variance).epsilon(0.05));
    }
  }

  TEST_CASE("under 200 positives it draws, from 200 on the model tells") {
    Propensity propensity(3);
    World world(1);
    while (propensity.positives() < kMatureAt - 1) {
      const auto of = world.customer();
      propensity.learn(of, world.answers(of, 2));
    }
    CHECK(propensity.is_drawn());
    propensity.learn(world.customer(), true);
    CHECK(propensity.positives() == kMatureAt);
    CHECK_FALSE(propensity.is_drawn());
  }

  TEST_CASE("it forgets: after the world has turned round, it follows") {
    Propensity propensity(3);
    World world(2);
    for (int at = 0; at < 20'000; ++at) {
      const auto of = world.customer();
      propensity.learn(of, world.answers(of, 2));
    }
    const std::vector<Feature> low{{0, 1}, {1, -1}, {2, 0}}, high{{0, 1}, {1, 1}, {2, 0}};
    CHECK(propensity.predicted(high) > 3 * propensity.predicted(low));
    for (int at = 0; at < 20'000; ++at) {
      const auto of = world.customer();
      propensity.learn(of, world.answers(of, -2));
    }
    CHECK(propensity.predicted(low) > 3 * propensity.predicted(high));
  }

  TEST_CASE("its probabilities mean what they say") {
    Propensity propensity(3);
    World world(3);
    std::vector<double> told;
    std::vector<char> answers;
    for (int at = 0; at < 30'000; ++at) {
      const auto of = world.customer();
      told.push_back(propensity.predicted(of));
      answers.push_back(world.answers(of, 2));
      propensity.learn(of, answers.back());
    }
    for (const auto& bin : calibration_curve(std::span(told).subspan(5'000), std::span(answers).subspan(5'000)))
      CHECK(std::fabs(bin.predicted - bin.observed) < 0.03);
  }

  TEST_CASE("noise is found to be no better than chance and is not used") {
    Propensity propensity(3);
    World world(4);
    for (int at = 0; at < 3'000; ++at) propensity.learn(world.customer(), world.draws.uniform() < 0.3);
    CHECK(propensity.positives() > kMatureAt);
    CHECK(propensity.auc() < 0.55);
    CHECK(propensity.is_drawn() == (propensity.health() == Health::kUseless));
  }

  TEST_CASE("the limits of health are the policy's, both sides") {
    CHECK(health_of(0.519) == Health::kUseless);
    CHECK(health_of(0.52) == Health::kWeak);
    CHECK(health_of(0.549) == Health::kWeak);
    CHECK(health_of(0.55) == Health::kUsual);
    CHECK(health_of(0.80) == Health::kUsual);
    CHECK(health_of(0.801) == Health::kStrong);
    CHECK(health_of(0.90) == Health::kStrong);
    CHECK(health_of(0.901) == Health::kSuspicious);
  }

  TEST_CASE("the running AUC is the AUC, within its bins") {
    RunningAuc running;
    World world(5);
    std::vector<double> told;
    std::vector<char> answers;
    for (int at = 0; at < 6'000; ++at) {
      const double probability = world.draws.uniform();
      told.push_back(probability);
      answers.push_back(world.draws.uniform() < probability);
      running.note(probability, answers.back());
    }
    CHECK(running.value() == Approx(roc_auc(told, answers)).epsilon(0.01));
  }

  TEST_CASE("a leak shows") {
    RunningAuc running;
    Draws draws(6);
    for (int at = 0; at < 1'000; ++at) {
      const bool is_positive = draws.uniform() < 0.3;
      running.note(is_positive ? 0.9 - draws.uniform() / 10 : 0.1 + draws.uniform() / 10, is_positive);
    }
    CHECK(health_of(running.value()) == Health::kSuspicious);
  }

  TEST_CASE("what was stored goes on exactly as what was not") {
    Propensity straight(3);
    World world(9);
    for (int at = 0; at < 500; ++at) {
      const auto of = world.customer();
      straight.learn(of, world.answers(of, 2));
    }
    Propensity restored(3);
    restored.restore(straight.positives(), straight.negatives(), straight.bytes());
    for (int at = 0; at < 500; ++at) {
      const auto of = world.customer();
      const bool answer = world.answers(of, 2);
      straight.learn(of, answer);
      restored.learn(of, answer);
    }
    CHECK(straight.bytes() == restored.bytes());
    CHECK(straight.positives() == restored.positives());
  }
}
