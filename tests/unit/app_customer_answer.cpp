#include <doctest/doctest.h>

#include "app/customer_answer.h"
#include "support/fold.h"
#include "support/scratch_folder.h"

using namespace tellerd;
using tests::kMonday;

namespace {

// broker:1 and loans:1 are two people; broker:2 is also loans:77.
struct Bank {
  tests::LogMaker log{ingest::ClockMode::kWall};
  tests::ScratchFolder folder;
  tests::Fold fold{log, folder / "teller.db"};

  Bank() {
    log.pack("original");
    tell("broker", "1", wire::Profile{});
    tell("broker", "2", wire::Profile{});
    tell("loans", "1", wire::Profile{});
    wire::Loan loan;
    loan.loan_name = "car";
    loan.amount_minor = 1'000'000;
    loan.planned_minor = 100;
    tell("loans", "77", loan);
    tell("loans", "77", wire::InstalmentPayment{"car", 1, "2025-01-02", "2025-01-02", 100});
    wire::Alias same;
    same.other_system = "loans";
    same.other_key = "77";
    same.valid = true;
    tell("broker", "2", same);
    fold.apply_all();
  }
  void tell(std::string_view system, std::string_view customer, wire::Body body) {
    wire::Event event;
    event.system = system;
    event.customer = customer;
    event.occurred_us = kMonday;
    event.body = std::move(body);
    log.event(event);
  }
  deliver::Json ask(std::string_view key) const {
    app::Readers readers(fold.file());
    app::RowsByCustomer tiers("segment_history", "number");
    auto turn = readers.take();
    return app::customer_answer(turn, tiers, key);
  }
};

std::string key_of(const deliver::Json& answer) {
  return answer.contains("customer") ? answer["customer"]["key"].get<std::string>() : answer["code"].get<std::string>();
}

}  // namespace

TEST_SUITE("app.customer_answer") {
  TEST_CASE("a customer is found by each of its keys, with its system or without") {
    const Bank bank;
    CHECK(key_of(bank.ask("2")) == "2");
    CHECK(key_of(bank.ask("broker:2")) == "2");
    CHECK(key_of(bank.ask("77")) == "2");
    CHECK(key_of(bank.ask("loans:77")) == "2");
  }

  TEST_CASE("a key that two systems have must name one; a foreign system's key is nobody") {
    const Bank bank;
    const auto answer = bank.ask("1");
    CHECK(answer["code"] == "AMBIGUOUS");
    CHECK(answer["text"].get<std::string>().find("broker:1, loans:1") != std::string::npos);
    CHECK(key_of(bank.ask("broker:1")) == "broker:1");
    CHECK(key_of(bank.ask("loans:1")) == "loans:1");
    CHECK(key_of(bank.ask("loans:2")) == "NOT_FOUND");
    CHECK(key_of(bank.ask("shop:77")) == "NOT_FOUND");
    CHECK(key_of(bank.ask("")) == "NOT_FOUND");
  }

  TEST_CASE("what a joined customer brought under its other keys is shown") {
    const Bank bank;
    const auto answer = bank.ask("broker:2");
    REQUIRE(answer["payments"].size() == 1);
    CHECK(answer["payments"][0]["customer_key"] == "77");
    CHECK(answer["offers"].size() >= 3);
  }
}
