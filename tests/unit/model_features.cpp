// Views and columns on paper: week 100 runs; bits are what gold keeps.
#include <doctest/doctest.h>

#include <map>

#include "model/churn_features.h"

using namespace tellerd;
using namespace tellerd::model;
using doctest::Approx;

namespace {

constexpr core::Week kRunning = 100;

gold::Customer customer_with(std::initializer_list<core::Week> weeks, core::Week as_of = kRunning) {
  gold::Customer customer;
  gold::advance(customer, as_of);
  for (const core::Week week : weeks) {
    gold::Measure measure;
    measure.kind = wire::Kind::kTransaction;
    measure.week = week;
    measure.counts = true;
    measure.amount_minor = week * 100;
    gold::add(customer, measure, {});
  }
  return customer;
}

std::map<std::string, float> named(const ChurnView& view, const ChurnScope& scope) {
  std::vector<float> row(feature_count(scope));
  fill_features(view, scope, row);
  std::map<std::string, float> values;
  const auto columns = feature_columns(scope);
  REQUIRE(columns.size() == row.size());
  for (std::size_t at = 0; at < row.size(); ++at) values[columns[at].name] = row[at];
  return values;
}

const ChurnScope kBits{12, 12, 30, false}, kFull{12, 12, 30, true};

}  // namespace

TEST_SUITE("model.features") {
  TEST_CASE("bits are exactly N weeks of the four sources, w1 the last whole week") {
    const auto columns = feature_columns(kBits);
    REQUIRE(columns.size() == 48);
    CHECK(columns[0].name == "tx_w1");
    CHECK(columns[11].name == "tx_w12");
    CHECK(columns[12].name == "sup_w1");
    CHECK(columns[24].name == "sms_w1");
    CHECK(columns[47].name == "host_w12");
    const auto values = named(live_view(customer_with({99, 97, 88, 87}), kRunning, {}, kBits), kBits);
    CHECK(values.at("tx_w1") == 1);
    CHECK(values.at("tx_w2") == 0);
    CHECK(values.at("tx_w3") == 1);
    CHECK(values.at("tx_w12") == 1);  // week 88; week 87 is w13, out of sight
    CHECK(values.at("tx_w11") == 0);
  }

  TEST_CASE("the running week joins w1 of a live score, and of no past one") {
    const auto customer = customer_with({100, 95});
    CHECK(named(live_view(customer, kRunning, {}, kBits), kBits).at("tx_w1") == 1);
    const auto past = view_of(customer, kRunning, {}, {}, kBits, false);
    CHECK(named(past, kBits).at("tx_w1") == 0);
    CHECK(named(past, kBits).at("tx_w5") == 1);
  }

  TEST_CASE("a view of the past is the live view of that time, whatever came later") {
    const auto then = customer_with({70, 75, 80, 85}, 86), now = customer_with({70, 75, 80, 85, 90, 99, 99});
    const Later later{3, (90 + 99 + 99) * 100};
    const ChurnView rewound = view_of(now, 86, later, {2, 1}, kFull, false);
    CHECK(rewound == view_of(then, 86, {}, {2, 1}, kFull, false));
    CHECK(rewound.count == 4);
    CHECK(rewound.minor == (70 + 75 + 80 + 85) * 100);
    CHECK(rewound.tenure_weeks == 16);
  }

  TEST_CASE("a customer's own week may lie before or, by minutes, after the week of the view") {
    const auto early = customer_with({88, 89}, 90), late = customer_with({88, 89, 101}, 101);
    CHECK(live_view(early, kRunning, {}, kBits).weeks[gold::kTx] == (1u << 10 | 1u << 11));
    CHECK(view_of(late, kRunning, {}, {}, kBits, false).weeks[gold::kTx] == (1u << 10 | 1u << 11));
    CHECK(live_view(customer_with({}), 300, {}, kBits).weeks[gold::kTx] == 0);
    CHECK(live_view(early, 90 + 62, {}, {12, 12, 62, true}).weeks[gold::kTx] == 0);
  }

  TEST_CASE("recency, frequency, gaps, trend and amounts are what paper says") {
    // weeks before T: 2, 4, 10, 21; five transactions, two of them in one week
    const auto values = named(live_view(customer_with({98, 98, 96, 90, 79}), kRunning, {1, 2}, kFull), kFull);
    CHECK(values.at("tx_recency") == 2);
    CHECK(values.at("tx_span") == 19);
    CHECK(values.at("tx_mean_gap") == Approx(19.0 / 3));
    CHECK(values.at("tx_longest_gap") == 11);
    CHECK(values.at("tx_recency_to_mean_gap") == Approx(2 / (19.0 / 3)));
    CHECK(values.at("tx_visits_2") == 1);
    CHECK(values.at("tx_visits_4") == 2);
    CHECK(values.at("tx_visits_13") == 3);
    CHECK(values.at("tx_visits") == 4);
    CHECK(values.at("tx_trend") == 1);  // weeks 1-6 hold two visits, weeks 7-12 one
    CHECK(values.at("tx_count") == 5);
    CHECK(values.at("tenure") == 21);
    CHECK(values.at("tx_rate") == Approx(5.0 / 21));
    CHECK(values.at("tx_total") == (98 + 98 + 96 + 90 + 79) * 100);
    CHECK(values.at("tx_mean") == Approx((98 + 98 + 96 + 90 + 79) * 20));
    CHECK(values.at("sup_recency") == -1);
    CHECK(values.at("tier_level") == 1);
    CHECK(values.at("dpd_bucket") == 2);
  }

  TEST_CASE("one visit has no gaps") {
    const Gaps gaps = gaps_of(1u << 4);
    CHECK(gaps.recency == 5);
    CHECK(gaps.visits == 1);
    CHECK(gaps.mean == -1);
    CHECK(gaps.longest == -1);
    CHECK(gaps_of(0).recency == -1);
  }

  TEST_CASE("labels look forward only: no transaction in the horizon's weeks, the week T first") {
    const auto customer = customer_with({80, 92});
    CHECK_FALSE(has_left(customer, 88, 12));  // weeks 88-99 hold 92
    CHECK_FALSE(has_left(customer, 81, 12));  // weeks 81-92
    CHECK(has_left(customer, 81, 11));        // weeks 81-91
    CHECK_FALSE(has_left(customer, 80, 12));
    CHECK_FALSE(has_left(customer, 92, 8));
    CHECK(has_left(customer, 93, 7));         // weeks 93-99
    CHECK_FALSE(has_left(customer, 92, 20));  // it stands at 100, and nothing has happened to it since
    CHECK(has_left(customer, 93, 20));
    CHECK(has_left(customer, 105, 5));
  }

  TEST_CASE("the population had a transaction in the last feature or horizon weeks") {
    CHECK(live_view(customer_with({88}), kRunning, {}, kBits).is_in_population);
    CHECK_FALSE(live_view(customer_with({87}), kRunning, {}, kBits).is_in_population);
    CHECK(live_view(customer_with({87}), kRunning, {}, {4, 13, 30, false}).is_in_population);
    CHECK_FALSE(live_view(customer_with({}), kRunning, {}, kBits).is_in_population);
  }
}
