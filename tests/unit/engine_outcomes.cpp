// Outcomes as facts: which offer they speak of, what its label is, and what later facts make of it (policy.md 6).
#include <doctest/doctest.h>

#include "deliver/queue_record.h"
#include "support/fold.h"
#include "support/scratch_folder.h"

using namespace tellerd;
using tests::Fold;
using tests::LogMaker;
using tests::ScratchFolder;

namespace {

// One customer of pack `original` with three offers, and a desk.
struct Branch {
  Branch() {
    log.zone("UTC");
    log.pack("original");
    wire::Profile profile;
    profile.name = "Anna";
    say("", profile);
    log.queue(wire::Kind::kQueueSession, to_payload(deliver::SessionRecord{"desk", "1", {}}));
    fold.apply_all();
    offer = fold.ask("SELECT offer_id FROM mart_offer ORDER BY offer_id LIMIT 1");
    number = std::stoll(fold.ask("SELECT number FROM offer WHERE printf('%016x',offer_id)='" + offer + "'"));
  }
  void say(std::string_view id, wire::Body body, core::Instant ago_us = 0, std::uint64_t version = 0) {
    wire::Event event;
    event.id = id;
    event.customer = "C1";
    event.occurred_us = log.received_us() - ago_us;
    event.version = version;
    event.body = body;
    log.event(event);
  }
  void tell(std::string_view id, std::string_view code, std::uint64_t version = 0) {
    say(id, wire::Outcome{offer, code, "", 0, promise, "file"}, 0, version);
  }
  void later(core::Instant us) {
    log.arrive_at(log.received_us() + us);
    log.tick();
  }
  deliver::Asker asker() { return {"desk", "1", std::to_string(++requests)}; }
  void lease() {
    log.queue(wire::Kind::kQueueGrant, to_payload(deliver::GrantRecord{asker(), 120'000, {{number, 1, ++epoch}}}));
  }
  void dispose(const std::string& code, bool is_correction = false) {
    deliver::OutcomeRecord record;
    record.asker = asker();
    record.is_correction = is_correction;
    record.offer_id = deliver::offer_id_of(offer);
    record.epoch = epoch;
    record.code = code;
    log.queue(wire::Kind::kQueueOutcome, to_payload(record));
  }
  std::string label() {
    fold.apply_all();
    return fold.ask("SELECT DISTINCT label, label_reason FROM mart_offer_outcome WHERE offer_id='" + offer + "'");
  }
  std::string state() { return fold.ask("SELECT state FROM mart_offer WHERE offer_id='" + offer + "'"); }

  ScratchFolder folder;
  LogMaker log{ingest::ClockMode::kWall};
  Fold fold{log, folder / "teller.db"};
  std::string offer, promise;
  std::int64_t number = 0, epoch = 0, requests = 0;
};

}  // namespace

TEST_SUITE("engine.outcomes") {
  TEST_CASE("what a desk tells is a fact with a label, and a correction its next version") {
    Branch branch;
    branch.lease();
    branch.dispose("ACCEPTED");
    CHECK(branch.label() == "1|accepted");
    CHECK(branch.state() == "DONE");
    branch.dispose("PRICE", true);
    CHECK(branch.label() == "0|rejected");
    CHECK(branch.fold.ask("SELECT code, is_corrected, desk FROM mart_offer_outcome") == "PRICE|1|desk");
    CHECK(branch.fold.ask("SELECT accepted, presented, attempts FROM mart_campaign WHERE presented>0") == "0|1|1");
  }

  TEST_CASE("a correction amends the contact that took place, at its own time") {
    Branch branch;
    branch.lease();
    branch.dispose("NOT_NOW");
    branch.fold.apply_all();
    const std::string when = branch.fold.ask("SELECT occurred_us FROM mart_offer_outcome");
    branch.later(3 * core::kDay);
    branch.dispose("PRICE", true);
    CHECK(branch.label() == "0|rejected");
    CHECK(branch.fold.ask("SELECT occurred_us FROM mart_offer_outcome") == when);
    branch.dispose("NOT_NOW", true);  // and back: fourteen days from the talk, not from the correction
    branch.later(11 * core::kDay);
    CHECK(branch.label() == "0|no answer in 14 days");
  }

  TEST_CASE("a desk corrects what was told elsewhere: the next version of that fact, whatever its own was") {
    Branch branch;
    branch.tell("dial-1", "ACCEPTED", 9'000'000'000);
    CHECK(branch.label() == "1|accepted");
    branch.dispose("PRICE", true);
    CHECK(branch.label() == "0|rejected");
    CHECK(branch.fold.ask("SELECT code, desk, is_corrected FROM mart_offer_outcome") == "PRICE|desk|1");
    branch.dispose("HAS_ALREADY", true);
    branch.fold.apply_all();
    CHECK(branch.fold.ask("SELECT code, desk, is_corrected FROM mart_offer_outcome") == "HAS_ALREADY|desk|1");
    branch.tell("dial-1", "ACCEPTED", 9'000'000'000);  // its producer says again what is amended
    CHECK(branch.label() == "0|rejected");
  }

  TEST_CASE("without being presented there is no label, however long it takes") {
    Branch branch;
    branch.lease();
    branch.dispose("NO_ANSWER");
    CHECK(branch.label() == "NULL|never presented");
    branch.later(15 * core::kDay);
    CHECK(branch.label() == "NULL|never presented");
  }

  TEST_CASE("presented and nothing decided waits fourteen days, then it is a no") {
    Branch branch;
    branch.lease();
    branch.dispose("NOT_NOW");
    CHECK(branch.label() == "NULL|waits");
    branch.later(14 * core::kDay - 1);
    CHECK(branch.label() == "NULL|waits");
    branch.later(1);
    CHECK(branch.label() == "0|no answer in 14 days");
  }

  TEST_CASE("an outcome on ingest ends the offer when it was presented, and not when nobody answered") {
    Branch branch;
    branch.tell("dial-1", "BUSY");
    branch.fold.apply_all();
    CHECK(branch.state() == "READY");
    branch.tell("dial-2", "ACCEPTED");
    CHECK(branch.label() == "1|accepted");
    CHECK(branch.state() == "DONE");
    CHECK(branch.fold.ask("SELECT count(*) FROM mart_offer_outcome") == "2");
    branch.tell("dial-2", "ACCEPTED");        // the same row of the file again
    branch.tell("dial-2", "HAS_ALREADY", 1);  // and a newer one
    CHECK(branch.label() == "0|rejected");
    CHECK(branch.fold.ask("SELECT count(*) FROM mart_offer_outcome") == "2");
  }

  TEST_CASE("an outcome of an offer that stands on a desk is told to its holder") {
    Branch branch;
    branch.lease();
    branch.tell("dial-1", "ACCEPTED");
    branch.fold.apply_all();
    CHECK(branch.fold.ask("SELECT state, is_unacked, reason FROM queue_item") == "3|1|DONE_ELSEWHERE");
    branch.dispose("PRICE");
    branch.fold.apply_all();
    CHECK(branch.fold.ask("SELECT code FROM queue_item") == "ACCEPTED");
  }

  TEST_CASE("an outcome of an offer nobody made waits seven days, then it is refused") {
    Branch branch;
    branch.say("dial-1", wire::Outcome{"00000000000000ff", "ACCEPTED", "", 0, "", "file"});
    branch.later(7 * core::kDay);
    branch.fold.apply_all();
    CHECK(branch.fold.ask("SELECT count(*) FROM quarantine") == "0");
    branch.later(1);
    branch.fold.apply_all();
    CHECK(branch.fold.ask("SELECT reason, field FROM quarantine") == "UNKNOWN_REFERENCE|offer_id");
    CHECK(branch.fold.ask("SELECT count(*) FROM mart_offer_outcome") == "0");
  }

  TEST_CASE("an order that names the offer confirms it, or takes it back") {
    Branch branch;
    branch.lease();
    branch.dispose("ACCEPTED");
    branch.say("O1", wire::Order{"card", 1, 100, "RUB", "cancelled", branch.offer});
    CHECK(branch.label() == "0|order cancelled");
    branch.say("O1", wire::Order{"card", 1, 100, "RUB", "fulfilled", branch.offer}, 0, 1);
    CHECK(branch.label() == "1|order fulfilled");
  }

  TEST_CASE("a promise to pay is kept by an instalment in time, and broken by its day") {
    for (const bool is_paid : {true, false}) {
      CAPTURE(is_paid);
      Branch branch;
      branch.say("", wire::Loan{"car", 100'000'00, "RUB", "2024-01-01", "2026-01-01", 24, 5'000'00, ""});
      branch.say("", wire::InstalmentPayment{"car", 1, "2025-01-02", "", 0});
      branch.promise = core::format_date(static_cast<core::Day>(branch.log.received_us() / core::kDay + 3));
      branch.tell("call-1", "PROMISE_TO_PAY");
      CHECK(branch.label() == "NULL|promised");
      branch.later(2 * core::kDay);
      if (is_paid) {
        const std::string paid_on = core::format_date(static_cast<core::Day>(branch.log.received_us() / core::kDay));
        branch.say("", wire::InstalmentPayment{"car", 1, "2025-01-02", paid_on, 5'000'00}, 0, 1);
        CHECK(branch.label() == "1|promise kept");
      }
      branch.later(2 * core::kDay);
      CHECK(branch.label() == (is_paid ? "1|promise kept" : "0|promise broken"));
    }
  }

  TEST_CASE("a promise is kept or broken when somebody says so, before its day") {
    for (const bool is_kept : {true, false}) {
      Branch branch;
      branch.promise = core::format_date(static_cast<core::Day>(branch.log.received_us() / core::kDay + 30));
      branch.tell("call-1", "PROMISE_TO_PAY");
      CHECK(branch.label() == "NULL|promised");
      branch.tell("ledger-1", is_kept ? "PROMISE_KEPT" : "PROMISE_BROKEN");
      CHECK(branch.label() == (is_kept ? "1|promise kept" : "0|promise broken"));
    }
  }
}
