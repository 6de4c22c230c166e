// The watch over a model: stability against the sample it learnt from, and which figures are beyond the limits.
#include <doctest/doctest.h>

#include "model/watch.h"
#include "support/churn_models.h"

using namespace tellerd;
using namespace tellerd::model;

namespace {

constexpr core::Week kFirst = 2800, kRunning = 2860;  // of small_model()

// Other customers of the kind it learnt from, in a week it learnt from.
std::vector<ChurnView> others(const ChurnScope& scope) {
  constexpr core::Week kAt = kRunning - 12;
  std::vector<ChurnView> views;
  for (const auto& shopper : tests::shoppers(1200, kFirst, kRunning, 9)) {
    const auto view = view_of(tests::as_customer(shopper, kAt - 1), kAt, {}, {}, scope, false);
    if (view.is_in_population) views.push_back(view);
  }
  return views;
}

Metrics metrics(std::size_t rows, std::size_t positives, double auc) {
  Metrics made;
  made.rows = rows;
  made.positives = positives;
  made.roc_auc = auc;
  return made;
}

}  // namespace

TEST_SUITE("model.watch") {
  TEST_CASE("people like those it learnt from are stable, people who have all fallen silent are not") {
    const ChurnModel model(tests::small_model(0));
    auto views = others(model.scope());
    const Drift same = drift_of(model, views);
    CHECK(same.score < 0.25);
    CHECK(alarms_of(same, views.size()) == "");
    for (ChurnView& view : views) view.weeks[gold::kTx] = (view.weeks[gold::kTx] << 7) & 0xfff;
    const Drift other = drift_of(model, views);
    CHECK(other.score > 0.25);
    CHECK(alarms_of(other, views.size()) == "drift");
    CHECK(other.features.front().second > 1);
  }

  TEST_CASE("features are those the model looks at, the one that moved most first, no single weeks among them") {
    const ChurnModel model(tests::small_model(0));
    const Drift drift = drift_of(model, others(model.scope()));
    REQUIRE(drift.features.size() > 5);
    for (std::size_t at = 1; at < drift.features.size(); ++at)
      CHECK(drift.features[at].second <= drift.features[at - 1].second);
    for (const auto& [name, index] : drift.features)
      for (const char* week : {"tx_w", "sup_w", "sms_w", "host_w"}) CHECK_FALSE(name.starts_with(week));
  }

  TEST_CASE("too few customers raise no alarm") {
    Drift drift;
    drift.score = 1;
    CHECK(alarms_of(drift, kWatchedMin - 1) == "");
    CHECK(alarms_of(drift, kWatchedMin) == "drift");
    drift.score = 0.25;
    CHECK(alarms_of(drift, kWatchedMin) == "");
  }

  TEST_CASE("what came true: both sides of each limit") {
    CHECK(alarms_of(metrics(1000, 400, 0.75), 0.40) == "");
    CHECK(alarms_of(metrics(1000, 400, 0.519), 0.40) == "useless");
    CHECK(alarms_of(metrics(1000, 400, 0.52), 0.40) == "");
    CHECK(alarms_of(metrics(1000, 400, 0.90), 0.40) == "");
    CHECK(alarms_of(metrics(1000, 400, 0.901), 0.40) == "leak");
    CHECK(alarms_of(metrics(1000, 400, 0.75), 0.50) == "");  // 1.25 times
    CHECK(alarms_of(metrics(1000, 400, 0.75), 0.51) == "level");
    CHECK(alarms_of(metrics(1000, 400, 0.75), 0.31) == "level");
    CHECK(alarms_of(metrics(1000, 400, 0.40), 0.60) == "useless level");
    CHECK(alarms_of(metrics(499, 200, 0.40), 0.60) == "");
    CHECK(alarms_of(metrics(600, 6, 0.75), 0.014) == "");  // 40 % more, of six customers: chance
    CHECK(alarms_of(metrics(600, 0, 0.5), 0.001) == "");   // nobody left: no ranking to judge
  }
}
