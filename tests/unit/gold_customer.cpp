#include <doctest/doctest.h>

#include <map>
#include <random>
#include <vector>

#include "gold/customer.h"

using namespace tellerd::gold;
using tellerd::wire::Kind;

namespace {

constexpr Windows kWindows{52, 26, 13, 5};

// The customer's figures again from all facts there are, in the plainest way.
void check_against(const Customer& is, const std::vector<Measure>& facts, const Windows& windows) {
  std::int64_t count = 0, total = 0, largest = 0, logins = 0, successes = 0, activities = 0, minutes = 0, views = 0,
               bills = 0, bill_total = 0;
  std::array<std::uint64_t, kChurnSources> bits{};
  Week last = kNoWeek;
  std::map<int, std::int64_t> spend;
  for (const auto& fact : facts) {
    if (!fact.counts) continue;
    const Week age = is.week - fact.week;
    const auto inside = [&](Week window) { return window == 0 || age < window; };
    const std::uint64_t bit = age < 63 ? 1ull << age : 0;
    switch (fact.kind) {
      case Kind::kTransaction:
        bits[kTx] |= bit;
        last = std::max(last, fact.week);
        spend[fact.category] += fact.amount_minor;
        if (!inside(windows.transaction)) break;
        ++count, total += fact.amount_minor, largest = std::max(largest, fact.amount_minor);
        break;
      case Kind::kSupportContact:
        bits[kSupport] |= bit;
        break;
      case Kind::kSms:
        bits[kSms] |= bit;
        break;
      case Kind::kHostVisit:
        bits[kHost] |= bit;
        break;
      case Kind::kLogin:
        if (inside(windows.login)) ++logins, successes += fact.is_success;
        break;
      case Kind::kActivity:
        if (inside(windows.activity)) ++activities, minutes += fact.minutes, views += fact.page_views;
        break;
      default:
        if (inside(windows.bill)) ++bills, bill_total += fact.amount_minor;
    }
  }
  REQUIRE(is.transaction_count == count);
  REQUIRE(is.transaction_total_minor == total);
  REQUIRE(is.transaction_max_minor == largest);
  REQUIRE(is.login_count == logins);
  REQUIRE(is.successful_login_count == successes);
  REQUIRE(is.activity_count == activities);
  REQUIRE(is.activity_minutes == minutes);
  REQUIRE(is.page_views == views);
  REQUIRE(is.bill_count == bills);
  REQUIRE(is.bill_total_minor == bill_total);
  REQUIRE(is.last_tx_week == last);
  for (std::size_t source = 0; source < kChurnSources; ++source) REQUIRE(is.bits[source].any == bits[source]);
  for (int category = 0; category < 6; ++category)
    REQUIRE(is.spend.view().sum(static_cast<std::uint8_t>(category)) == spend[category]);
}

Measure some_fact(std::mt19937_64& chance, Week now) {
  constexpr std::array<Kind, 7> kKinds = {Kind::kTransaction, Kind::kSupportContact, Kind::kSms,
                                          Kind::kHostVisit,   Kind::kLogin,          Kind::kActivity,
                                          Kind::kBillPayment};
  Measure fact;
  fact.kind = kKinds[chance() % kKinds.size()];
  fact.week = now - static_cast<Week>(chance() % 4 ? chance() % 3 : chance() % 64);
  fact.counts = chance() % 8 != 0;
  fact.is_success = chance() % 2;
  fact.category = fact.kind == Kind::kTransaction ? static_cast<std::uint8_t>(chance() % 6) : std::uint8_t{255};
  fact.amount_minor = static_cast<std::int64_t>(chance() % 40) - 5;
  fact.minutes = static_cast<std::int32_t>(chance() % 9);
  fact.page_views = static_cast<std::int32_t>(chance() % 9);
  return fact;
}

}  // namespace

TEST_SUITE("gold.customer") {
  TEST_CASE("sums by category of any size and sign are those of a plain map, in the order of category") {
    std::mt19937_64 chance(7);
    for (int customer = 0; customer < 200; ++customer) {
      Spend spend;
      std::map<int, std::int64_t> plain;
      const int bits_max = 1 + customer % 62;
      for (int fact = 0; fact < 60; ++fact) {
        const auto category = static_cast<std::uint8_t>(chance() % 35);
        const auto size = static_cast<std::int64_t>(chance() >> (63 - chance() % static_cast<unsigned>(bits_max)));
        const std::int64_t amount = (chance() % 2 ? size : -size) / 64;
        spend.add(category, amount);
        if (amount) plain[category] += amount;
      }
      std::vector<std::pair<int, std::int64_t>> told;
      spend.view().each([&](std::uint8_t category, std::int64_t sum) { told.emplace_back(category, sum); });
      REQUIRE(told == std::vector<std::pair<int, std::int64_t>>(plain.begin(), plain.end()));
    }
    Spend edges;
    for (const std::int64_t one :
         {std::int64_t{127}, std::int64_t{1}, std::int64_t{-256}, std::int64_t{-1}, INT64_MAX, std::int64_t{-5}})
      edges.add(3, one);
    CHECK(edges.view().sum(3) == 127 + 1 - 256 - 1 + INT64_MAX - 5);
    edges.add(3, -edges.view().sum(3));
    CHECK(edges.view().sum(3) == 0);
    edges.add(9, INT64_MIN + 1);
    CHECK(edges.view().sum(9) == INT64_MIN + 1);
    CHECK(edges.view().sum(3) == 0);
  }

  TEST_CASE("facts given, taken back and carried over weeks leave what a count from nothing gives") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      CAPTURE(seed);
      std::mt19937_64 chance(seed);
      const Windows windows = seed % 2 ? kWindows : Windows{};
      Customer customer;
      Week now = 2000;
      advance(customer, now);
      std::vector<Measure> facts;
      for (int step = 0; step < 400; ++step) {
        const auto draw = chance() % 10;
        if (draw < 6) {
          facts.push_back(some_fact(chance, now));
          add(customer, facts.back(), windows);
        } else if (draw < 8 && !facts.empty()) {
          const std::size_t at = chance() % facts.size();
          const Measure fact = facts[at];
          facts.erase(facts.begin() + static_cast<std::ptrdiff_t>(at));
          if (const Doubt doubt = retract(customer, fact, windows); doubt.is_any())
            settle(customer, doubt, facts, windows);
        } else if (draw == 8) {
          // As the engine does it: the week moves, and the windows are worked out again when something leaves one.
          const Week leaving = next_leaving_week(customer, windows);
          now += static_cast<Week>(chance() % 20 ? chance() % 3 : chance() % 70);
          advance(customer, now);
          if (leaving != kNoWeek && leaving <= now) recompute_windows(customer, facts, windows);
        } else if (chance() % 4 == 0) {
          recompute_all(customer, facts, windows);
        }
        check_against(customer, facts, windows);
      }
    }
  }

  TEST_CASE("the last bit is the sixty-third and leaves with the next week") {
    Customer customer;
    advance(customer, 100);
    Measure fact;
    fact.kind = Kind::kTransaction;
    fact.counts = true;
    fact.week = 100;
    add(customer, fact, {});
    advance(customer, 162);
    CHECK(inactive_weeks(customer) == 62);
    advance(customer, 163);
    CHECK(inactive_weeks(customer) == -1);
    CHECK(customer.last_tx_week == 100);
    CHECK(customer.transaction_count == 1);
    advance(customer, 150);  // never back
    CHECK(customer.week == 163);
  }
}
