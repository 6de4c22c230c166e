// Questions about choices: of now and of what is stored, without effect.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

#include "app/choice_answer.h"
#include "app/choice_world.h"
#include "app/customer_answer.h"
#include "core/checksum.h"
#include "decide/decision_book.h"
#include "support/choice_branch.h"

using namespace tellerd;
using namespace tellerd::tests;

namespace {

std::string file_hash(Branch& branch) {
  std::string all;
  auto database = store::Database::open_reader(branch.file());
  store::Statement tables(database, "SELECT name FROM sqlite_master WHERE type='table' ORDER BY name");
  std::vector<std::string> names;
  while (tables.step()) names.emplace_back(tables.text(0));
  for (const auto& name : names) all += name + "\n" + branch.ask("SELECT * FROM \"" + name + "\"") + "\n";
  for (const char* suffix : {"", "-wal"}) {  // and the bytes as they lie on the disk
    std::ifstream file(branch.file().string() + suffix, std::ios::binary);
    all += core::hash_hex(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  return core::hash_hex(all);
}

// TELLER_QUESTIONS=1000000 asks that many.
int rounds_of_questions(int a_round) {
  const char* wanted = std::getenv("TELLER_QUESTIONS");
  return wanted ? std::atoi(wanted) / a_round + 1 : 30;
}

}  // namespace

TEST_SUITE("app.choice_answers") {
  TEST_CASE("what is asked about now stands on the same columns as what is decided") {
    int compared = 0;
    for (const int variant : {0, 1, 2}) {
      Branch branch(pack_with(0, 0));
      meet(branch, "A", "2020-01-01");
      branch.tell("A", wire::Login{true, "", ""});
      branch.tell("A", wire::Activity{"page", 3, 2});
      branch.tell("A", wire::Sms{"bank", "Ромашка-банк"});
      branch.tell("A", wire::HostVisit{"romashka-bank.example"});
      branch.tell("A", wire::SupportContact{"card", "phone"});
      branch.tell("A", wire::Holding{"ETF", "x", 1'000'000, 0, 5'000'000, "RUB", ""});
      branch.tell("A", wire::BillPayment{500, "RUB", "", "Completed"});
      for (int week = 0; week <= variant; ++week) {
        branch.at(kMonday + week * core::kWeek + core::kDay);
        branch.pay("A", 20'000'000);
      }
      if (variant == 2) lend(branch, 3);
      branch.at(branch.now() + 1);
      branch.ask("SELECT 1");
      auto reader = store::Database::open_reader(branch.file());
      app::ChoiceWorld world(reader);
      decide::Situation now;
      REQUIRE(world.read(reader, 1, now));
      store::Statement last(reader, "SELECT situation FROM decision WHERE offer>0 ORDER BY number DESC LIMIT 1");
      REQUIRE(last.step());
      if (variant == 2) {  // decided by the instalment that came last
        CHECK(last.text(0).starts_with(decide::situation_bytes(now)));
        CHECK(world.chooser->action(static_cast<std::size_t>(now.standing)).name == "instalment_reminder_3_days");
        CHECK(now.shown[static_cast<std::size_t>(now.standing)].told_instalment == now.instalment);
        ++compared;
      }
    }
    CHECK(compared == 1);
  }

  TEST_CASE("questions are answered and leave every table as it is") {
    Branch branch(pack_with(5, 5));
    for (const char* key : {"A", "B", "C"}) {
      meet(branch, key);
      branch.pay(key, 6'000'000);
    }
    lend(branch, 3);
    branch.ask("SELECT 1");
    const std::string before = file_hash(branch);
    {
      auto reader = store::Database::open_reader(branch.file());
      store::Statement offers(reader, "SELECT offer_id FROM mart_offer ORDER BY 1");
      std::vector<std::string> ids;
      while (offers.step()) ids.emplace_back(offers.text(0));
      REQUIRE(ids.size() >= 2);
      std::int64_t asked = 0;
      for (int round = rounds_of_questions(static_cast<int>(ids.size()) + 6); round > 0; --round) {
        asked += static_cast<std::int64_t>(ids.size()) + 6;
        for (const auto& id : ids) {
          const auto answer = app::explain_offer(reader, id);
          REQUIRE(answer["ok"] == true);
          CHECK(answer["funnel"]["library"] == 70);
          CHECK_FALSE(answer["reasons_ru"].empty());
          CHECK(answer["reasons_ru"] != answer["reasons_en"]);
        }
        for (const char* action :
             {"overdue_call", "kids_card", "instalment_reminder_3_days", "retention_personal_manager"}) {
          const auto answer = app::why_not(reader, "A", action);
          REQUIRE(answer["ok"] == true);
          REQUIRE(answer["candidates"].size() >= 1);
          CHECK_FALSE(answer["candidates"][0]["reasons_en"].empty());
        }
        CHECK(app::why_empty(reader, "collection")["ok"] == true);
        CHECK(app::why_not_then(reader, "A", "kids_card", 1)["ok"] == true);
      }
      MESSAGE(asked << " questions");
      CHECK(app::why_not(reader, "A", "overdue_call")["candidates"][0]["lost_at"] == "applicability");
      CHECK(app::why_not(reader, "A", "instalment_reminder_3_days")["stands"] == true);
      CHECK(app::why_not(reader, "A", "nonsense")["code"] == "NOT_FOUND");
      CHECK(app::why_not(reader, "Z", "overdue_call")["code"] == "NOT_FOUND");
      CHECK(app::explain_offer(reader, "00000000000000ff")["code"] == "NOT_FOUND");
      CHECK(app::why_empty(reader, "nonsense")["code"] == "NOT_FOUND");
    }
    CHECK(file_hash(branch) == before);
  }

  TEST_CASE("every stored decision can be asked why not, as of then and by the pack that decided") {
    Branch branch(pack_with(0, 0));
    branch.meet("A", "2020-01-01");
    branch.pay("A", 6'000'000);  // silence: no consent
    branch.tell("A", wire::Consent{"marketing", "all", true, "form", ""});
    lend(branch, 3);
    branch.at(kMonday + 2 * core::kDay).log().pack("original");
    branch.ask("SELECT 1");
    const std::string before = file_hash(branch);
    auto reader = store::Database::open_reader(branch.file());
    store::Statement decisions(reader, "SELECT number,action,candidate,reasons,funnel,seq FROM mart_decision");
    int silences = 0, offers = 0, asked = 0;
    const decide::Pack pack = decide::parse_pack(pack_with(0, 0));
    while (decisions.step()) {
      const std::int64_t number = decisions.integer(0);
      const std::string chosen(decisions.text(1));
      (chosen.empty() ? silences : offers) += 1;
      std::map<std::string, int> lost;
      for (const auto& action : pack.catalogue->actions) {
        const auto answer = app::why_not_then(reader, "A", action.name, number);
        REQUIRE(answer["ok"] == true);
        CHECK(answer["asof_seq"] == decisions.integer(5));
        CHECK(answer["candidates"].size() == action.channels.size());
        for (const auto& one : answer["candidates"]) {
          ++asked;
          ++lost[one["lost_at"]];
          CHECK_FALSE(one["reasons_ru"].empty());
          CHECK(one["is_chosen"] ==
                (std::string(decisions.text(2)) == action.name + "|" + one["channel"].get<std::string>()));
        }
      }
      // The funnel says the same: what a stage leaves is what it got less what was lost there.
      const auto funnel = app::explain_decision(reader, number)["funnel"];
      int left = funnel["library"];
      CHECK(left == 70);
      for (const char* stage : {"eligibility", "applicability", "suitability", "constraints"}) {
        left -= lost[stage];
        CHECK(funnel[stage] == left);
      }
    }
    CHECK(silences >= 1);
    CHECK(offers >= 2);
    CHECK(asked >= 210);
    const auto then = app::why_not_then(reader, "A", "cashback_category", 1);
    CHECK(then["reasons"] == "SU-02");
    CHECK(app::why_not_then(reader, "A", "nonsense", 1)["code"] == "NOT_FOUND");
    CHECK(app::why_not_then(reader, "A", "kids_card", 4'711)["code"] == "NOT_FOUND");
    CHECK(app::why_not_then(reader, "Z", "kids_card", 1)["code"] == "NOT_FOUND");
    CHECK(app::explain_decision(reader, 4'711)["code"] == "NOT_FOUND");
    CHECK(app::explain_decision(reader, 1)["reasons"] == "SU-02");
    const auto options = app::optionality(reader);
    CHECK(options["none"] == silences);
    CHECK(options["one"].get<int>() + options["two_to_four"].get<int>() + options["more"].get<int>() == offers);
    CHECK(options["more"] >= 1);
    CHECK(file_hash(branch) == before);
  }

  TEST_CASE("the grid has every candidate, and its stages count what the funnel counts") {
    Branch branch(pack_with(5, 5));
    meet(branch, "A");
    branch.pay("A", 6'000'000);
    lend(branch, 1);
    branch.ask("SELECT 1");
    auto reader = store::Database::open_reader(branch.file());
    const auto grid = app::decision_grid(reader, reader.integer("SELECT leader FROM identity WHERE display_key='A'"));
    REQUIRE(grid["ok"] == true);
    CHECK(grid["candidates"].size() == 70);
    std::map<std::string, int> fell;
    for (const auto& one : grid["candidates"]) {
      ++fell[one["lost_at"].get<std::string>()];
      CHECK((one["is_chosen"] == true || !one["reasons_en"].empty()));
      if (one["lost_at"] == "constraints" && one["reasons"] != "NB-17") CHECK_FALSE(one["contact_rules"].empty());
    }
    CHECK(fell[""] == 1);
    int left = 70;
    for (const char* stage : {"eligibility", "applicability", "suitability", "constraints", "arbitration"}) {
      left -= fell[stage];
      CHECK(grid["funnel"][stage] == left);
    }
    for (const char* action : {"overdue_call", "kids_card", "instalment_reminder_3_days"}) {
      const auto answer = app::why_not(reader, "A", action);
      for (const auto& one : grid["candidates"])
        if (one["action"] == action && one["channel"] == answer["candidates"][0]["channel"]) {
          CHECK(one["lost_at"] == answer["candidates"][0]["lost_at"]);
          CHECK(one["reasons"] == answer["candidates"][0]["reasons"]);
        }
    }
    CHECK(grid["chosen"] == app::why_not(reader, "A", "kids_card")["chosen"]);
    CHECK(app::decision_grid(reader, 999)["code"] == "NOT_FOUND");
  }

  TEST_CASE("a customer nobody knows gets no decision, and the question says so") {
    Branch branch(pack_with(0, 0));
    branch.pay("A", 100);
    CHECK(branch.ask("SELECT count(*) FROM mart_decision") == "0");
    auto reader = store::Database::open_reader(branch.file());
    const auto answer = app::why_not(reader, "A", "kids_card");
    CHECK(answer["reasons"] == "DQ-02");
    CHECK_FALSE(answer["reasons_en"].empty());
  }

  TEST_CASE("a stored decision's grid is what was asked of each action, and stays when the pack has changed") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A", "2020-01-01");
    branch.pay("A", 6'000'000);
    lend(branch, 3);
    branch.at(kMonday + 2 * core::kDay).log().pack("original");
    branch.ask("SELECT 1");
    auto reader = store::Database::open_reader(branch.file());
    const std::int64_t leader = reader.integer("SELECT leader FROM identity WHERE display_key='A'");
    const std::int64_t last = reader.integer("SELECT max(number) FROM decision");
    REQUIRE(last >= 2);
    for (std::int64_t number = 1; number <= last; ++number) {
      const auto grid = app::decision_grid_then(reader, leader, number);
      REQUIRE(grid["ok"] == true);
      CHECK(grid["decision_id"] == number);
      CHECK(grid["candidates"].size() == 70);
      std::map<std::string, deliver::Json> of_action;
      for (const auto& one : grid["candidates"]) of_action[one["action"]].push_back(one);
      for (const char* action : {"kids_card", "instalment_reminder_3_days", "overdue_call"}) {
        const auto asked = app::why_not_then(reader, "A", action, number);
        REQUIRE(asked["candidates"].size() == of_action[action].size());
        CHECK(asked["chosen"] == grid["chosen"]);
        for (std::size_t at = 0; at < of_action[action].size(); ++at)
          for (const char* name : {"channel", "lost_at", "is_chosen", "reasons"})
            CHECK(asked["candidates"][at][name] == of_action[action][at][name]);
      }
    }
    CHECK(app::decision_grid(reader, leader)["is_chosen_among"] == false);  // now nothing is chosen
    CHECK(app::decision_grid_then(reader, leader, last + 1)["code"] == "NOT_FOUND");
    CHECK(app::decision_grid_then(reader, leader + 1, 1)["code"] == "NOT_FOUND");
  }

  TEST_CASE("what is chosen may have to wait for the hours in which it may be said") {
    Branch branch(pack_with(0, 0));  // Monday, midnight
    meet(branch, "A", "2020-01-01");
    branch.pay("A", 6'000'000);
    const auto reasons_of_chosen = [&] {
      branch.ask("SELECT 1");
      auto reader = store::Database::open_reader(branch.file());
      const auto grid = app::decision_grid(reader, 1);
      std::string reasons = "nothing is chosen";
      for (const auto& one : grid["candidates"])
        if (one["is_chosen"] == true) reasons = one["reasons"];
      return reasons;
    };
    CHECK(reasons_of_chosen().ends_with(" SU-08"));
    branch.at(kMonday + 12 * core::kHour).log().tick();
    CHECK_FALSE(reasons_of_chosen() == "nothing is chosen");
    CHECK(reasons_of_chosen().find("SU-08") == std::string::npos);
  }

  TEST_CASE("an offer that its queue refused says so") {
    decide::PackFiles files = pack_with(0, 0);
    std::string& contact = files.at("contact.toml");
    const std::size_t waiting = contact.find("[waiting]"), at = contact.find("marketing = 0", waiting);
    REQUIRE(at != std::string::npos);
    contact.replace(at, 13, "marketing = 1");
    Branch branch(files);
    for (const char* key : {"A", "B", "C"}) {
      meet(branch, key, "2020-01-01");
      branch.pay(key, 6'000'000);
    }
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "1");
    auto reader = store::Database::open_reader(branch.file());
    store::Statement offers(reader, "SELECT offer_id,state,reasons FROM mart_offer");
    int refused = 0;
    while (offers.step()) {
      const auto answer = app::explain_offer(reader, offers.text(0));
      const bool is_refused = offers.text(1) == "QUEUE_FULL";
      refused += is_refused;
      CHECK(answer["reasons"] == std::string(offers.text(2)) + (is_refused ? " SU-13" : ""));
      CHECK(answer["reasons_en"].back() == (is_refused ? "The queue is full" : answer["reasons_en"].back()));
    }
    CHECK(refused >= 2);
  }

  TEST_CASE("what was told of a customer's offers is found by the customer, and of no other") {
    Branch branch(pack_with(0, 0));
    for (const char* key : {"A", "B"}) {
      meet(branch, key, "2020-01-01");
      branch.pay(key, 6'000'000);
    }
    const std::string offer = branch.ask("SELECT offer_id FROM mart_offer WHERE customer_key='A' AND state='READY'");
    branch.tell("A", wire::Outcome{offer, "ACCEPTED", "", 5'000, "", "desk"});
    branch.ask("SELECT 1");
    auto reader = store::Database::open_reader(branch.file());
    const auto told = app::newest_outcomes(reader, 1, 30);
    REQUIRE(told.size() == 1);
    const auto row =
        branch.ask("SELECT offer_id, code, presented, amount_minor, label, label_reason FROM mart_offer_outcome");
    CHECK(row == told[0]["offer_id"].get<std::string>() + "|ACCEPTED|1|5000|1|accepted");
    CHECK(told[0]["label"] == 1);
    CHECK(told[0]["label_reason"] == "accepted");
    CHECK(app::newest_outcomes(reader, 2, 30).empty());
    const auto stopped = [&](std::int64_t leader) {  // one call in fourteen days, and a group that was accepted
      int count = 0;
      const auto grid = app::decision_grid(reader, leader);
      for (const auto& one : grid["candidates"]) count += one["reasons"] == "SU-09" || one["reasons"] == "SU-11";
      return count;
    };
    CHECK(stopped(1) > 0);
    CHECK(stopped(2) == 0);
  }
}
