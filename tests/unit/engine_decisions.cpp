#include <doctest/doctest.h>

#include "support/branch.h"
#include "support/world.h"

using namespace tellerd;
using tests::Branch;
using tests::kMonday;
using wire::Login;
using wire::Transaction;

namespace {
const char* const kSegment = "SELECT tier||'/'||combined_segment FROM mart_customer";
const char* const kOffers =
    "SELECT action,expected_revenue_minor,state FROM mart_offer ORDER BY state,expected_revenue_minor DESC";
}  // namespace

TEST_SUITE("app.engine_decisions") {
  TEST_CASE("tiers and segments begin exactly at their thresholds") {
    // domain.md 5, in kopecks: one below and at each.
    struct Case {
      std::int64_t total;
      int logins, activities;
      const char* should;
    };
    for (const Case& one : {Case{4'999'999, 0, 0, "Basic/Transaction Only"},
                            {5'000'000, 0, 0, "Standard/Standard Passive"},
                            {5'000'000, 5, 0, "Standard/Standard Active"},
                            {9'999'999, 4, 0, "Standard/Standard Passive"},
                            {10'000'000, 9, 0, "Premium/Premium Passive"},
                            {10'000'000, 10, 0, "Premium/Premium Active"},
                            {19'999'999, 5, 0, "Premium/Premium Passive"},
                            {20'000'000, 4, 0, "Premium/Premium Passive"},
                            {20'000'000, 5, 0, "VIP/VIP Active"},
                            {100, 10, 20, "Premium/Premium Active"},
                            {100, 10, 19, "Basic/Transaction Only"},
                            {100, 9, 20, "Basic/Transaction Only"}}) {
      Branch branch("original");
      branch.meet("A");
      branch.pay("A", one.total);
      for (int login = 0; login < one.logins; ++login) branch.tell("A", Login{false, "", ""});
      for (int activity = 0; activity < one.activities; ++activity) branch.tell("A", wire::Activity{"page", 1, 1});
      CHECK(branch.ask(kSegment) == one.should);
    }
    Branch holder("original");
    holder.meet("A");
    holder.tell("A", wire::Holding{"ETF", "x", 1'000'000, 0, 50'000'000, "RUB", ""});
    CHECK(holder.ask(kSegment) == "VIP/VIP Passive");
    CHECK(holder.ask("SELECT DISTINCT days_valid FROM mart_offer WHERE state='READY'") == "30");
  }

  TEST_CASE("expected revenue follows the turnover's steps and a change supersedes") {
    Branch branch("original");
    branch.meet("A");
    CHECK(
        branch.ask(kOffers) ==
        "welcome_bonus|70000|READY\nbasic_banking_package|35000|READY\nmobile_banking_app|14000|READY");  // under 50
                                                                                                          // 000: x 0.7
    branch.pay("A", 50'000'00);  // exactly 50 000: x 1, and Standard Passive
    CHECK(branch.ask("SELECT expected_revenue_minor FROM mart_offer WHERE state='READY' ORDER BY 1 DESC") ==
          "500000\n300000\n200000");
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='SUPERSEDED'") == "3");
    CHECK(branch.ask("SELECT DISTINCT days_valid FROM mart_offer WHERE state='READY'") == "14");
    branch.pay("A", 450'000'00);  // exactly 500 000, Premium Passive: x 1
    CHECK(branch.ask("SELECT max(expected_revenue_minor) FROM mart_offer WHERE state='READY'") == "1200000");
    branch.pay("A", 1);
    CHECK(branch.ask("SELECT max(expected_revenue_minor) FROM mart_offer WHERE state='READY'") == "1440000");
    branch.pay("A", 500'000'00);
    CHECK(branch.ask("SELECT max(expected_revenue_minor) FROM mart_offer WHERE state='READY'") == "1800000");
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "3");
    CHECK(branch.ask("SELECT count(DISTINCT offer_id)=count(*) FROM mart_offer") == "1");
  }

  TEST_CASE("an expiry found late renews once, dated now") {
    Branch branch("original");
    branch.meet("A");
    branch.at(kMonday + 7 * core::kDay - 1).log().tick();
    CHECK(branch.ask("SELECT count(*) FROM mart_offer") == "3");
    branch.at(kMonday + 30 * core::kDay).log().tick();  // valid for seven days: four times over
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='EXPIRED'") == "3");
    CHECK(branch.ask("SELECT DISTINCT created_us,expires_us FROM mart_offer WHERE state='READY'") ==
          std::to_string(kMonday + 30 * core::kDay) + "|" + std::to_string(kMonday + 37 * core::kDay));
  }

  TEST_CASE("an offer that expires before its neighbours is renewed alone") {
    decide::PackFiles files = decide::read_pack_files("original");
    std::string& text = files.at("offers.toml");
    const std::size_t at = text.find("days_valid = 7", text.find("action = \"welcome_bonus\""));
    text.replace(at, 14, "days_valid = 5");
    Branch branch(files);
    branch.meet("A");
    branch.at(kMonday + 5 * core::kDay).log().tick();
    CHECK(branch.ask("SELECT action,state FROM mart_offer ORDER BY action,state") ==
          "basic_banking_package|READY\nmobile_banking_app|READY\nwelcome_bonus|EXPIRED\nwelcome_bonus|READY");
  }

  TEST_CASE("no offer is decided before a profile is known, nor for one whose profile left with an undone join") {
    Branch branch("original");
    branch.pay("A", 1);
    CHECK(branch.ask("SELECT count(*) FROM mart_offer") == "0");
    branch.meet("B");
    branch.tell("A", wire::Alias{"", "B", true});
    CHECK(branch.ask("SELECT key,combined_segment FROM mart_customer") == "A|Transaction Only");
    branch.tell("A", wire::Alias{"", "B", false}, 0, "", 1);
    CHECK(branch.ask("SELECT key,combined_segment FROM mart_customer ORDER BY 1") == "A|NULL\nB|Low Engagement");
    CHECK(branch.ask("SELECT DISTINCT customer_key FROM mart_offer WHERE state='READY'") == "B");
  }

  TEST_CASE("a downgrade waits fourteen days and is cancelled when the reason goes") {
    Branch branch("default");
    branch.meet("A");
    branch.tell("A", Transaction{10'000'000, "RUB", "debit", 5411, "", "", ""}, 0, "big");
    CHECK(branch.ask(kSegment) == "Premium/Premium Passive");
    branch.tell("A", Transaction{9'000'000, "RUB", "debit", 5411, "", "", ""}, 0, "big",
                1);  // at the leave threshold: stays
    branch.at(kMonday + 20 * core::kDay).log().tick();
    CHECK(branch.ask(kSegment) == "Premium/Premium Passive");
    branch.tell("A", Transaction{8'999'999, "RUB", "debit", 5411, "", "", ""}, 0, "big", 2);
    branch.at(kMonday + 34 * core::kDay - 1).log().tick();
    CHECK(branch.ask(kSegment) == "Premium/Premium Passive");
    branch.tell("A", Transaction{9'000'000, "RUB", "debit", 5411, "", "", ""}, 0, "big",
                3);  // cancelled at the last moment
    branch.at(kMonday + 35 * core::kDay).log().tick();
    CHECK(branch.ask(kSegment) == "Premium/Premium Passive");
    branch.tell("A", Transaction{8'999'999, "RUB", "debit", 5411, "", "", ""}, 0, "big", 4);
    branch.at(kMonday + 49 * core::kDay).log().tick();
    CHECK(branch.ask(kSegment) == "Standard/Standard Passive");
    CHECK(branch.ask("SELECT tier_since_us FROM mart_customer") == std::to_string(kMonday + 49 * core::kDay));
  }

  TEST_CASE("a downgrade that waits when the profile goes does not keep the engine waiting") {
    Branch branch("default");
    branch.meet("B");
    branch.tell("A", Transaction{10'000'000, "RUB", "debit", 5411, "", "", ""}, 0, "big");
    branch.tell("A", wire::Alias{"", "B", true});
    branch.tell("A", Transaction{1, "RUB", "debit", 5411, "", "", ""}, 0, "big", 1);
    branch.tell("A", wire::Alias{"", "B", false}, 0, "", 1);
    branch.at(kMonday + 15 * core::kDay).log().tick();
    CHECK(branch.ask("SELECT tier FROM mart_customer WHERE key='A'") == "NULL");
  }

  TEST_CASE("windows hold 52, 26 and 13 weeks with the running one") {
    Branch branch("default");
    branch.meet("A");
    branch.pay("A", 100, kMonday + core::kDay);
    branch.at(kMonday + core::kDay);
    branch.pay("A", 100);
    branch.tell("A", Login{true, "", ""});
    branch.tell("A", Login{false, "", ""});
    branch.tell("A", wire::Activity{"page", 3, 2});
    branch.tell("A", wire::BillPayment{500, "RUB", "", "Completed"});
    branch.tell("A", wire::BillPayment{500, "RUB", "", "Pending"});
    const auto counts_in_week = [&](int week) {
      branch.at(kMonday + week * core::kWeek).log().tick();
      return branch.ask(
          "SELECT transaction_count,transaction_max_minor,login_count,activity_count,activity_minutes,bill_count FROM "
          "mart_customer");
    };
    CHECK(counts_in_week(12) == "1|100|1|1|3|1");
    CHECK(counts_in_week(13) == "1|100|1|0|0|1");
    CHECK(counts_in_week(25) == "1|100|1|0|0|1");
    CHECK(counts_in_week(26) == "1|100|0|0|0|1");
    CHECK(counts_in_week(51) == "1|100|0|0|0|1");
    CHECK(counts_in_week(52) == "0|0|0|0|0|0");
  }

  TEST_CASE("a customer churns after twelve weeks without a transaction, returns, and is active again") {
    Branch branch("default");
    branch.pay("A", 100);
    const auto state_in_week = [&](int week) {
      branch.at(kMonday + week * core::kWeek).log().tick();
      return branch.ask("SELECT churn_state,inactive_weeks FROM mart_customer");
    };
    CHECK(state_in_week(0) == "active|0");
    CHECK(state_in_week(12) == "active|12");
    CHECK(state_in_week(13) == "churned|13");
    branch.pay("A", 100);
    CHECK(branch.ask("SELECT churn_state,inactive_weeks FROM mart_customer") == "returned|0");
    branch.at(kMonday + 20 * core::kWeek);
    branch.pay("A", 100);
    CHECK(state_in_week(24) == "returned|4");
    CHECK(state_in_week(25) == "active|5");
    CHECK(branch.ask("SELECT count(*) FROM churn_history") == "4");
  }

  TEST_CASE("a week's bit goes only with its last fact, and all bits leave after 63 weeks") {
    Branch branch("default");
    branch.tell("A", Transaction{100, "RUB", "debit", 5411, "", "", ""}, kMonday - core::kWeek, "one");
    branch.tell("A", Transaction{100, "RUB", "debit", 5411, "", "", ""}, kMonday - core::kWeek, "two");
    const auto bits = [&] { return branch.ask("SELECT tx_weeks,inactive_weeks FROM mart_customer"); };
    CHECK(bits() == "2|1");
    branch.tell("A", Transaction{100, "RUB", "debit", 5411, "", "", ""}, kMonday, "one", 1);  // moved to this week
    CHECK(bits() == "3|0");
    branch.tell("A", Transaction{100, "RUB", "debit", 5411, "", "", ""}, kMonday - 2 * core::kWeek, "two", 1);
    CHECK(bits() == "5|0");
    branch.at(kMonday + 60 * core::kWeek).log().tick();
    CHECK(bits() == std::to_string((std::uint64_t{5} << 60) & INT64_MAX) + "|60");
    branch.at(kMonday + 62 * core::kWeek).log().tick();
    CHECK(bits() == std::to_string(std::uint64_t{1} << 62) + "|62");
    branch.at(kMonday + 63 * core::kWeek).log().tick();
    CHECK(bits() == "0|NULL");
  }

  TEST_CASE("a fact without a rate waits, and a rate that comes or changes converts it") {
    Branch branch("default");
    const char* const total = "SELECT transaction_count,transaction_total_minor,tx_weeks FROM mart_customer";
    branch.at(kMonday + core::kDay);
    branch.tell("A", Transaction{10'01, "USD", "debit", 5411, "", "", ""}, kMonday + core::kHour);
    CHECK(branch.ask(total) == "0|0|0");
    CHECK(branch.ask(
              "SELECT system,kind,verdict,count FROM mart_data_quality WHERE verdict NOT IN ('accepted','late')") ==
          "main|transaction|NO_RATE|1");
    branch.tell("", wire::Rate{"USD", "RUB", 90'000'000, ""}, kMonday + 2 * core::kHour,
                "later");  // after the fact: of no use
    CHECK(branch.ask(total) == "0|0|0");
    branch.tell("", wire::Rate{"USD", "RUB", 90'500'000, ""}, kMonday, "r1");
    CHECK(branch.ask(total) == "1|90591|1");  // 1001 * 90.5 = 90590.5: halves round up
    branch.tell("", wire::Rate{"USD", "RUB", 100'000'000, ""}, kMonday + core::kHour,
                "r2");  // not after the fact: the latest
    CHECK(branch.ask(total) == "1|100100|1");
    branch.tell("", wire::Rate{"USD", "RUB", 80'000'000, ""}, kMonday + core::kHour, "r2", 1);
    CHECK(branch.ask(total) == "1|80080|1");
    branch.log().pack("original");
    CHECK(branch.ask(total) == "1|1001|1");
  }

  TEST_CASE("a fact some minutes into the next week stands in that week, and nothing else moves early") {
    Branch branch("default");
    const core::Instant before_midnight = kMonday + core::kWeek - core::kMinute;
    branch.meet("A");
    branch.pay("A", 100, kMonday + core::kDay - 51 * core::kWeek);  // the oldest week of the window
    branch.at(before_midnight);
    branch.pay("A", 100, before_midnight + 5 * core::kMinute);
    CHECK(branch.ask("SELECT week_index,inactive_weeks FROM mart_customer") ==
          std::to_string(core::week_of_day(static_cast<core::Day>(kMonday / core::kDay))) + "|0");
    branch.at(kMonday + core::kWeek).log().tick();
    CHECK(branch.ask("SELECT transaction_count,tx_weeks&1 FROM mart_customer") == "1|1");
    CHECK(branch.ask("SELECT sum(total_revenue_minor) FROM mart_marketing_daily WHERE day='2025-01-13'") == "100");
  }

  TEST_CASE("a refused event stands in quarantine until a repair names it") {
    Branch branch("default");
    branch.at(kMonday + 70 * core::kWeek);
    const auto now = branch.now();
    branch.tell("A", Transaction{100, "RUB", "debit", 5411, "", "", ""}, now - 64 * core::kWeek);   // at the limit
    branch.tell("A", Transaction{100, "RUB", "debit", 5411, "", "", ""}, now + 5 * core::kMinute);  // at the limit
    const auto old_one =
        branch.tell("A", Transaction{100, "RUB", "debit", 5411, "", "", ""}, now - 64 * core::kWeek - 1);
    const auto future =
        branch.tell("A", Transaction{100, "RUB", "debit", 5411, "", "", ""}, now + 5 * core::kMinute + 1);
    CHECK(branch.ask("SELECT seq,reason,field,state FROM quarantine ORDER BY seq") ==
          std::to_string(old_one) + "|TOO_OLD|occurred_us|open\n" + std::to_string(future) +
              "|FROM_FUTURE|occurred_us|open");
    wire::Event event;
    event.id = "mended";
    event.customer = "A";
    event.occurred_us = now;
    event.body = Transaction{1'000, "RUB", "debit", 5411, "", "", ""};
    const auto repair = branch.log().repair(future, event);
    std::get<Transaction>(event.body).amount_minor = INT64_MAX;
    branch.log().repair(old_one, event);
    CHECK(branch.ask("SELECT state FROM quarantine WHERE seq<" + std::to_string(repair) + " ORDER BY seq") ==
          "refused again\nrepaired");
    CHECK(branch.ask("SELECT transaction_max_minor FROM mart_customer") == "1000");
  }

  TEST_CASE("spend on money counts a thousandth when categories are compared") {
    Branch branch("default");
    branch.tell("A", Transaction{1'000'999, "RUB", "debit", 6011, "", "", ""});  // Money: 1000 when compared
    branch.tell("A", Transaction{1'000, "RUB", "debit", 4121, "", "", ""});  // Taxi, the same: comes first in the table
    CHECK(branch.ask("SELECT priority_category FROM mart_customer") == "Taxi");
    branch.tell("A", Transaction{1, "RUB", "debit", 6011, "", "", ""});
    CHECK(branch.ask("SELECT priority_category FROM mart_customer") == "Money");
    branch.tell("B", Transaction{5'000, "RUB", "credit", 5411, "", "", ""});  // money that came in is no spend
    CHECK(branch.ask("SELECT priority_category FROM mart_customer WHERE key='B'") == "NULL");
  }

  TEST_CASE(
      "the marketing mart counts active and new customers of the day, also after a pack changes what active means") {
    Branch branch("original");
    branch.meet("A");
    branch.meet("B", "2025-01-06");
    branch.tell("B", Login{true, "", ""});
    const char* const mart =
        "SELECT day,clients_count,active_clients,new_clients FROM mart_marketing_daily ORDER BY day";
    CHECK(branch.ask(mart) == "2025-01-06|2|2|0");
    branch.log().pack("default");
    CHECK(branch.ask(mart) == "2025-01-06|2|1|0");
    branch.at(kMonday + core::kDay);
    branch.meet("C", "2025-01-07");
    CHECK(branch.ask(mart) == "2025-01-06|2|1|0\n2025-01-07|3|1|1");
    branch.at(kMonday + 2 * core::kDay).log().tick();
    CHECK(branch.ask(mart) == "2025-01-06|2|1|0\n2025-01-07|3|1|1\n2025-01-08|3|1|0");
  }

  TEST_CASE("offers of a load leave at its end, and what a backfill touched is decided once, at its end") {
    Branch branch("original");
    wire::Event event;
    event.customer = "A";
    event.occurred_us = kMonday;
    event.body = wire::Profile{};
    branch.log().event(event, "load:f");
    event.id = "t";
    event.body = Transaction{5'000'000, "RUB", "debit", 5411, "", "", ""};
    branch.log().event(event, "load:f");
    const char* const left = "SELECT coalesce(sum(count),0) FROM outbox WHERE what IN (1,2)";
    CHECK(branch.ask(left) == "0");
    CHECK(branch.ask("SELECT count(*) FROM mart_offer") == "6");
    event.body = wire::BackfillEnd{};
    branch.log().event(event, "load:f");
    CHECK(branch.ask(left) == "3");  // those superseded within the load never left
    event.customer = "B";
    event.body = wire::Profile{};
    branch.log().event(event, "load:g", true);
    CHECK(branch.ask("SELECT count(*) FROM mart_offer") == "6");
    event.body = wire::BackfillEnd{};
    branch.log().event(event, "load:g", true);
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE customer_key='B'") == "3");
  }
}
