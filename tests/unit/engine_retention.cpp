// What retention takes, and what it leaves: offers, their decisions and lines of the feed, in their turns.
#include <doctest/doctest.h>
#include <fmt/core.h>

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

  // Closed on 2024-12-02, so kept until 2029-12-03 and dropped in the week after. Nobody looks until then.
  constexpr core::Instant kLastDay = core::Instant{21886} * core::kDay;  // 2029-12-03, a Monday
  const char* const kMonths =
      "SELECT month,total_loans,total_overdue_loans,sum_issued_loans_minor FROM mart_loan_overdue_month";

  void tell_closed_loan(Branch & branch, std::string_view name) {
    branch.tell("A", wire::Loan{name, 50'000'00, "RUB", "2024-06-01", "2025-06-01", 12, 10'000'00, "2024-12-02"});
    branch.tell("A", wire::InstalmentPayment{name, 1, "2024-10-10", "", 0}, 0, fmt::format("{} 1", name));
    branch.tell("A", wire::InstalmentPayment{name, 1, "2024-10-10", "2024-10-11", 10'000'00}, 0,
                fmt::format("{} 1", name), 1);
  }

  TEST_CASE("a closed loan goes five years later with all that is of it, and its months keep their sums") {
    Branch branch("default");
    branch.at(kStart).meet("A");
    branch.tell("A", wire::Loan{"open", 50'000'00, "RUB", "2024-06-01", "2031-06-01", 84, 10'000'00, ""});
    branch.tell("A", wire::InstalmentPayment{"open", 1, "2024-10-12", "2024-10-12", 10'000'00});
    tell_closed_loan(branch, "car");
    branch.tell("A", wire::LoanChange{"car", "pause", "2024-11-01", "2024-11-05", 0});
    const std::string months = "2024-10|2|1|10000000";
    CHECK(branch.ask(kMonths) == months);
    branch.at(kLastDay + core::kHour).log().tick();
    CHECK(branch.ask("SELECT loan_name,place FROM gold_loan ORDER BY place") == "open|1\ncar|2");
    CHECK(branch.ask("SELECT count(*) FROM silver_instalment_payment") == "3");

    branch.at(kLastDay + 7 * core::kDay + core::kHour).log().tick();
    branch.fold().apply_all();
    branch.fold().restart();  // nothing of that day was flushed: it is done again
    for (int restarts = 0; restarts < 2; ++restarts) {
      CHECK(branch.ask("SELECT loan_name FROM gold_loan") == "open");
      CHECK(branch.ask("SELECT loan_name FROM silver_loan") == "open");
      CHECK(branch.ask("SELECT loan_name FROM silver_instalment_payment") == "open");
      CHECK(branch.ask("SELECT count(*) FROM silver_loan_change") == "0");
      CHECK(branch.ask("SELECT is_dropping,next_loan,loan_count FROM cursor") == "0|1|2");
      CHECK(branch.ask(kMonths) == months);
      branch.fold().restart();
    }
    // What comes again for it is told so and counts nowhere; the place is not given again.
    tell_closed_loan(branch, "car");
    branch.tell("A", wire::LoanChange{"car", "write_off", "2024-11-01", "", 0});
    branch.tell("A", wire::Loan{"new", 10'000'00, "RUB", "2029-06-01", "2031-06-01", 12, 10'000'00, ""});
    branch.tell("B", wire::Loan{"car", 10'000'00, "RUB", "2029-06-01", "2031-06-01", 12, 10'000'00, ""});
    CHECK(branch.ask("SELECT reason,field,count(*) FROM quarantine GROUP BY 1,2") == "TOO_OLD|loan_name|4");
    CHECK(branch.ask("SELECT customer,loan_name,place FROM gold_loan ORDER BY place") == "1|open|1\n1|new|3\n2|car|4");
    CHECK(branch.ask(kMonths) == months);
    // A pack that counts otherwise derives what is held, and leaves what is not.
    branch.log().pack(decide::read_pack_files("original"));
    CHECK(branch.ask(kMonths) == months);
  }

  TEST_CASE("many closed loans go some a record, whenever it is restarted meanwhile") {
    std::string dumps[2];
    for (const bool is_restarted : {false, true}) {
      Branch branch("original");
      branch.at(kStart).meet("A");
      for (int number = 0; number < 40; ++number) tell_closed_loan(branch, fmt::format("L{}", number));
      branch.tell("A", wire::Loan{"open", 50'000'00, "RUB", "2024-06-01", "2031-06-01", 84, 10'000'00, ""});
      std::string counts;
      for (int minute = 0; minute < 4; ++minute) {
        branch.at(kLastDay + 7 * core::kDay + minute * core::kMinute).log().tick();
        counts += branch.ask("SELECT count(*) FROM gold_loan") + " ";
        if (is_restarted) branch.fold().restart();
      }
      CHECK(counts == "25 9 1 1 ");
      dumps[is_restarted] = branch.ask("SELECT * FROM gold_loan") + branch.ask("SELECT * FROM gold_loan_cell") +
                            branch.ask("SELECT * FROM cursor") + branch.ask("SELECT * FROM dropped_loan");
      CHECK(branch.ask("SELECT month,total_loans FROM mart_loan_overdue_month") == "2024-10|40");
      CHECK(branch.ask("SELECT count(*) FROM silver_instalment_payment") == "0");
    }
    CHECK(dumps[0] == dumps[1]);
  }
}
