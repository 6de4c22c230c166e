// The contact policy in the engine: judged where a lease is granted, by what facts and outcomes say, and the same after
// a restart.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include "deliver/queue_record.h"
#include "support/fold.h"
#include "support/scratch_folder.h"
#include "tellerctl/marts/dialler.h"

using namespace tellerd;
using tests::Fold;
using tests::LogMaker;
using tests::ScratchFolder;

namespace {

decide::PackFiles held_pack() {  // the default pack, but every template of a segment is held: three offers a customer
  decide::PackFiles files = decide::read_pack_files("default");
  files.erase("actions.toml");
  return files;
}

// Customers of the default pack with three offers each, and a desk; noon of a Wednesday in the branch's zone, UTC.
struct Branch {
  explicit Branch(const decide::PackFiles& pack = held_pack()) {
    log.arrive_at(tests::kMonday + 2 * core::kDay + 12 * core::kHour);
    log.zone("UTC");
    log.pack(pack);
    log.queue(wire::Kind::kQueueSession, to_payload(deliver::SessionRecord{"desk", "1", {}}));
  }
  void say(std::string_view customer, wire::Body body, std::uint64_t version = 0) {
    wire::Event event;
    event.id = id = "E" + std::to_string(++ids);
    event.customer = customer;
    event.occurred_us = log.received_us();
    event.version = version;
    event.body = std::move(body);
    log.event(event);
    fold.apply_all();
  }
  void meet(std::string_view customer, std::string_view zone = "") {
    wire::Profile profile;
    profile.name = "Anna";
    profile.timezone = zone;
    say(customer, profile);
  }
  void consent(std::string_view customer, bool is_granted = true, std::string_view evidence = "form") {
    say(customer, wire::Consent{"marketing", "all", is_granted, evidence, ""});
  }
  void later(core::Instant us) {
    log.arrive_at(log.received_us() + us);
    log.tick();
    fold.apply_all();
  }
  deliver::Asker asker() { return {"desk", "1", std::to_string(++requests)}; }
  std::int64_t epoch(std::int64_t number) {
    return std::stoll(
        fold.ask(fmt::format("SELECT coalesce((SELECT epoch FROM queue_item WHERE number={}),0)", number)));
  }
  // Which of these were granted, asked for in one pull.
  std::vector<std::int64_t> pull(const std::vector<std::int64_t>& numbers) {
    deliver::GrantRecord record{asker(), 120'000, {}};
    for (const std::int64_t number : numbers)
      record.offers.push_back({number,
                               static_cast<std::uint32_t>(std::stoll(
                                   fold.ask(fmt::format("SELECT customer FROM offer WHERE number={}", number)))),
                               epoch(number) + 1});
    log.queue(wire::Kind::kQueueGrant, to_payload(record));
    fold.apply_all();
    std::vector<std::int64_t> granted;
    if (const auto* answer = fold.engine().queues()->answer_to(record.asker))
      for (const auto& one : answer->granted) granted.push_back(one.number);
    return granted;
  }
  std::int64_t waiting() {  // the oldest that stands, and has no outcome
    return std::stoll(
        fold.ask("SELECT min(o.number) FROM offer o JOIN offer_state s ON s.number=o.number WHERE o.state='READY' AND "
                 "s.state='READY'"));
  }
  bool may_pull(std::int64_t number) {
    const bool is_granted = !pull({number}).empty();
    if (is_granted) lease(number, deliver::LeaseVerb::kRelease);
    return is_granted;
  }
  void lease(std::int64_t number, deliver::LeaseVerb verb) {
    deliver::LeaseRecord record;
    record.asker = asker();
    record.verb = verb;
    record.offer_id = std::stoll(fold.ask(fmt::format("SELECT offer_id FROM queue_item WHERE number={}", number)));
    record.epoch = epoch(number);
    log.queue(wire::Kind::kQueueLease, to_payload(record));
    fold.apply_all();
  }
  void dispose(std::int64_t number, const std::string& code, bool is_correction = false) {
    deliver::OutcomeRecord record;
    record.asker = asker();
    record.is_correction = is_correction;
    record.offer_id = std::stoll(fold.ask(fmt::format("SELECT offer_id FROM queue_item WHERE number={}", number)));
    record.epoch = epoch(number);
    record.code = code;
    log.queue(wire::Kind::kQueueOutcome, to_payload(record));
    fold.apply_all();
  }
  void restart() {
    fold.flush();
    fold.restart();
  }

  ScratchFolder folder;
  LogMaker log{ingest::ClockMode::kWall};
  Fold fold{log, folder / "teller.db"};
  std::string id;
  std::int64_t ids = 0, requests = 0;
};

decide::PackFiles pack_with(const std::string& from, const std::string& to) {
  decide::PackFiles files = held_pack();
  std::string& text = files["contact.toml"];
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  return files;
}

using Numbers = std::vector<std::int64_t>;

}  // namespace

TEST_SUITE("engine.contact") {
  TEST_CASE("nobody is leased without a consent, its evidence, and the hours being open") {
    Branch branch;
    branch.meet("C1");
    CHECK_FALSE(branch.may_pull(1));
    branch.consent("C1", true, "");
    CHECK_FALSE(branch.may_pull(1));
    branch.consent("C1");
    CHECK(branch.may_pull(1));
    branch.restart();
    CHECK(branch.may_pull(1));
    branch.consent("C1", false);
    CHECK_FALSE(branch.may_pull(1));
    branch.consent("C1");
    branch.later(8 * core::kHour);  // eight in the evening
    CHECK_FALSE(branch.may_pull(1));
  }

  TEST_CASE("who takes the consent back, or complains, is taken from the desk at once") {
    Branch branch;
    branch.meet("C1");
    branch.consent("C1");
    CHECK(branch.pull({1}) == Numbers{1});
    branch.consent("C1", false);
    CHECK(branch.fold.ask("SELECT state,is_unacked,reason FROM queue_item WHERE number=1") == "6|1|WITHDRAWN");
    branch.consent("C1");
    CHECK(branch.fold.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "3");
    CHECK(branch.pull({4}).size() + branch.pull({2}).size() == 1);
    branch.say("C1", wire::Restriction{"complaint", true, "letter", ""});
    CHECK(branch.fold.ask("SELECT count(*) FROM queue_item WHERE state=1") == "0");
  }

  TEST_CASE("pack original lends without asking anybody") {
    Branch branch(decide::read_pack_files("original"));
    branch.meet("C1");
    branch.later(12 * core::kHour);
    CHECK(branch.pull({1, 2, 3}) == Numbers{1, 2, 3});
  }

  TEST_CASE("one pull takes one offer of a customer who may be called once") {
    Branch branch;
    for (const char* customer : {"C1", "C2"}) {
      branch.meet(customer);
      branch.consent(customer);
    }
    CHECK(branch.pull({1, 2, 3, 4, 5}) == Numbers{1, 4});
    branch.restart();
    CHECK(branch.pull({2, 5}) == Numbers{});
    branch.lease(1, deliver::LeaseVerb::kRelease);
    CHECK(branch.pull({2, 5}) == Numbers{2});
  }

  TEST_CASE("an outcome counts by what it was, a correction counts instead of it") {
    Branch branch;
    branch.meet("C1");
    branch.consent("C1");
    CHECK(branch.pull({1}) == Numbers{1});
    branch.dispose(1, "DO_NOT_CALL");
    branch.later(20 * core::kDay);
    CHECK_FALSE(branch.may_pull(branch.waiting()));
    branch.restart();
    CHECK_FALSE(branch.may_pull(branch.waiting()));
    branch.dispose(1, "CALLBACK", true);
    CHECK(branch.may_pull(branch.waiting()));  // he was called twenty days ago, and may be
  }

  TEST_CASE("a corrected contact counts when it took place, not when it was corrected") {
    Branch branch;
    branch.meet("C1");
    branch.consent("C1");
    CHECK(branch.pull({1}) == Numbers{1});
    branch.dispose(1, "DO_NOT_CALL");
    branch.later(12 * core::kDay);
    branch.dispose(1, "CALLBACK", true);
    branch.later(core::kDay);
    CHECK_FALSE(branch.may_pull(branch.waiting()));
    branch.later(core::kDay);
    CHECK(branch.may_pull(branch.waiting()));
  }

  TEST_CASE("hours are the customer's, who may move") {
    Branch branch;
    branch.meet("C1", "Asia/Kamchatka");  // it is midnight there
    branch.consent("C1");
    CHECK_FALSE(branch.may_pull(1));
    branch.restart();
    CHECK_FALSE(branch.may_pull(1));
    wire::Profile profile;
    profile.name = "Anna";
    profile.timezone = "Europe/Moscow";
    branch.say("C1", profile, 1);
    CHECK(branch.may_pull(1));
  }

  TEST_CASE("what one key was told holds for the customer that it is joined with") {
    Branch branch;
    branch.meet("C1");
    branch.consent("C1");
    branch.say("C2", wire::Restriction{"do_not_call", true, "branch", ""});
    CHECK(branch.may_pull(1));
    branch.say("C1", wire::Alias{"", "C2", true});
    const std::int64_t now = std::stoll(branch.fold.ask("SELECT max(number) FROM offer"));
    CHECK_FALSE(branch.may_pull(now));
    branch.restart();
    CHECK_FALSE(branch.may_pull(now));
    branch.say("C1", wire::Alias{"", "C2", false}, 1);
    const std::int64_t then = std::stoll(branch.fold.ask("SELECT min(number) FROM offer WHERE state='READY'"));
    CHECK(branch.may_pull(then));
  }

  TEST_CASE("a queue's day is full at its capacity, also after a restart, and begins anew") {
    Branch branch(
        pack_with("[capacity]                # offers taken of each queue a day; 0 is no limit\nmarketing = 0",
                  "[capacity]\nmarketing = 2"));
    for (const char* customer : {"C1", "C2", "C3"}) {
      branch.meet(customer);
      branch.consent(customer);
    }
    CHECK(branch.pull({1, 4, 7}) == Numbers{1, 4});
    branch.restart();
    CHECK(branch.pull({7}) == Numbers{});
    branch.later(core::kDay);
    CHECK(branch.pull({7}) == Numbers{7});
  }

  TEST_CASE("a dialler's file has nobody who may not be called, whatever the hour") {
    Branch branch;
    branch.meet("C1");
    branch.meet("C2");
    branch.consent("C1");
    const auto may_be_called = [&branch](const std::string& key) {
      branch.fold.flush();
      auto store = store::Database::open_reader(branch.folder / "teller.db");
      const auto forbidden = tellerctl::not_for_the_dialler(store);
      store::Statement offers(store,
                              "SELECT offer_id FROM mart_offer WHERE state='READY' AND customer_key LIKE '%'||?1");
      offers.bind(1, std::string_view(key));
      std::size_t allowed = 0;
      while (offers.step()) allowed += !forbidden.contains(std::string(offers.text(0)));
      return allowed;
    };
    CHECK(may_be_called("C1") == 3);
    CHECK(may_be_called("C2") == 0);  // no consent
    branch.later(12 * core::kHour);   // midnight
    CHECK(may_be_called("C1") == 3);
    branch.say("C1", wire::Restriction{"do_not_call", true, "customer", ""});
    CHECK(may_be_called("C1") == 0);
  }

  TEST_CASE("what is of a higher priority comes into a full queue, and the lowest that waits leaves it") {
    Branch branch(pack_with("refused; 0 is no limit\nmarketing = 0", "refused; 0 is no limit\nmarketing = 2"));
    branch.meet("C1");  // three of priority 5: two wait
    branch.meet("C2");
    const char* const states =
        "SELECT substr(customer_key,-2), state, count(*) FROM mart_offer GROUP BY 1, 2 ORDER BY 1, 2";
    CHECK(branch.fold.ask(states) == "C1|QUEUE_FULL|1\nC1|READY|2\nC2|QUEUE_FULL|3");
    branch.say("C2",
               wire::Transaction{90'000'000, "RUB", "debit", 5411, "", "", ""});  // premium: priorities 2, 3 and 5
    CHECK(branch.fold.ask(states) == "C1|QUEUE_FULL|3\nC2|QUEUE_FULL|4\nC2|READY|2");
    CHECK(branch.fold.ask("SELECT group_concat(offer_priority) FROM mart_offer WHERE state='READY'") == "2,3");
    CHECK(branch.fold.ask("SELECT refused FROM queue_day") == "7");
    branch.restart();
    CHECK(branch.fold.engine().queues()->ready_count(0) == 2);
  }

  TEST_CASE("a full queue refuses what is of the lowest priority, once, and says so") {
    Branch branch(pack_with("refused; 0 is no limit\nmarketing = 0", "refused; 0 is no limit\nmarketing = 2"));
    branch.meet("C1");  // two of priority 5 and one of 5: the third finds no room
    CHECK(branch.fold.ask("SELECT state,count(*) FROM mart_offer GROUP BY state ORDER BY state") ==
          "QUEUE_FULL|1\nREADY|2");
    CHECK(branch.fold.ask("SELECT refused FROM queue_day") == "1");
    branch.meet("C2");
    CHECK(branch.fold.ask("SELECT refused FROM queue_day") == "4");
    branch.say("C2", wire::Login{true, "", ""});
    branch.say("C2", wire::Activity{"page", 1, 1});
    CHECK(branch.fold.ask("SELECT refused FROM queue_day") == "4");
    branch.restart();
    const auto kind = std::stoi(branch.fold.ask("SELECT max(template) FROM offer"));
    CHECK_FALSE(branch.fold.engine().queues()->has_room(static_cast<deliver::OfferKind>(kind)));
    branch.say("C1", wire::Transaction{90'000'000, "RUB", "debit", 5411, "", "", ""});  // another segment
    branch.say("C2", wire::Login{true, "", ""});
    CHECK(branch.fold.ask("SELECT count(*)>0 FROM mart_offer WHERE state='READY' AND customer_key LIKE '%C1'") == "1");
  }
}
