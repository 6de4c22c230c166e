// Churn in the fold: models and activations as records, scores in the turn, states with hysteresis, damaged models.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "core/fault.h"
#include "deliver/queue_record.h"
#include "model/churn_features.h"
#include "model/reasons.h"
#include "support/branch.h"
#include "support/churn_models.h"
#include "support/world.h"

using namespace tellerd;
using tests::Branch;
using tests::id_of;
using tests::kMonday;
using tests::small_model;

namespace {

const char* const kScore = "SELECT probability FROM mart_churn WHERE customer_key='A'";
const char* const kState = "SELECT state FROM mart_churn WHERE customer_key='A'";

decide::PackFiles pack_with_thresholds(const std::string& threshold, const std::string& leave) {
  auto files = decide::read_pack_files("default");
  std::string& text = files["churn.toml"];
  auto put = [&](const std::string& from, const std::string& to) { text.replace(text.find(from), from.size(), to); };
  put("at_risk_threshold = 0.6", "at_risk_threshold = " + threshold);
  put("at_risk_leave = 0.5", "at_risk_leave = " + leave);
  return files;
}

// Pays every week for `weeks` weeks up to `until`.
void pay_weekly(Branch& branch, const char* customer, core::Instant until, int weeks) {
  for (int back = weeks; back >= 1; --back) branch.pay(customer, 1000, until - back * core::kWeek + core::kHour);
}

void use_model(Branch& branch, std::size_t which) {
  branch.log().model(small_model(which));
  branch.log().activate_model(id_of(small_model(which)));
}

constexpr core::Instant kStart = kMonday + 30 * core::kWeek;

}  // namespace

TEST_SUITE("app.engine_churn") {
  TEST_CASE("nobody is scored before a model is activated, everybody after, and nobody when none is") {
    Branch branch("default");
    branch.at(kStart);
    pay_weekly(branch, "A", kStart, 12);
    pay_weekly(branch, "B", kStart - 4 * core::kWeek, 3);
    CHECK(branch.ask(kScore) == "NULL");
    branch.log().model(small_model(0));
    CHECK(branch.ask("SELECT count(*) FROM mart_churn WHERE probability IS NOT NULL") == "0");
    branch.log().activate_model(id_of(small_model(0)));
    for (int tick = 0; tick < 2; ++tick) branch.log().tick();
    CHECK(branch.ask("SELECT count(*) FROM mart_churn WHERE probability>0 AND probability<1") == "2");
    CHECK(branch.ask("SELECT DISTINCT model FROM mart_churn") == id_of(small_model(0)));
    branch.log().activate_model("");
    branch.log().tick();
    CHECK(branch.ask("SELECT count(*) FROM mart_churn WHERE probability IS NOT NULL") == "0");
  }

  TEST_CASE("the score is the model's of the customer's view, made again by hand") {
    Branch branch("default");
    branch.at(kStart);
    branch.pay("A", 1500, kStart - 5 * core::kWeek + 1);
    branch.pay("A", 2500, kStart - 2 * core::kWeek + 1);
    branch.tell("A", wire::SupportContact{"card", "phone"}, kStart - core::kWeek + 1);
    use_model(branch, 0);
    branch.log().tick();
    const model::ChurnModel model(small_model(0));
    model::ChurnView view;
    view.weeks[gold::kTx] = 1u << 4 | 1u << 1;
    view.weeks[gold::kSupport] = 1;
    view.count = 2;
    view.minor = 4000;
    view.tenure_weeks = 5;
    view.is_in_population = true;
    CHECK(branch.ask("SELECT churn_ppm FROM gold_customer") == std::to_string(model.score(view)));
  }

  TEST_CASE("a fact changes the score in its own turn") {
    Branch branch("default");
    branch.at(kStart);
    pay_weekly(branch, "A", kStart - 6 * core::kWeek, 6);
    use_model(branch, 0);
    branch.log().tick();
    const std::string before = branch.ask(kScore);
    branch.pay("A", 1000);
    const std::string after = branch.ask(kScore);
    CHECK(after != before);
    CHECK(std::stod(after) < std::stod(before));  // who pays again is less likely to leave
  }

  TEST_CASE("a new week scores everybody again in counted slices, and who is touched earlier is not made to wait") {
    Branch branch("default");
    branch.at(kStart);
    for (int customer = 0; customer < 200; ++customer)
      pay_weekly(branch, ("C" + std::to_string(customer)).c_str(), kStart, 2);
    use_model(branch, 0);
    branch.log().tick();
    CHECK(branch.ask("SELECT count(DISTINCT churn_ppm), min(churn_ppm)>0 FROM gold_customer") == "1|1");
    branch.at(kStart + core::kWeek + core::kMinute);
    branch.tell("C199", wire::Login{true, "", ""});  // a record scores 64 others, and its own
    CHECK(branch.ask("SELECT next_customer FROM churn_fold") == "65");
    CHECK(branch.ask("SELECT count(DISTINCT churn_ppm) FROM gold_customer") == "2");
    CHECK(branch.ask(
              "SELECT a.churn_ppm=b.churn_ppm FROM gold_customer a, gold_customer b WHERE a.id=1 AND b.id=200") == "1");
    branch.log().tick();
    CHECK(branch.ask("SELECT next_customer FROM churn_fold") == "0");
    CHECK(branch.ask("SELECT count(DISTINCT churn_ppm) FROM gold_customer") == "1");
  }

  TEST_CASE("a new week and an activation score everybody in the same slices") {
    const auto slices_of = [](bool is_by_week) {
      Branch branch("default");
      branch.at(kStart);
      for (int customer = 0; customer < 5'000; ++customer)
        branch.pay(("C" + std::to_string(customer)).c_str(), 1000, kStart - core::kWeek);
      use_model(branch, 0);
      for (int tick = 0; tick < 3; ++tick) branch.log().tick();
      CHECK(branch.ask("SELECT next_customer FROM churn_fold") == "0");
      if (is_by_week)
        branch.at(kStart + core::kWeek + core::kMinute);
      else
        branch.log().activate_model(id_of(small_model(0)));
      std::vector<std::string> next;
      for (int record = 0; record < 4; ++record) {
        if (record % 2 == 1)
          branch.log().tick();
        else
          branch.tell("C4999", wire::Login{true, "", ""});
        next.push_back(branch.ask("SELECT next_customer FROM churn_fold"));
      }
      return next;
    };
    // 64 of a record and 4,096 of a tick (design.md 2), from 1 on.
    const std::vector<std::string> should{"65", "4161", "4225", "0"};
    CHECK(slices_of(true) == should);
    CHECK(slices_of(false) == should);
  }

  TEST_CASE("under the event clock an activation scores everybody in its own turn") {
    Branch branch("default", ingest::ClockMode::kEvent);
    branch.at(kStart);
    for (int customer = 0; customer < 100; ++customer)
      pay_weekly(branch, ("C" + std::to_string(customer)).c_str(), kStart, 2);
    use_model(branch, 0);
    CHECK(branch.ask("SELECT count(*) FROM mart_churn WHERE probability IS NOT NULL") == "100");
  }

  TEST_CASE("at risk begins at the threshold and ends under the lower one, with history and feed") {
    const model::ChurnModel model(small_model(0));
    Branch probe("default");
    probe.at(kStart);
    pay_weekly(probe, "A", kStart - 3 * core::kWeek, 4);
    use_model(probe, 0);
    probe.log().tick();
    const double quiet = std::stod(probe.ask(kScore));
    probe.pay("A", 1000);
    const double paid = std::stod(probe.ask(kScore));
    REQUIRE(paid < quiet - 0.01);
    // Threshold at the quiet score exactly; leaving under a value that the payment does not, or does, reach.
    for (const bool is_left : {true, false}) {
      Branch branch(
          pack_with_thresholds(fmt::format("{:.6f}", quiet), fmt::format("{:.6f}", is_left ? paid + 0.005 : paid)));
      branch.at(kStart);
      pay_weekly(branch, "A", kStart - 3 * core::kWeek, 4);
      CHECK(branch.ask(kState) == "active");
      use_model(branch, 0);
      branch.log().tick();
      CHECK(branch.ask(kState) == "at_risk");
      branch.pay("A", 1000);
      CHECK(branch.ask(kState) == (is_left ? "active" : "at_risk"));
      CHECK(branch.ask("SELECT count(*) FROM churn_history") == (is_left ? "3" : "2"));
      CHECK(branch.ask("SELECT last_seq FROM topic WHERE name='churn'") == (is_left ? "3" : "2"));
    }
  }

  TEST_CASE("reasons are of the score that stands, however often it has changed between two flushes") {
    Branch branch(pack_with_thresholds("0.01", "0.005"));
    branch.at(kStart);
    branch.pay("A", 1500, kStart - 5 * core::kWeek + 1);
    branch.pay("A", 2500, kStart - 2 * core::kWeek + 1);
    model::ChurnView view;
    view.weeks[gold::kTx] = 1u << 4 | 1u << 1;
    view.count = 2;
    view.minor = 4000;
    view.tenure_weeks = 5;
    view.is_in_population = true;
    const auto by = [&](std::size_t which) { return model::reasons_of(model::ChurnModel(small_model(which)), view); };
    const std::string at_first = by(0);
    const char* const kReasons = "SELECT reasons FROM churn_reason";

    use_model(branch, 0);
    branch.log().tick();
    branch.pay("A", 500, kStart - 5 * core::kWeek + 1);
    branch.pay("A", 1000, kStart - 4 * core::kWeek + 1);
    view.weeks[gold::kTx] |= 1u << 3;
    view.count = 4;
    view.minor = 5500;
    REQUIRE(by(0) != at_first);
    CHECK(branch.ask(kReasons) == by(0));

    // Who is scored by one model and by the next only after a flush has the first one's reasons until then.
    branch.pay("A", 1500, kStart - 3 * core::kWeek + 1);
    view.weeks[gold::kTx] |= 1u << 2;
    view.count = 5;
    view.minor = 7000;
    REQUIRE(by(0) != by(1));
    branch.log().model(small_model(1));
    branch.log().activate_model(id_of(small_model(1)));
    CHECK(branch.ask(kReasons) == by(0));
    branch.log().tick();
    CHECK(branch.ask(kReasons) == by(1));

    branch.pay("A", 100, kStart - 2 * core::kWeek + 1);
    branch.log().activate_model("");
    branch.log().tick();
    CHECK(branch.ask("SELECT count(*) FROM churn_reason") == "0");
  }

  TEST_CASE("a card has the reasons of the score that stands, before they are written") {
    auto files = pack_with_thresholds("0.01", "0.005");
    files.erase("actions.toml");  // each offer of the segment is held
    const tests::ScratchFolder folder;
    tests::LogMaker log{ingest::ClockMode::kWall};
    tests::Fold fold{log, folder / "teller.db"};
    int ids = 0;
    const auto say = [&](wire::Body body, core::Instant occurred_us) {
      wire::Event event;
      const std::string id = fmt::format("E{}", ++ids);
      event.id = id;
      event.customer = "A";
      event.occurred_us = occurred_us;
      event.body = std::move(body);
      log.event(event);
    };
    const auto pay = [&](int weeks_ago) {
      say(wire::Transaction{1000, "RUB", "debit", 5411, "", "", ""}, kStart - weeks_ago * core::kWeek + 1);
    };
    log.arrive_at(kStart + 2 * core::kDay + 12 * core::kHour);  // a Wednesday at noon: desks may call
    log.zone("UTC");
    log.pack(files);
    say(wire::Profile{}, log.received_us());
    say(wire::Consent{"marketing", "all", true, "form", ""}, log.received_us());
    pay(5);
    pay(2);
    log.model(small_model(0));
    log.activate_model(id_of(small_model(0)));
    log.tick();
    log.queue(wire::Kind::kQueueSession, to_payload(deliver::SessionRecord{"desk", "1", {}}));
    fold.apply_all();
    const std::string written = fold.ask("SELECT reasons FROM churn_reason");
    REQUIRE(fold.ask("SELECT count(*)>0 FROM offer WHERE state='READY'") == "1");

    pay(4);
    const std::int64_t number = std::stoll(fold.ask("SELECT min(number) FROM offer WHERE state='READY'"));
    log.queue(wire::Kind::kQueueGrant, to_payload(deliver::GrantRecord{{"desk", "1", "1"}, 120'000, {{number, 1, 1}}}));
    while (fold.has_next()) fold.apply_next();
    const deliver::Item* leased = fold.engine().queues()->find(number);
    REQUIRE((leased && leased->state == deliver::ItemState::kLeased));
    std::string said;
    const auto card = nlohmann::json::parse("{" + leased->card + "}");
    for (const auto& reason : card.at("snapshot").at("churn_reasons")) {
      said += (said.empty() ? "" : " ") + reason.at("code").get<std::string>();
      for (std::size_t at = 0; at < reason.at("args").size(); ++at)
        said += (at ? "," : ":") + reason.at("args").at(at).get<std::string>();
    }
    CHECK(said != written);
    CHECK(fold.ask("SELECT reasons FROM churn_reason") == written);
    fold.flush();
    CHECK(fold.ask("SELECT reasons FROM churn_reason") == said);
  }

  TEST_CASE("who is at risk still churns after the horizon, and returns after the next payment") {
    Branch branch(pack_with_thresholds("0.01", "0.005"));
    branch.at(kStart);
    pay_weekly(branch, "A", kStart, 3);
    use_model(branch, 0);
    branch.log().tick();
    CHECK(branch.ask(kState) == "at_risk");
    branch.at(kStart + 12 * core::kWeek + core::kMinute);
    branch.log().tick();
    CHECK(branch.ask(kState) == "churned");
    branch.log().activate_model("");
    branch.pay("A", 1000);
    CHECK(branch.ask(kState) == "returned");
  }

  TEST_CASE("rolling back is one activation, and a restart keeps what scores") {
    Branch branch("default");
    branch.at(kStart);
    pay_weekly(branch, "A", kStart - 2 * core::kWeek, 5);
    use_model(branch, 0);
    branch.log().tick();
    const std::string by_first = branch.ask(kScore);
    use_model(branch, 1);
    branch.log().tick();
    CHECK(branch.ask(kScore) != by_first);
    branch.log().activate_model(id_of(small_model(0)));
    branch.log().tick();
    CHECK(branch.ask(kScore) == by_first);
    CHECK(branch.ask("SELECT group_concat(DISTINCT is_active) FROM mart_model WHERE model='" + id_of(small_model(0)) +
                     "'") == "1");
  }

  TEST_CASE("a damaged, foreign or unknown model is refused with its reason and the last good one goes on") {
    Branch branch("default");
    branch.at(kStart);
    pay_weekly(branch, "A", kStart - 2 * core::kWeek, 5);
    use_model(branch, 0);
    branch.log().tick();
    const std::string before = branch.ask(kScore);
    std::string damaged = small_model(1);
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
    for (const std::string& bad :
         {damaged, std::string("{}"), std::string(), model::seal(R"({"kind":"churn","format":3})")})
      branch.log().model(bad);
    branch.log().activate_model(id_of(small_model(1)));
    branch.pay("B", 1000);
    CHECK(branch.ask("SELECT count(*) FROM churn_model WHERE state='refused' AND reason<>''") == "4");
    CHECK(branch.ask("SELECT is_accepted, reason FROM churn_activation ORDER BY seq DESC LIMIT 1") ==
          "0|no such model is recorded");
    CHECK(branch.ask(kScore) == before);
    CHECK(branch.ask("SELECT probability IS NOT NULL FROM mart_churn WHERE customer_key='B'") == "1");
  }

  TEST_CASE("a pack with another horizon puts the model aside, the old one brings it back") {
    auto longer = decide::read_pack_files("default");
    std::string& text = longer["churn.toml"];
    text.replace(text.find("horizon_weeks = 12"), 18, "horizon_weeks = 13");
    Branch branch("default");
    branch.at(kStart);
    pay_weekly(branch, "A", kStart, 5);
    use_model(branch, 0);
    branch.log().tick();
    CHECK(branch.ask(kScore) != "NULL");
    branch.log().pack(longer);
    branch.log().tick();
    CHECK(branch.ask(kScore) == "NULL");
    branch.log().activate_model(id_of(small_model(0)));
    CHECK(branch.ask("SELECT reason FROM churn_activation ORDER BY seq DESC LIMIT 1") ==
          "it looks 12 weeks ahead, the pack's horizon is 13");
    branch.log().pack("default");
    branch.log().tick();
    CHECK(branch.ask(kScore) != "NULL");
  }

  TEST_CASE("rules may ask for the churn state, and what it moves is decided in the turn that moves it") {
    const auto pack_where = [](const std::string& state) {
      auto files = pack_with_thresholds("0.01", "0.005");
      files.erase("actions.toml");  // the templates' revenue is what the rule moves
      std::string& text = files["offers.toml"];
      const std::string first = "[[multiplier]]";
      text.insert(text.find(first),
                  "[[multiplier]]\nwhen = \"churn_state = '" + state + "'\"\nnumerator = 3\ndenominator = 1\n\n");
      return files;
    };
    // "Transaction Only", 3000 roubles at best: 7/10 for a small turnover, or three times for the state.
    const char* const kRevenue = "SELECT max(expected_revenue_minor) FROM mart_offer WHERE state='READY'";
    const std::string usual = "210000", trebled = "900000";
    Branch risky(pack_where("at_risk"));
    risky.at(kStart);
    risky.meet("A");
    pay_weekly(risky, "A", kStart, 3);
    CHECK(risky.ask(kState) == "active");
    CHECK(risky.ask(kRevenue) == usual);
    use_model(risky, 0);
    risky.log().tick();
    CHECK(risky.ask(kState) == "at_risk");
    CHECK(risky.ask(kRevenue) == trebled);
    risky.log().activate_model("");
    risky.log().tick();
    CHECK(risky.ask(kState) == "active");
    CHECK(risky.ask(kRevenue) == usual);

    Branch gone(pack_where("churned"));  // by a deadline, without a model
    gone.at(kStart);
    gone.meet("A");
    pay_weekly(gone, "A", kStart, 3);
    CHECK(gone.ask(kRevenue) == usual);
    gone.at(kStart + 12 * core::kWeek + core::kMinute);
    gone.log().tick();
    CHECK(gone.ask(kState) == "churned");
    CHECK(gone.ask(kRevenue) == trebled);
    gone.pay("A", 1000);
    CHECK(gone.ask(kState) == "returned");
    CHECK(gone.ask(kRevenue) == usual);
  }

  // After any history, what stands is what scoring from scratch gives.
  TEST_CASE("every stored score is the score of what is stored") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      CAPTURE(seed);
      tests::WorldOptions options;
      options.seed = seed;
      options.clock = seed % 2 ? ingest::ClockMode::kWall : ingest::ClockMode::kEvent;
      options.has_models = true;
      options.records = 500;
      options.customers = 12;
      auto log = tests::World(options).make();
      log->pack("default");  // the model fits its horizon
      log->model(small_model(0));
      log->activate_model(id_of(small_model(0)));
      log->tick();
      const tests::ScratchFolder folder;
      tests::Fold live(*log, folder / "live.db");
      live.apply_all();
      const std::string before = live.ask("SELECT id,churn_ppm FROM gold_customer ORDER BY id");
      log->activate_model("");
      log->tick();
      log->activate_model(id_of(small_model(0)));
      log->tick();
      live.apply_all();
      CHECK(live.ask("SELECT id,churn_ppm FROM gold_customer ORDER BY id") == before);
    }
  }
}
