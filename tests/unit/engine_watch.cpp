// The watch in the fold: forecasts are written down at a week's start, and held against what happened once the horizon
// has passed. Expected figures come from counting the test's own payments.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include "support/branch.h"
#include "support/churn_models.h"

using namespace tellerd;
using tests::Branch;
using tests::id_of;
using tests::kMonday;
using tests::small_model;

namespace {

constexpr core::Instant kStart = kMonday + 30 * core::kWeek;
constexpr int kCustomers = 40;

std::string name(int customer) { return fmt::format("C{:02}", customer); }

// Everybody has paid in each of the last three weeks; a model scores them when the next week begins.
void begin(Branch& branch, int customers = kCustomers) {
  branch.at(kStart);
  for (int customer = 0; customer < customers; ++customer)
    for (int back = 3; back >= 1; --back) branch.pay(name(customer), 1000, kStart - back * core::kWeek + core::kHour);
  branch.log().model(small_model(0));
  branch.log().activate_model(id_of(small_model(0)));
  branch.log().tick();
  branch.at(kStart + core::kWeek + core::kMinute);
  branch.log().tick();
  branch.log().tick();
}

}  // namespace

TEST_SUITE("app.engine_watch") {
  TEST_CASE("a week that begins writes a forecast for each who is scored, as the score is then") {
    Branch branch("default");
    begin(branch);
    CHECK(
        branch.ask("SELECT count(*), count(DISTINCT week), min(model), min(horizon_weeks), min(recency), max(recency) "
                   "FROM churn_forecast") == fmt::format("{}|1|{}|12|2|2", kCustomers, id_of(small_model(0))));
    CHECK(branch.ask("SELECT count(*) FROM churn_forecast f JOIN gold_customer g ON g.id=f.customer WHERE "
                     "f.ppm<>g.churn_ppm") == "0");
    CHECK(branch.ask("SELECT week=(SELECT week FROM cursor), customers, alarms FROM churn_watch") ==
          fmt::format("1|{}|", kCustomers));
    CHECK(branch.ask("SELECT watch_week FROM churn_fold") == "0");
  }

  TEST_CASE("when the horizon has passed, outcomes stand beside what was predicted, and the forecasts are gone") {
    Branch branch("default");
    begin(branch);
    const core::Instant forecast_us = kStart + core::kWeek;
    const std::string predicted = branch.ask("SELECT sum(ppm) FROM churn_forecast");
    const double mean = std::stod(predicted) / 1e6 / kCustomers;
    // A quarter comes back in the horizon's last week, one customer a moment after it.
    branch.at(forecast_us + 11 * core::kWeek + core::kHour);
    for (int customer = 0; customer < kCustomers; customer += 4) branch.pay(name(customer), 1000);
    CHECK(branch.ask("SELECT count(*) FROM churn_realised") == "0");
    branch.at(forecast_us + 12 * core::kWeek + core::kMinute);
    branch.pay(name(1), 1000);
    for (int tick = 0; tick < 3; ++tick) branch.log().tick();
    CHECK(branch.ask("SELECT customers, left_customers, horizon_weeks FROM mart_model_outcome ORDER BY as_of LIMIT "
                     "1") == fmt::format("{}|{}|12", kCustomers, kCustomers * 3 / 4));
    CHECK(std::stod(branch.ask("SELECT predicted_mean FROM mart_model_outcome ORDER BY as_of LIMIT 1")) ==
          doctest::Approx(mean));
    CHECK(branch.ask("SELECT min(week)>(SELECT min(week) FROM churn_realised) FROM churn_forecast") == "1");
  }

  TEST_CASE("a sleep longer than the bits drops the forecasts unjudged") {
    Branch branch("default");
    begin(branch);
    branch.at(kStart + 70 * core::kWeek);
    branch.pay(name(0), 1000);
    for (int tick = 0; tick < 3; ++tick) branch.log().tick();
    CHECK(branch.ask("SELECT (SELECT count(*) FROM churn_realised), count(*) FROM churn_forecast WHERE week<(SELECT "
                     "week FROM cursor)") == "0|0");
  }

  TEST_CASE("a joined customer's forecast is left out") {
    Branch branch("default");
    begin(branch);
    wire::Alias alias;
    alias.other_system = "";
    alias.other_key = "C01";
    branch.tell("C00", alias);
    branch.at(kStart + 13 * core::kWeek + core::kMinute);
    for (int tick = 0; tick < 3; ++tick) branch.log().tick();
    CHECK(branch.ask("SELECT customers FROM churn_realised") == std::to_string(kCustomers - 1));
  }

  TEST_CASE("a stop in the middle of the weekly pass changes nothing") {
    tests::LogMaker log(ingest::ClockMode::kWall);
    log.pack("default");
    log.arrive_at(kStart);
    int ids = 0;
    const auto pay = [&](int customer, core::Instant at) {
      wire::Event event;
      const std::string id = fmt::format("E{}", ++ids), key = name(customer);
      event.id = id;
      event.customer = key;
      event.occurred_us = at;
      event.body = wire::Transaction{1000, "RUB", "debit", 0, "", "", ""};
      log.event(event);
    };
    for (int customer = 0; customer < 300; ++customer) pay(customer, kStart - core::kWeek);
    log.model(small_model(0));
    log.activate_model(id_of(small_model(0)));
    log.tick();
    log.arrive_at(kStart + core::kWeek + core::kMinute);
    for (int customer = 0; customer < 8; ++customer) pay(customer, log.received_us());
    log.arrive_at(kStart + 13 * core::kWeek + core::kMinute);
    for (int customer = 0; customer < 8; ++customer) pay(customer, log.received_us());
    log.tick();
    const tests::ScratchFolder folder;
    tests::Fold whole(log, folder / "whole.db"), cut(log, folder / "cut.db");
    whole.apply_all();
    while (cut.has_next()) {
      cut.apply_next();
      cut.flush();
      cut.restart();
    }
    cut.flush();
    CHECK(tests::differences(cut, whole).empty());
    CHECK(whole.ask("SELECT count(*) FROM churn_realised") == "1");
  }
}
