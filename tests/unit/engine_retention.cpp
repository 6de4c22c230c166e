// What retention takes, and what it leaves: offers, their decisions and lines of the feed, in their turns.
#include <doctest/doctest.h>

#include "support/branch.h"

using namespace tellerd;
using tests::Branch;

namespace {

constexpr core::Instant kStart = tests::kMonday + 30 * core::kWeek;

std::int64_t number_of(Branch& branch, const std::string& sql) { return std::stoll(branch.ask(sql)); }

}  // namespace

TEST_SUITE("app.engine_retention") {
  TEST_CASE("offers go when 64 weeks have passed since the week they were made in, lines of the feed after 8") {
    Branch branch("original");
    branch.at(kStart).meet("A");
    CHECK(branch.ask("SELECT min(number)||'|'||max(number) FROM offer_made") == "1|3");
    const auto go_on = [&](core::Week week) {
      branch.at(kStart + week * core::kWeek + core::kDay);
      branch.log().tick();
    };
    for (core::Week week = 1; week <= 64; ++week) go_on(week);
    CHECK(branch.ask("SELECT number,state FROM offer_told WHERE number<=3") == "1|EXPIRED\n2|EXPIRED\n3|EXPIRED");
    const auto oldest_line_us = [&] { return number_of(branch, "SELECT min(at_us) FROM outbox"); };
    CHECK(oldest_line_us() >= kStart + (64 - 8) * core::kWeek);
    CHECK(oldest_line_us() <= kStart + (64 - 8 + 1) * core::kWeek + core::kDay);

    go_on(65);
    CHECK(number_of(branch, "SELECT min(number) FROM offer_made") == 4);
    CHECK(number_of(branch, "SELECT count(*) FROM offer_end WHERE number<4") == 0);
    CHECK(branch.ask("SELECT first_offer,is_dropping FROM cursor") == "4|0");
    CHECK(branch.ask("SELECT state,count(*)>2 FROM mart_offer GROUP BY 1") == "EXPIRED|1\nREADY|1");
  }

  TEST_CASE("an outcome that is late for an offer that went waits as for one that never was") {
    Branch branch("original");
    branch.at(kStart).meet("A");
    branch.pay("A", 100'000'00);
    const std::string gone = branch.ask("SELECT offer_id FROM mart_offer ORDER BY offer_id LIMIT 1");
    for (core::Week week = 1; week <= 70; ++week) {
      branch.at(kStart + week * core::kWeek + core::kDay);
      branch.log().tick();
    }
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE offer_id='" + gone + "'") == "0");
    wire::Outcome outcome;
    outcome.offer_id = gone;
    outcome.code = "ACCEPTED";
    branch.tell("A", outcome);
    CHECK(branch.ask("SELECT count(*) FROM waiting_reference") == "1");
    CHECK(branch.ask("SELECT count(*) FROM mart_offer_outcome") == "0");
    branch.fold().restart();
    branch.tell("A", outcome, 0, "again");
    CHECK(branch.ask("SELECT count(*) FROM waiting_reference") == "2");
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "3");
  }

  TEST_CASE("an offer that stands keeps itself and all that came after it") {
    auto files = decide::read_pack_files("original");
    std::string& offers = files["offers.toml"];
    const std::size_t at = offers.find("days_valid = ", offers.find("action = \"welcome_bonus\""));
    offers.replace(at, offers.find('\n', at) - at, "days_valid = 500");
    Branch branch(files);
    branch.at(kStart).meet("A");
    for (core::Week week = 1; week <= 80; ++week) {
      branch.at(kStart + week * core::kWeek + core::kDay);
      branch.log().tick();
      if (week == 70) CHECK(branch.ask("SELECT min(number),(SELECT first_offer FROM cursor) FROM offer_made") == "1|1");
    }
    CHECK(number_of(branch, "SELECT min(number) FROM offer_made") > 1);
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "3");
  }

  TEST_CASE("decisions go with their offers, and silences of those weeks") {
    Branch branch("default");
    branch.at(kStart);
    for (const char* customer : {"A", "B", "C", "D", "E", "F"}) {
      branch.meet(customer);
      branch.pay(customer, 90'000'00);
    }
    const std::int64_t decided = number_of(branch, "SELECT count(*) FROM decision");
    CHECK(decided > 0);
    for (core::Week week = 1; week <= 66; ++week) {
      branch.at(kStart + week * core::kWeek + core::kDay);
      for (const char* customer : {"A", "B", "C", "D", "E", "F"})
        if (week % 5 == 0) branch.pay(customer, 90'000'00);
      branch.log().tick();
    }
    CHECK(number_of(branch, "SELECT count(*) FROM decision WHERE offer>0") > 0);
    CHECK(number_of(branch, "SELECT min(at_us) FROM decision") >= kStart + core::kWeek);
    CHECK(number_of(branch,
                    "SELECT count(*) FROM decision d WHERE d.offer>0 AND NOT EXISTS (SELECT 1 FROM offer_made o WHERE "
                    "o.number=d.offer)") == 0);
    CHECK(number_of(branch,
                    "SELECT count(*) FROM offer_made o WHERE NOT EXISTS (SELECT 1 FROM decision d WHERE "
                    "d.offer=o.number AND d.offer>0)") == 0);
  }
}
