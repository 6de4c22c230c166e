// Choices in the fold: what is decided and stored, and when it is decided again.
#include <doctest/doctest.h>

#include <algorithm>

#include "support/choice_branch.h"

using namespace tellerd;
using namespace tellerd::tests;

TEST_SUITE("app.engine_choices") {
  TEST_CASE("one action is chosen and stored with its funnel, probability, reasons, pack and what P had seen") {
    Branch branch(pack_with(5, 0));
    meet(branch, "A", "2020-01-01");
    branch.pay("A", 6'000'000);
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "1");
    CHECK(branch.ask("SELECT count(*)>=1 FROM mart_decision") == "1");
    CHECK(branch.ask("SELECT count(*) FROM mart_decision WHERE choice_probability IS NULL OR choice_probability<=0") ==
          "0");
    CHECK(branch.ask("SELECT DISTINCT o.arm=d.arm, o.choice_probability=d.choice_probability, o.reasons=d.reasons, "
                     "o.policy=d.policy, o.model FROM "
                     "mart_offer o JOIN mart_decision d USING(offer_id) WHERE o.state='READY'") ==
          "1|1|1|1|acceptance@0");
    const std::string funnel = branch.ask("SELECT funnel FROM mart_decision ORDER BY number DESC LIMIT 1");
    CHECK(std::count(funnel.begin(), funnel.end(), ',') == 6);
    CHECK(funnel.starts_with("70,"));
    CHECK(funnel.ends_with(",1"));
  }

  TEST_CASE("the holdout gets nothing, and the silence is a decision") {
    Branch branch(pack_with(0, 100));
    meet(branch, "A");
    branch.pay("A", 6'000'000);
    CHECK(branch.ask("SELECT count(*) FROM mart_offer") == "0");
    CHECK(branch.ask("SELECT arm, choice_probability, reasons, offer_id FROM mart_decision ORDER BY number") ==
          "rule|1.0|SU-02|\nholdout|1.0|NB-03|");  // before consent was given, and after
    CHECK(branch.ask("SELECT reasons, customers FROM mart_silence") == "NB-03|1");
    branch.at(kMonday + 20 * core::kDay).log().tick();
    CHECK(branch.ask("SELECT count(*) FROM mart_decision") == "2");  // the same silence goes on
  }

  TEST_CASE("an instalment brings its reminders and the ladder on their days, each once, in the queue of collection") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A");
    lend(branch, 6);
    const auto collection = [&] {
      return branch.ask(
          "SELECT group_concat(action) FROM (SELECT action FROM mart_offer WHERE queue='collection' ORDER BY "
          "created_us)");
    };
    CHECK(collection() == "NULL");
    std::string should;
    for (const auto& [day, action] : std::vector<std::pair<int, std::string>>{{3, "instalment_reminder_3_days"},
                                                                              {5, "instalment_reminder_1_day"},
                                                                              {7, "overdue_notice"},
                                                                              {11, "overdue_call"},
                                                                              {21, "overdue_call_repeated"},
                                                                              {36, "overdue_restructuring_talk"},
                                                                              {66, "overdue_final_talk"}}) {
      const int on_day = day;
      CAPTURE(on_day);
      branch.at(kMonday + day * core::kDay - 1).log().tick();
      CHECK(collection() == (should.empty() ? "NULL" : should));
      branch.at(kMonday + day * core::kDay).log().tick();
      should += (should.empty() ? "" : ",") + action;
      CHECK(collection() == should);
    }
    CHECK(branch.ask(kOpen) == "overdue_final_talk");  // nothing is sold meanwhile
  }

  TEST_CASE("an instalment that is told while an offer stands brings its reminder on the day") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A", "2020-01-01");
    branch.pay("A", 6'000'000);
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY' AND queue='marketing'") == "1");
    lend(branch, 12);  // far off: no condition answers differently yet
    const std::string stands = branch.ask(kOpen);
    branch.at(kMonday + 9 * core::kDay - 1).log().tick();
    CHECK(branch.ask(kOpen) == stands);
    branch.at(kMonday + 9 * core::kDay).log().tick();
    CHECK(branch.ask(kOpen) == "instalment_reminder_3_days");
  }

  TEST_CASE("what the customer spends most on is a reason to decide when it changes") {
    decide::PackFiles files = pack_with(0, 0);
    std::string& actions = files.at("actions.toml");
    const std::size_t at = actions.find("name = \"pet_insurance\"");
    REQUIRE(at != std::string::npos);
    actions.insert(at, "mandatory = true\n");
    Branch branch(files);
    meet(branch, "A", "2020-01-01");
    branch.pay("A", 100'000);
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE action='pet_insurance'") == "0");
    branch.tell("A", wire::Transaction{40'000, "RUB", "debit", 742, "", "", ""});  // a vet, and groceries still lead
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE action='pet_insurance'") == "0");
    branch.tell("A", wire::Transaction{70'000, "RUB", "debit", 742, "", "", ""});
    CHECK(branch.ask(kOpen) == "pet_insurance");
  }

  TEST_CASE("a soft rule of contact.toml weighs the action down in what is decided") {
    decide::PackFiles files = pack_with(0, 0);
    files.at("contact.toml") +=
        "\n[[rule]]\nid = \"soft\"\nsource = \"BUSINESS\"\npurpose = \"marketing\"\nscope = \"all\"\nchannel = "
        "\"all\"\nrolling_days = 30\nthreshold = 1\neffect = \"down_weight\"\nweight_percent = 40\nvalid_from = "
        "\"\"\nvalid_to = \"\"\n";
    Branch branch(files);
    meet(branch, "A", "2020-01-01");
    branch.pay("A", 6'000'000);
    const auto weight_of_last = [&] {
      return branch.ask(
          "SELECT round(100*priority/(p*c*v_minor*l*f)) FROM mart_decision WHERE offer_id<>'' ORDER BY number DESC "
          "LIMIT 1");
    };
    CHECK(weight_of_last() == "100.0");
    const std::string offer = branch.ask("SELECT offer_id FROM mart_offer WHERE state='READY'");
    branch.tell("A", wire::Outcome{offer, "PRICE", "", 0, "", "file"});
    branch.at(branch.now() + 20 * core::kDay).log().tick();  // a call is allowed again; one contact in thirty days
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "1");
    CHECK(weight_of_last() == "40.0");
    CHECK(branch.ask("SELECT reasons LIKE '%SU-15:40%' FROM mart_decision ORDER BY number DESC LIMIT 1") == "1");
  }

  TEST_CASE("a competitor's message is a reason to decide, and the offer that stands goes on") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A");
    for (int at = 0; at < 4; ++at) branch.pay("A", 1'000'000);
    const std::string before = branch.ask(kOpen), decided = branch.ask("SELECT count(*) FROM mart_decision");
    branch.tell("A", wire::Sms{"bank", "Ромашка-банк: вклад 20 %"});
    CHECK(branch.ask(kOpen) == before);
    CHECK(branch.ask("SELECT count(*) FROM mart_decision") == decided);
    branch.at(kMonday + 40 * core::kDay).log().tick();  // what stood has expired: decided again
    branch.tell("A", wire::Sms{"bank", "Ромашка-банк: вклад 21 %"});
    CHECK(branch.ask("SELECT count(*)>" + decided + " FROM mart_decision") == "1");
  }

  TEST_CASE("without consent nothing is sold, and consent is a reason to decide; do-not-call ends it") {
    Branch branch(pack_with(0, 0));
    branch.meet("A");
    branch.pay("A", 6'000'000);
    CHECK(branch.ask("SELECT count(*) FROM mart_offer") == "0");
    CHECK(branch.ask("SELECT reasons FROM mart_silence") == "SU-02");
    branch.tell("A", wire::Consent{"marketing", "all", true, "form", ""});
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "1");
    branch.at(kMonday + core::kDay);
    branch.tell("A", wire::Restriction{"do_not_call", true, "customer", ""});
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY' AND queue='marketing'") == "0");
    CHECK(branch.ask("SELECT reasons FROM mart_silence") == "SU-01");
    lend(branch, 3);  // collection is another purpose
    CHECK(branch.ask(kOpen) == "instalment_reminder_3_days");
  }

  TEST_CASE("what was refused is not offered again, another action may be") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A");
    branch.pay("A", 6'000'000);
    for (int round = 0; round < 6; ++round) {
      const std::string open = branch.ask("SELECT offer_id FROM mart_offer WHERE state='READY'");
      if (open.empty()) break;
      branch.tell("A", wire::Outcome{open, "PRICE", "", 0, "", "file"});
      branch.at(branch.now() + 15 * core::kDay).log().tick();
    }
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='DONE'") != "0");
    CHECK(branch.ask("SELECT count(*) FROM (SELECT action FROM mart_offer WHERE state='DONE' GROUP BY action HAVING "
                     "count(*)>1 AND max(created_us)-min(created_us)<60*86400000000)") == "0");
  }

  TEST_CASE("a pack without actions.toml decides as ever, and back") {
    Branch branch("original");
    meet(branch, "A");
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "3");
    CHECK(branch.ask("SELECT count(*) FROM mart_decision") == "0");
    CHECK(branch.ask("SELECT DISTINCT arm, choice_probability, reasons, model FROM mart_offer") == "rules|1.0|SG-01|");
    branch.log().pack(pack_with(0, 0));
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "1");
    branch.log().pack("original");
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "3");
  }
}
