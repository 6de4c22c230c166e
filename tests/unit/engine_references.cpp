// Facts that name others: what waits, for how long, and what is kept of what waited in vain.
#include <doctest/doctest.h>

#include "support/branch.h"
#include "wire/json.h"

using namespace tellerd;
using tests::Branch;
using wire::InstalmentPayment;

namespace {

constexpr core::Instant kToday = 1'737'014'400 * core::kSecond;  // 2025-01-16T08:00:00Z, a Thursday

wire::Loan loan(std::string_view name) {
  wire::Loan fact;
  fact.loan_name = name;
  fact.amount_minor = 1'000'000;
  fact.currency = "RUB";
  fact.start_date = "2024-12-01";
  fact.payment_count = 12;
  fact.planned_minor = 100'000;
  return fact;
}

wire::ProductView view(std::string_view product) {
  wire::ProductView fact;
  fact.product = product;
  return fact;
}

wire::Product product(std::string_view name) {
  wire::Product fact;
  fact.product = name;
  return fact;
}

// The quarantined event as JSON: its own bytes, read by the wire's decoder.
std::string kept(Branch& branch, const std::string& reason) {
  const std::string hex = branch.ask("SELECT hex(payload) FROM quarantine WHERE reason='" + reason + "'");
  std::string bytes;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2)
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16)));
  wire::Decoder decoder;
  const std::string_view aligned = decoder.aligned(bytes);
  REQUIRE(wire::verify_event(aligned));
  std::string text;
  wire::append_json(decoder.decode(aligned), text);
  return text;
}

wire::Event instalment(std::string_view id) {
  wire::Event event;
  event.id = id;
  event.customer = "A";
  event.occurred_us = kToday;
  event.body = InstalmentPayment{"ghost", 3, "2025-01-10", "2025-01-11", 99'00};
  return event;
}

}  // namespace

TEST_SUITE("engine.references") {
  TEST_CASE("an instalment refused for its loan keeps its whole event, and a retry counts once the loan is there") {
    Branch branch("default");
    branch.at(kToday);
    const auto seq = branch.log().event(instalment("I7"));
    branch.at(kToday + 8 * core::kDay).log().tick();
    CHECK(branch.ask("SELECT seq,state FROM quarantine") == std::to_string(seq) + "|open");
    const std::string event = kept(branch, "UNKNOWN_REFERENCE");
    for (const char* part : {"\"kind\":\"instalment_payment\"", "\"id\":\"I7\"", "\"customer\":\"A\"",
                             "\"loan_name\":\"ghost\"", "\"payment_number\":3", "\"payment_date\":\"2025-01-10\"",
                             "\"fact_date\":\"2025-01-11\"", "\"paid_minor\":9900"})
      CHECK_MESSAGE(event.find(part) != std::string::npos, part << " in " << event);

    branch.tell("A", loan("ghost"));
    CHECK(branch.ask("SELECT count(*) FROM mart_loan_payment") == "0");
    branch.log().repair(seq, instalment("I7"));
    CHECK(branch.ask("SELECT state FROM quarantine") == "repaired");
    CHECK(branch.ask("SELECT payment_number,payment_fact_date,paid_fact_amount_minor FROM mart_loan_payment") ==
          "3|2025-01-11|9900");
  }

  TEST_CASE("a view waits seven days of arrival for its product, whichever comes first") {
    Branch branch("default");
    branch.at(kToday);
    branch.tell("A", product("lamp"));
    branch.tell("A", view("lamp"), 0, "V1");
    branch.tell("A", view("rug"), 0, "V2");
    branch.tell("A", view("ghost"), 0, "V3");
    branch.at(kToday + 6 * core::kDay);
    branch.tell("A", product("rug"));
    branch.at(kToday + 7 * core::kDay).log().tick();
    CHECK(branch.ask("SELECT count(*) FROM quarantine") == "0");
    branch.at(kToday + 7 * core::kDay + 1).log().tick();
    CHECK(branch.ask("SELECT kind,reason,field FROM quarantine") == "product_view|UNKNOWN_REFERENCE|product");
    CHECK(branch.ask("SELECT id FROM silver_product_view WHERE state=0 ORDER BY id") == "V1\nV2");
    CHECK(kept(branch, "UNKNOWN_REFERENCE").find("\"product\":\"ghost\"") != std::string::npos);
  }

  TEST_CASE("time alone ends the wait, so it is a reason for a tick") {
    tests::LogMaker log(ingest::ClockMode::kWall);
    const tests::ScratchFolder folder;
    log.pack("default");
    log.arrive_at(kToday);
    log.event(instalment("I1"));
    tests::Fold fold(log, folder / "teller.db");
    fold.apply_all();
    CHECK(fold.engine().next_due_us() == kToday + 7 * core::kDay + 1);
    fold.restart();
    CHECK(fold.engine().next_due_us() == kToday + 7 * core::kDay + 1);
    log.arrive_at(kToday + 7 * core::kDay + 1);
    log.tick();
    fold.apply_all();
    CHECK(fold.engine().next_due_us() > kToday + 8 * core::kDay);
    CHECK(fold.ask("SELECT reason FROM quarantine") == "UNKNOWN_REFERENCE");
  }

  TEST_CASE("offers of a load that fell silent leave after fifteen minutes, though nothing else comes") {
    tests::LogMaker log(ingest::ClockMode::kWall);
    const tests::ScratchFolder folder;
    log.pack("original");
    log.arrive_at(kToday);
    wire::Event met;
    met.id = "P1";
    met.customer = "A";
    met.occurred_us = kToday;
    met.body = wire::Profile{};
    log.event(met, "load:abc");
    tests::Fold fold(log, folder / "teller.db");
    fold.apply_all();
    CHECK(fold.ask("SELECT count(*) FROM held_offer") == "3");
    const core::Instant due_us = fold.engine().next_due_us();
    CHECK(due_us == kToday + 15 * core::kMinute + 1);
    log.arrive_at(due_us);
    log.tick();
    fold.apply_all();
    CHECK(fold.ask("SELECT count(*) FROM held_offer") == "0");
    CHECK(fold.ask("SELECT sum(o.count) FROM outbox o JOIN topic t ON t.id=o.topic WHERE t.name='offer.marketing'") ==
          "3");
  }
}
