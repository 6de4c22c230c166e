#include <doctest/doctest.h>
#include <fmt/core.h>

#include "gold/loans.h"
#include "support/branch.h"

using namespace tellerd;
using tests::Branch;
using tests::kMonday;
using wire::InstalmentPayment;
using wire::Loan;
using wire::LoanChange;

namespace {

constexpr core::Instant kToday = kMonday + 10 * core::kDay;  // 2025-01-16

Loan loan(std::string_view name, std::int64_t roubles, std::int64_t planned_minor = 10'000'00) {
  return {name, roubles * 100, "RUB", "2024-06-01", "2025-06-01", 12, planned_minor, ""};
}

const char* const kMonths =
    "SELECT "
    "month,bucket,total_loans,total_overdue_loans,pct_overdue_loans,sum_issued_loans_minor,sum_overdue_payments_minor "
    "FROM mart_loan_overdue_month ORDER BY month,bucket";

}  // namespace

TEST_SUITE("app.engine_loans") {
  // Ten records worked out on paper, instalments of 10 000 roubles planned:
  //   loan     issued  due         paid on     paid      overdue?
  //   A a      50 000  2024-10-10  2024-10-10  10 000    no: on the day
  //   A a      50 000  2024-11-10  2024-11-11  10 000    yes: a day late
  //   A b      50 001  2024-10-05  2024-10-04   9 999.99 yes: a kopeck short
  //   B c     100 000  2024-10-20  2024-10-01  10 000    no: early
  //   B d     100 001  2024-10-31  2024-10-31  12 000    no: more than planned
  //   B d     100 001  2024-10-31  2024-12-01  10 000    yes: the same loan twice in October
  //   C e     500 000  2024-11-01  none                  original: no; default: yes
  //   C f     500 001  2024-11-15  2024-11-20   5 000    yes: late and short
  //   C g      30 000  2024-11-30  2024-11-29  10 000    no
  //   C h      20 000  2024-11-30  2024-12-02       0    yes: late, nothing paid
  // October: <=50000: a 0 of 1; 50001-100000: b, c 1 of 2 = 50 %; 100001-500000: d 1 of 1 (issued twice: 200 002
  // roubles). November: <=50000: a, g, h 2 of 3 = 66.67 %; 100001-500000: e 0 of 1 or 1 of 1; >500000: f 1 of 1.
  void tell_ten(Branch & branch) {
    branch.at(kToday);
    const auto pay = [&](std::string_view customer, std::string_view name, int number, std::string_view due,
                         std::string_view paid_on, std::int64_t paid_minor) {
      branch.tell(customer, InstalmentPayment{name, number, due, paid_on, paid_minor});
    };
    pay("A", "a", 1, "2024-10-10", "2024-10-10", 10'000'00);  // before its loan: order is free
    for (const auto& [customer, name, roubles] : {std::tuple{"A", "a", 50'000},
                                                  {"A", "b", 50'001},
                                                  {"B", "c", 100'000},
                                                  {"B", "d", 100'001},
                                                  {"C", "e", 500'000},
                                                  {"C", "f", 500'001},
                                                  {"C", "g", 30'000},
                                                  {"C", "h", 20'000}})
      branch.tell(customer, loan(name, roubles));
    pay("A", "a", 2, "2024-11-10", "2024-11-11", 10'000'00);
    pay("A", "b", 1, "2024-10-05", "2024-10-04", 9'999'99);
    pay("B", "c", 1, "2024-10-20", "2024-10-01", 10'000'00);
    pay("B", "d", 1, "2024-10-31", "2024-10-31", 12'000'00);
    pay("B", "d", 2, "2024-10-31", "2024-12-01", 10'000'00);
    pay("C", "e", 1, "2024-11-01", "", 0);
    pay("C", "f", 1, "2024-11-15", "2024-11-20", 5'000'00);
    pay("C", "g", 1, "2024-11-30", "2024-11-29", 10'000'00);
    pay("C", "h", 1, "2024-11-30", "2024-12-02", 0);
  }

  TEST_CASE("ten loan records give the overdue shares worked out on paper") {
    Branch branch("original");
    tell_ten(branch);
    CHECK(branch.ask(kMonths) ==
          "2024-10|100001-500000|1|1|100.0|20000200|1000000\n"
          "2024-10|50001-100000|2|1|50.0|15000100|999999\n"
          "2024-10|<=50000|1|0|0.0|5000000|0\n"
          "2024-11|100001-500000|1|0|0.0|50000000|0\n"
          "2024-11|<=50000|3|2|66.67|10000000|1000000\n"
          "2024-11|>500000|1|1|100.0|50000100|500000");
  }

  TEST_CASE("an instalment nobody paid by its day is overdue under the default pack only") {
    Branch branch("default");
    tell_ten(branch);
    CHECK(branch.ask("SELECT total_overdue_loans FROM mart_loan_overdue_month WHERE month='2024-11' AND "
                     "bucket='100001-500000'") == "1");
    CHECK(branch.ask("SELECT loan_name FROM mart_loan_payment WHERE is_overdue AND payment_fact_date IS NULL") == "e");
  }

  TEST_CASE("an exact half of a share rounds up") {
    // 1 of 16 loans is 6.25 %: kept; 1 of 32 is 3.125 %: to 3.13; 3 of 32 is 9.375 %: to 9.38.
    for (const auto& [overdue, share] : {std::pair{1, "3.13"}, {3, "9.38"}}) {
      Branch branch("original");
      branch.at(kToday);
      for (int number = 0; number < 32; ++number) {
        const std::string name = "L" + std::to_string(number);
        branch.tell("A", loan(name, 1000));
        branch.tell(
            "A", InstalmentPayment{name, 1, "2024-10-10", number < overdue ? "2024-10-11" : "2024-10-10", 10'000'00});
      }
      CHECK(branch.ask("SELECT pct_overdue_loans FROM mart_loan_overdue_month") == share);
    }
  }

  TEST_CASE("the upper end of each bucket of days past due belongs to it") {
    int bucket = 0;
    for (const int top : {0, 30, 60, 90, 180}) {
      CHECK(gold::dpd_bucket(top) == bucket);
      CHECK(gold::dpd_bucket(top + 1) == ++bucket);
    }
    bucket = 0;
    for (const std::int64_t roubles : {50'000, 100'000, 500'000}) {
      CHECK(gold::amount_bucket(roubles * 100) == bucket);
      CHECK(gold::amount_bucket(roubles * 100 + 1) == ++bucket);
    }
  }

  TEST_CASE("days past due begin after three days of grace and stand still in a pause") {
    Branch branch("default");
    branch.at(kToday);
    branch.meet("A");
    branch.tell("A", loan("car", 70'000));
    branch.tell("A", InstalmentPayment{"car", 1, "2025-01-16", "", 0});
    const auto dpd_after = [&](int days) {
      branch.at(kToday + days * core::kDay).log().tick();
      return branch.ask("SELECT dpd||' '||dpd_bucket FROM mart_customer");
    };
    CHECK(dpd_after(0) == "0 current");
    CHECK(dpd_after(3) == "0 current");
    CHECK(dpd_after(4) == "1 1-30");
    branch.tell("A", LoanChange{"car", "pause", "2025-01-21", "2025-01-25", 0});  // five days
    CHECK(dpd_after(10) == "2 1-30");  // ten days less three of grace, less five of pause
    CHECK(dpd_after(38) == "30 1-30");
    CHECK(dpd_after(39) == "31 31-60");
    branch.tell("A", InstalmentPayment{"car", 1, "2025-01-16", "2025-02-24", 10'000'00}, 0, "", 1);
    CHECK(dpd_after(40) == "0 current");
    CHECK(branch.ask("SELECT bucket FROM dpd_history ORDER BY number") == "1\n2\n0");
  }

  TEST_CASE("an instalment waits seven days of arrival for its loan and is then refused") {
    Branch branch("default");
    branch.at(kToday);
    branch.tell("A", InstalmentPayment{"ghost", 1, "2025-01-10", "2025-01-10", 1});
    branch.tell("B", InstalmentPayment{"late", 1, "2025-01-10", "2025-01-10", 10'000'00});
    branch.at(kToday + 7 * core::kDay);
    branch.tell("B", loan("late", 1000));
    CHECK(branch.ask("SELECT count(*) FROM quarantine") == "0");
    branch.at(kToday + 7 * core::kDay + 1).log().tick();
    CHECK(branch.ask("SELECT kind,reason,field,state FROM quarantine") ==
          "instalment_payment|UNKNOWN_REFERENCE|loan_name|open");
    CHECK(branch.ask("SELECT loan_name FROM mart_loan_payment") == "late");
  }

  TEST_CASE("month ends tell which loans rolled on, which were cured and which stayed where they were") {
    Branch branch("default");
    branch.at(kToday);  // 2025-01-16
    for (const char* name : {"cured", "rolls", "good", "closed"}) {
      Loan fact = loan(name, 70'000);
      fact.start_date = "2024-12-01";
      if (std::string_view(name) == "closed") fact.closed_date = "2025-02-10";
      branch.tell("A", fact);
    }
    branch.tell("A", InstalmentPayment{"cured", 1, "2025-01-16", "", 0});
    branch.tell("A", InstalmentPayment{"rolls", 1, "2025-02-10", "", 0});
    for (int day = 1; day <= 76; ++day) {  // up to 2025-04-02
      branch.at(kToday + day * core::kDay).log().tick();
      if (day == 53) branch.tell("A", InstalmentPayment{"cured", 1, "2025-01-16", "2025-03-10", 10'000'00}, 0, "", 1);
    }
    // Past due less three days of grace: cured 12 on 01-31, 40 on 02-28, none on 03-31; rolls 15 on 02-28, 46 on 03-31.
    CHECK(branch.ask("SELECT * FROM mart_dpd_transition ORDER BY 1,2,3") ==
          "2025-02|0|0|1\n2025-02|0|1|1\n2025-02|1|2|1\n"
          "2025-03|0|0|1\n2025-03|1|2|1\n2025-03|2|0|1");
  }

  TEST_CASE("a borrower known to two systems has the region that the system of the loan tells") {
    Branch branch("default");
    branch.at(kToday);
    for (int number = 0; number < 5; ++number) {
      const std::string elsewhere = "A" + std::to_string(number), borrower = "B" + std::to_string(number);
      branch.meet(elsewhere);
      wire::Profile profile;
      profile.region = "north";
      branch.tell(borrower, profile);
      branch.tell(borrower, loan("a", 1'000));
      branch.tell(borrower, InstalmentPayment{"a", 1, "2025-01-10", "2025-01-10", 10'000'00});
      branch.tell(elsewhere, wire::Alias{"", borrower, true});
    }
    CHECK(branch.ask("SELECT value,loans FROM mart_overdue_group WHERE dimension='region'") == "north|5");
    CHECK(branch.ask("SELECT DISTINCT region FROM mart_loan_payment") == "north");
  }

  // The view is open to everybody: a region with one borrower would tell how he pays.
  TEST_CASE("groups of fewer than five borrowers stand together, and no difference to the total tells of them") {
    const auto groups = [](const std::vector<std::pair<const char*, int>>& borrowers) {
      Branch branch("default");
      branch.at(kToday);
      int customer = 0;
      for (const auto& [region, count] : borrowers)
        for (int number = 0; number < count; ++number) {
          const std::string key = "C" + std::to_string(++customer);
          wire::Profile profile;
          profile.region = region;
          branch.tell(key, profile);
          branch.tell(key, loan("a", 1'000));
          branch.tell(key, loan("b", 1'000));  // two loans are one borrower
        }
      return branch.ask(
          "SELECT value,loans,overdue_loans,sum_amount_minor FROM mart_overdue_group WHERE dimension='region' "
          "ORDER BY value");
    };
    CHECK(groups({{"east", 7}, {"north", 5}}) == "east|14|0|1400000\nnorth|10|0|1000000");
    CHECK(groups({{"east", 7}, {"north", 6}, {"south", 3}, {"west", 2}}) ==
          "east|14|0|1400000\nfew|10|0|1000000\nnorth|12|0|1200000");
    CHECK(groups({{"east", 7}, {"north", 6}, {"south", 1}}) == "east|14|0|1400000\nfew|14|0|1400000");
    CHECK(groups({{"north", 6}, {"", 1}}) == "few|14|0|1400000");
    CHECK(groups({{"east", 2}, {"north", 2}}).empty());
  }
}
