// Expected values of the first case: scikit-learn 1.2.1; lift, bins and stability on paper.
#include <doctest/doctest.h>

#include <numeric>

#include "model/metrics.h"

using namespace tellerd::model;
using doctest::Approx;

namespace {
const std::vector<double> kScores = {0.9, 0.8, 0.8, 0.7, 0.55, 0.5,  0.5, 0.5,  0.4,  0.35,
                                     0.3, 0.2, 0.2, 0.1, 0.05, 0.95, 0.6, 0.45, 0.25, 0.15};
const std::vector<char> kLabels = {1, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1};
}  // namespace

TEST_SUITE("model.metrics") {
  TEST_CASE("the figures are scikit-learn's, ties included") {
    const Metrics metrics = metrics_of(kScores, kLabels);
    CHECK(metrics.rows == 20);
    CHECK(metrics.positives == 9);
    CHECK(metrics.roc_auc == Approx(0.7727272727272727).epsilon(1e-12));
    CHECK(metrics.pr_auc == Approx(0.7616402116402117).epsilon(1e-12));
    CHECK(metrics.log_loss == Approx(0.5632923197173738).epsilon(1e-12));
    CHECK(metrics.lift_10 == Approx(1 / 0.45));  // both of the top two left, 9 of 20 in all
  }

  TEST_CASE("equal scores rank no better than chance, and lift takes the mean of a tie at the edge") {
    const std::vector<double> same(20, 0.45);
    const Metrics metrics = metrics_of(same, kLabels);
    CHECK(metrics.roc_auc == Approx(0.5));
    CHECK(metrics.pr_auc == Approx(0.45));
    CHECK(metrics.lift_10 == Approx(1.0));
  }

  TEST_CASE("a perfect order and its reverse are 1 and 0; one class alone tells nothing") {
    const std::vector<double> scores = {0.1, 0.2, 0.8, 0.9};
    CHECK(roc_auc(scores, std::vector<char>{0, 0, 1, 1}) == Approx(1));
    CHECK(roc_auc(scores, std::vector<char>{1, 1, 0, 0}) == Approx(0));
    CHECK(roc_auc(scores, std::vector<char>{1, 1, 1, 1}) == Approx(0.5));
    CHECK(metrics_of({}, {}).rows == 0);
  }

  TEST_CASE("a sure error costs much but not everything") {
    CHECK(log_loss(std::vector<double>{0.0}, std::vector<char>{1}) == Approx(13.8155).epsilon(1e-4));  // -ln 1e-6
  }

  TEST_CASE("the calibration curve has ten bins of equal size, lowest first") {
    const auto bins = calibration_curve(kScores, kLabels);
    REQUIRE(bins.size() == 10);
    CHECK(bins[0].rows == 2);
    CHECK(bins[0].predicted == Approx(0.075));  // 0.05 and 0.1
    CHECK(bins[0].observed == Approx(0));
    CHECK(bins[9].predicted == Approx(0.925));  // 0.9 and 0.95
    CHECK(bins[9].observed == Approx(1));
    CHECK(calibration_curve(std::vector<double>{0.4, 0.6}, std::vector<char>{0, 1}).size() == 2);
  }

  TEST_CASE("stability is nothing for the same sample and large where half of the deciles are empty") {
    std::vector<double> before(100), after(100);
    for (int at = 0; at < 100; ++at)
      before[static_cast<std::size_t>(at)] = at / 100.0, after[static_cast<std::size_t>(at)] = at % 50 / 100.0;
    CHECK(stability_index(before, before) == Approx(0));
    CHECK(stability_index(before, after) == Approx(3.7969973521315503).epsilon(1e-9));  // numpy over the same deciles
    CHECK(stability_index({}, after) == 0);
  }
}
