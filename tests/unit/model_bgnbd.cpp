// BG/NBD: the formula on paper, parameters found again from habits drawn by the model's own story, and churn models
// made of it where history is too short for labels.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "model/bgnbd.h"
#include "model/reasons.h"
#include "support/shoppers.h"

using namespace tellerd;
using namespace tellerd::model;

namespace {

const Bgnbd kPublished{0.243, 4.414, 0.793, 2.426};  // CDNOW, weeks (Fader, Hardie, Lee 2005)

// Customers come with a rate from Gamma(r, alpha) and stop after a visit with a chance from Beta(a, b).
std::vector<Habit> drawn(const Bgnbd& of, std::size_t count, double age, double age_min) {
  std::mt19937_64 chance(11);
  std::gamma_distribution<double> rates(of.r, 1 / of.alpha), a(of.a, 1), b(of.b, 1);
  std::exponential_distribution<double> unit(1);
  std::uniform_real_distribution<double> share(0, 1);
  std::vector<Habit> habits(count);
  for (Habit& habit : habits) {
    const double rate = rates(chance), x = a(chance), y = b(chance), stops = x / (x + y);
    habit.age = age_min + (age - age_min) * share(chance);
    for (double at = unit(chance) / rate; at < habit.age; at += unit(chance) / rate) {
      ++habit.repeats;
      habit.latest = at;
      if (share(chance) < stops) break;
    }
  }
  return habits;
}

constexpr core::Week kFirst = 2900, kRunning = 2915;

TrainingSettings settings_of(bool is_full = true) {
  TrainingSettings settings;
  settings.scope = {12, 12, 12, is_full};
  return settings;
}

}  // namespace

TEST_SUITE("model.bgnbd") {
  TEST_CASE("whoever came once is alive for sure, and leaves as the gamma tail says") {
    const Habit once{0, 0, 20};
    CHECK(kPublished.alive(once) == 1);
    CHECK(kPublished.leaves(once, 13) == doctest::Approx(std::pow((4.414 + 20) / (4.414 + 33), 0.243)));
  }

  TEST_CASE("a worked customer: two repeats in 30 weeks, the last in week 26") {
    // P(alive) on paper: 1 / (1 + 0.793/3.426 * (34.414/30.414)^2.243) = 0.7661; rest as the formula says.
    const Habit habit{2, 26, 30};
    const double alive = 1 / (1 + 0.793 / 3.426 * std::pow(34.414 / 30.414, 2.243));
    CHECK(alive == doctest::Approx(0.7658).epsilon(0.001));
    CHECK(kPublished.alive(habit) == doctest::Approx(alive));
    CHECK(kPublished.leaves(habit, 13) ==
          doctest::Approx(1 - alive * (1 - std::pow(34.414 / 47.414, 2.243))).epsilon(1e-9));
  }

  TEST_CASE("a long silence of a frequent customer means more than that of a rare one") {
    CHECK(kPublished.leaves({10, 14, 30}, 13) > kPublished.leaves({2, 14, 30}, 13));
    CHECK(kPublished.leaves({10, 29, 30}, 13) < kPublished.leaves({2, 29, 30}, 13));
  }

  TEST_CASE("its likelihood is the chance of what its own story brings about") {
    // For x = 0 the chance is (alpha / (alpha + T))^r, whatever a and b are.
    CHECK(kPublished.log_likelihood({0, 0, 39}) == doctest::Approx(0.243 * std::log(4.414 / 43.414)));
    // For x = 1, over t_x in (0, T), against the share among customers drawn.
    const double age = 10;
    double sum = 0;
    for (int step = 0; step < 2000; ++step)
      sum += std::exp(kPublished.log_likelihood({1, (step + 0.5) * age / 2000, age})) * age / 2000;
    const auto habits = drawn(kPublished, 200'000, age, age);
    const auto once = std::count_if(habits.begin(), habits.end(), [](const Habit& one) { return one.repeats == 1; });
    CHECK(static_cast<double>(once) / 200'000 == doctest::Approx(sum).epsilon(0.03));
  }

  TEST_CASE("parameters of drawn customers are found again") {
    const auto fitted = fit_bgnbd(drawn(kPublished, 60'000, 39, 20));
    REQUIRE(fitted.has_value());
    CHECK(fitted->r == doctest::Approx(0.243).epsilon(0.1));
    CHECK(fitted->alpha == doctest::Approx(4.414).epsilon(0.15));
    CHECK(fitted->a / (fitted->a + fitted->b) == doctest::Approx(0.793 / 3.219).epsilon(0.15));
  }

  TEST_CASE("habits that tell nothing give no model") {
    CHECK_FALSE(fit_bgnbd({}).has_value());
    CHECK_FALSE(fit_bgnbd(std::vector<Habit>(500, Habit{0, 0, 8})).has_value());
  }

  TEST_CASE("where history is too short for labels a plan names BG/NBD, for full features and from four weeks on") {
    const auto plan_at = [](core::Week running, bool is_full) {
      return plan_training(settings_of(is_full), running, kFirst);
    };
    REQUIRE(std::holds_alternative<TrainingPlan>(plan_at(kFirst + 4, true)));
    CHECK(std::get<TrainingPlan>(plan_at(kFirst + 4, true)).is_young);
    CHECK(std::get<TrainingPlan>(plan_at(kFirst + 23, true)).is_young);
    CHECK_FALSE(std::get<TrainingPlan>(plan_at(kFirst + 24, true)).is_young);
    CHECK(std::holds_alternative<Refusal>(plan_at(kFirst + 3, true)));
    CHECK(std::holds_alternative<Refusal>(plan_at(kFirst + 23, false)));
  }

  TEST_CASE("the model says what it is, ranks better than chance on those who will leave, and gives its reasons") {
    const auto all = tests::shoppers(1500, kFirst, kRunning + 12);
    const auto settings = settings_of();
    const auto plan = std::get<TrainingPlan>(plan_training(settings, kRunning, kFirst));
    model::Snapshot now{kRunning, {}};
    std::uint32_t id = 0;
    for (const auto& shopper : all) {
      const auto view = live_view(tests::as_customer(shopper, kRunning), kRunning, {}, plan.scope);
      if (++id; view.is_in_population) now.examples.push_back({id, view, false});
    }
    const auto result = train_churn(plan, settings, {now}, {1, kRunning, kFirst, all.size(), 0});
    REQUIRE(std::holds_alternative<Trained>(result));
    CHECK(std::get<Trained>(result).judged.empty());
    const ChurnModel model(std::get<Trained>(result).sealed);
    CHECK(model.method() == "bgnbd");
    CHECK_FALSE(model.has_labels());
    std::vector<double> scores;
    std::vector<char> left;
    std::size_t silent = 0;
    for (const Example& example : now.examples) {
      scores.push_back(model.probability(example.view));
      left.push_back(all[example.customer - 1].weeks.back() < kRunning);
      const auto reasons = reasons_of(model, example.view);
      const int recency = gaps_of(example.view.weeks[gold::kTx]).recency;
      if (recency > 5 && scores.back() > 0.6) {
        ++silent;
        CHECK(reasons.starts_with("CH-"));
      }
    }
    CHECK(silent > 2);
    CHECK(roc_auc(scores, left) > 0.7);
  }

  TEST_CASE("too few who came again are refused with their number") {
    const auto all = tests::shoppers(20, kFirst, kRunning);
    const auto settings = settings_of();
    const auto plan = std::get<TrainingPlan>(plan_training(settings, kRunning, kFirst));
    model::Snapshot now{kRunning, {}};
    std::uint32_t id = 0;
    for (const auto& shopper : all)
      now.examples.push_back({++id, live_view(tests::as_customer(shopper, kRunning), kRunning, {}, plan.scope), false});
    const auto result = train_churn(plan, settings, {now}, {});
    REQUIRE(std::holds_alternative<Refusal>(result));
    CHECK(std::get<Refusal>(result).why.find("at least 30 are needed for BG/NBD") != std::string::npos);
  }
}
