// Training as a whole: plans, refusals, determinism, and a model that beats what anybody can do with a ruler.
#include <doctest/doctest.h>

#include "core/fault.h"
#include "model/churn_training.h"
#include "support/shoppers.h"

using namespace tellerd;
using namespace tellerd::model;

namespace {

constexpr core::Week kFirst = 2900, kRunning = 2960;

TrainingSettings small_settings() {
  TrainingSettings settings;
  settings.scope = {12, 12, 12, true};
  settings.booster.trees = 40;
  settings.booster.depth = 3;
  settings.booster.learning_rate = 0.1;
  return settings;
}

TrainingPlan plan_of(const TrainingSettings& settings, core::Week running = kRunning, core::Week first = kFirst) {
  auto planned = plan_training(settings, running, first);
  REQUIRE(std::holds_alternative<TrainingPlan>(planned));
  return std::get<TrainingPlan>(planned);
}

Trained trained_on(const std::vector<tests::Shopper>& all, const TrainingSettings& settings) {
  const auto plan = plan_of(settings);
  auto result =
      train_churn(plan, settings, tests::snapshots_of(all, plan, kRunning), {100, kRunning, kFirst, all.size(), 0});
  REQUIRE(std::holds_alternative<Trained>(result));
  return std::get<Trained>(result);
}

}  // namespace

TEST_SUITE("model.training") {
  TEST_CASE("the judged weeks lie a horizon after those learnt from, so that no label reaches into them") {
    const auto plan = plan_of(small_settings());
    CHECK(plan.is_by_time);
    CHECK(plan.last == std::vector<core::Week>{2948, 2946, 2944, 2942});
    CHECK(plan.judged == std::vector<core::Week>{2948, 2946});
    CHECK(plan.early == std::vector<core::Week>{2934, 2932, 2930, 2928});
    CHECK(plan.early.front() + 12 <= plan.judged.back());
    CHECK(plan.early_view_weeks == 30);  // 62 less 24 for the horizons and 8 for the steps
    CHECK(plan.scope.view_weeks == 44);  // 62 less 12 and 6: the model that scores looks from nearer
  }

  TEST_CASE("features, horizon and span never need more than the 62 weeks kept") {
    for (const int features : {1, 12, 26, 38, 50})
      for (const int horizon : {1, 4, 12}) {
        auto settings = small_settings();
        settings.scope = {features, horizon, features, true};
        settings.snapshots = 8;
        const auto plan = plan_of(settings, kRunning, kRunning - 200);
        CAPTURE(features);
        CAPTURE(horizon);
        CHECK(kRunning - plan.all().back() + plan.early_view_weeks <= 62);
        CHECK(kRunning - plan.last.back() + plan.scope.view_weeks <= 62);
        CHECK(plan.early_view_weeks <= plan.scope.view_weeks);
        for (const core::Week week : plan.judged) CHECK(kRunning - week + plan.early_view_weeks <= 62);
        CHECK(plan.scope.view_weeks >= features);
      }
  }

  TEST_CASE("a history too short for two horizons is judged on other customers, one too short for one is refused") {
    const auto settings = small_settings();
    CHECK_FALSE(plan_of(settings, kRunning, kRunning - 30).is_by_time);
    CHECK(plan_of(settings, kRunning, kRunning - 36).is_by_time);
    CHECK(plan_of(settings, kRunning, kRunning - 24).last.size() == 1);
    auto bits = settings;  // with full features BG/NBD would stand in
    bits.scope.is_full = false;
    const auto refused = plan_training(bits, kRunning, kRunning - 23);
    REQUIRE(std::holds_alternative<Refusal>(refused));
    CHECK(std::get<Refusal>(refused).why ==
          "history is too short for labels: 23 whole weeks of transactions are here, 24 are needed (12 to learn from "
          "and 12 to see who left)");
  }

  TEST_CASE("a missing class is refused with the counts") {
    std::vector<tests::Shopper> loyal(200);
    for (auto& shopper : loyal)
      for (core::Week week = kFirst; week <= kRunning; ++week) shopper.weeks.push_back(week);
    const auto settings = small_settings();
    const auto plan = plan_of(settings);
    const auto result = train_churn(plan, settings, tests::snapshots_of(loyal, plan, kRunning), {});
    REQUIRE(std::holds_alternative<Refusal>(result));
    CHECK(std::get<Refusal>(result).why ==
          "of the 800 customers to learn from, 0 left and 800 stayed: at least 30 of each are needed");
  }

  TEST_CASE("the same data and seed give the same model; another seed another") {
    const auto all = tests::shoppers(600, kFirst, kRunning);
    auto settings = small_settings();
    const auto first = trained_on(all, settings);
    CHECK(first.sealed == trained_on(all, settings).sealed);
    settings.booster.seed = 2;
    CHECK(first.sealed != trained_on(all, settings).sealed);
  }

  TEST_CASE("it ranks better than weeks since the last transaction, also on people of the future") {
    const auto all = tests::shoppers(1500, kFirst, kRunning + 12);
    const auto trained = trained_on(all, small_settings());
    REQUIRE(trained.judged.size() == 2);
    for (const auto& judged : trained.judged) {
      CHECK(judged.model.roc_auc > judged.recency_rule.roc_auc);
      CHECK(judged.model.log_loss < judged.majority.log_loss);
      CHECK(judged.majority.roc_auc == doctest::Approx(0.5));
    }
    const ChurnModel model(trained.sealed);
    std::vector<double> scores, recency;
    std::vector<char> left;
    for (const auto& shopper : all) {
      const auto view = live_view(tests::as_customer(shopper, kRunning), kRunning, {}, model.scope());
      if (!view.is_in_population) {
        CHECK(model.score(view) == kNotScored);
        continue;
      }
      scores.push_back(model.score(view));
      recency.push_back(std::countr_zero(view.weeks[gold::kTx]));
      left.push_back(shopper.weeks.back() <= kRunning);
    }
    CHECK(roc_auc(scores, left) > roc_auc(recency, left));
  }

  TEST_CASE("scope bits asks for the bits alone") {
    auto settings = small_settings();
    settings.scope.is_full = false;
    const ChurnModel model(trained_on(tests::shoppers(600, kFirst, kRunning), settings).sealed);
    CHECK_FALSE(model.scope().is_full);
    ChurnView view = live_view(tests::as_customer({{2940, 2955}}, kRunning), kRunning, {}, model.scope()),
              richer = view;
    richer.minor = 1'000'000;
    richer.tenure_weeks = 50;
    CHECK(model.margin(view) == model.margin(richer));
  }

  TEST_CASE("any flipped byte, a cut and a foreign document are refused") {
    const std::string sealed = trained_on(tests::shoppers(400, kFirst, kRunning), small_settings()).sealed;
    CHECK_NOTHROW(ChurnModel{sealed});
    for (std::size_t at = 0; at < sealed.size(); at += sealed.size() / 200 + 1) {
      std::string damaged = sealed;
      damaged[at] = static_cast<char>(damaged[at] ^ 1);
      CHECK_THROWS_AS(ChurnModel{damaged}, core::Fault);
    }
    CHECK_THROWS_AS(ChurnModel{sealed.substr(0, sealed.size() - 1)}, core::Fault);
    CHECK_THROWS_AS(ChurnModel{""}, core::Fault);
    CHECK_THROWS_AS(ChurnModel{seal("{}")}, core::Fault);
    CHECK_THROWS_AS(ChurnModel{seal("no JSON")}, core::Fault);
    CHECK_THROWS_AS(ChurnModel{seal(R"({"kind":"propensity","format":1})")}, core::Fault);
  }
}
