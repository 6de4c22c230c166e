// What outcomes teach the choices, and what they cost and bring.
#include <doctest/doctest.h>

#include <deque>

#include "support/choice_branch.h"

using namespace tellerd;
using namespace tellerd::tests;

TEST_SUITE("app.engine_learning") {
  TEST_CASE("an attempt costs a campaign what the pack says of its channel, and brings a return on it") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A", "2020-01-01");
    branch.pay("A", 6'000'000);
    const std::string offer = branch.ask("SELECT offer_id FROM mart_offer WHERE state='READY'");
    const std::string cost = branch.ask(
        "SELECT CASE t.channel WHEN 2 THEN 300 ELSE 15000 END FROM offer o JOIN "
        "offer_template t ON t.number=o.template WHERE o.state='READY'");
    const char* const campaign =
        "SELECT attempts, cost_minor, revenue_minor, return_on_cost FROM mart_campaign WHERE attempts>0";
    branch.tell("A", wire::Outcome{offer, "NO_ANSWER", "", 0, "", "desk"});
    CHECK(branch.ask(campaign) == "1|" + cost + "|0|0.0");
    branch.tell("A", wire::Outcome{offer, "ACCEPTED", "", 10 * std::stoi(cost), "", "desk"});
    CHECK(branch.ask(campaign) ==
          "2|" + std::to_string(2 * std::stoi(cost)) + "|" + std::to_string(10 * std::stoi(cost)) + "|5.0");
  }

  TEST_CASE("outcomes teach: at once, after two weeks of silence, and again when they are corrected") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A");
    branch.pay("A", 6'000'000);
    const std::string offer = branch.ask("SELECT offer_id FROM mart_offer WHERE state='READY'");
    const auto counts = [&] { return branch.ask("SELECT sum(positives), sum(negatives) FROM mart_acceptance"); };
    const auto told = [&](std::string_view id, std::string_view code, std::uint64_t version = 0) {
      branch.tell("A", wire::Outcome{offer, code, "", 0, "", "file"}, 0, id, version);
    };
    told("o1", "NO_ANSWER");
    CHECK(counts() == "0|0");  // never presented, never a label
    told("o2", "NOT_NOW");
    branch.at(branch.now() + 14 * core::kDay - 1).log().tick();
    CHECK(counts() == "0|0");
    branch.at(branch.now() + 1).log().tick();
    CHECK(counts() == "0|1");
    told("o3", "ACCEPTED");  // later after all
    CHECK(counts() == "1|0");
    told("o3", "PRICE", 1);
    CHECK(counts() == "0|1");
    CHECK(branch.ask("SELECT learnt FROM choice_fold") == "3");
    CHECK(branch.ask("SELECT count(*) FROM mart_acceptance WHERE negatives=1") == "1");
  }

  // The label that is learnt is the mart's, which is worked out in SQL from the same facts.
  TEST_CASE("a promise teaches when it is kept or its day has passed, and again when a payment is taken back") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A");
    branch.pay("A", 6'000'000);
    const std::string offer = branch.ask("SELECT offer_id FROM mart_offer WHERE state='READY'");
    const auto day = [&](int from_now) {
      return core::format_date(static_cast<core::Day>(branch.now() / core::kDay) + from_now);
    };
    const auto learnt = [&] {
      CHECK(branch.ask("SELECT nullif(label,-1) FROM acceptance_label") ==
            branch.ask("SELECT max(label) FROM mart_offer_outcome"));
      return branch.ask("SELECT sum(positives), sum(negatives) FROM mart_acceptance");
    };
    branch.tell("A", wire::Loan{"car", 100'000'00, "RUB", "2024-01-01", "2036-01-01", 24, 5'000'00, ""});
    branch.tell("A", wire::InstalmentPayment{"car", 1, day(60), "", 0});
    branch.tell("A", wire::Outcome{offer, "PROMISE_TO_PAY", "", 0, day(3), "file"}, 0, "o1");
    CHECK(learnt() == "0|0");
    branch.tell("A", wire::InstalmentPayment{"car", 1, day(60), day(0), 5'000'00}, 0, "", 1);
    CHECK(learnt() == "1|0");
    branch.tell("A", wire::InstalmentPayment{"car", 1, day(60), "", 0}, 0, "", 2);
    CHECK(learnt() == "0|0");
    const std::string promised = day(3);
    branch.at((branch.now() / core::kDay + 3) * core::kDay + core::kDay - 1).log().tick();
    CHECK(learnt() == "0|0");  // the last moment of its day
    branch.at(branch.now() + 1).log().tick();
    CHECK(learnt() == "0|1");
    branch.tell("A", wire::InstalmentPayment{"car", 1, day(60), promised, 5'000'00}, 0, "", 3);  // told late
    CHECK(learnt() == "1|0");
    branch.tell("A", wire::Outcome{offer, "PRICE", "", 0, "", "file"}, 0, "o1", 1);  // it was no promise
    CHECK(learnt() == "0|1");
  }

  TEST_CASE("a corrected outcome is as if the first had never been told") {
    const auto learnt = [](bool is_corrected, bool is_taken_back) {
      Branch branch(pack_with(0, 0));
      std::vector<std::string> offers;
      for (const char* key : {"A", "B", "C", "D", "E", "F"}) {
        meet(branch, key, "2020-01-01");
        branch.pay(key, 6'000'000 + key[0] * 1'000);
        branch.ask("SELECT 1");
      }
      const auto told = [&](std::string_view key, std::string_view code, std::uint64_t version = 0) {
        const std::string offer =
            branch.ask("SELECT offer_id FROM mart_offer WHERE customer_key='" + std::string(key) + "' ORDER BY 1");
        static std::deque<std::string> kept;
        branch.tell(key, wire::Outcome{kept.emplace_back(offer.substr(0, 16)), code, "", 0, "", "file"}, 0,
                    kept.emplace_back("o" + std::string(key)), version);
      };
      if (is_corrected) told("A", "ACCEPTED");
      told("B", "PRICE");
      told("C", "ACCEPTED");
      if (is_taken_back)
        told("A", "NO_ANSWER", 1);  // nobody had been reached after all
      else
        told("A", "PRICE", 1);
      told("D", "ACCEPTED");
      told("E", "NOT_INTERESTED");
      return branch.ask(
          "SELECT n.name,a.positives,a.negatives,hex(a.bytes) FROM acceptance a JOIN name_of n ON n.what='acceptance' "
          "AND n.number=a.number WHERE a.positives+a.negatives>0 ORDER BY n.name");
    };
    for (const bool is_taken_back : {false, true}) {
      const std::string corrected = learnt(true, is_taken_back), never = learnt(false, is_taken_back);
      CHECK(corrected.size() > 1'000);
      CHECK(corrected == never);
    }
  }

  TEST_CASE("an order that is taken back leaves what the agent was told") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A", "2020-01-01");
    branch.pay("A", 6'000'000);
    const std::string offer = branch.ask("SELECT offer_id FROM mart_offer WHERE state='READY'");
    const auto counts = [&] { return branch.ask("SELECT sum(positives), sum(negatives) FROM mart_acceptance"); };
    branch.tell("A", wire::Outcome{offer, "PRICE", "", 0, "", "file"});
    CHECK(counts() == "0|1");
    wire::Order order{"card", 1, 100, "RUB", "paid", offer};
    branch.tell("A", order, 0, "order", 1);
    CHECK(counts() == "1|0");
    order.status = "new";
    branch.tell("A", order, 0, "order", 2);
    CHECK(counts() == "0|1");
  }
}
