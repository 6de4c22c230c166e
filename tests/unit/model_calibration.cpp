#include <doctest/doctest.h>

#include "model/calibration.h"

using namespace tellerd::model;
using doctest::Approx;

TEST_SUITE("model.calibration") {
  TEST_CASE("Platt's line is scikit-learn's sigmoid calibration") {
    const std::vector<double> margins = {-3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3};
    const std::vector<char> labels = {0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 1};
    const Calibration fitted = fit_platt(margins, labels);
    CHECK(fitted.kind == CalibrationKind::kPlatt);
    CHECK(fitted.slope ==
          Approx(0.44714).epsilon(1e-4));  // scikit-learn 1.2.1 _SigmoidCalibration, and scipy's minimum
    CHECK(fitted.shift == Approx(-0.09765).epsilon(1e-4));
    CHECK(fitted.probability(0) == Approx(sigmoid(-0.09765)).epsilon(1e-4));
  }

  TEST_CASE("isotonic steps are pooled means, straight between them and flat outside") {
    const std::vector<double> margins = {-2, -1.5, -1, -1, -0.5, 0, 0.5, 1, 1.5, 2};
    const std::vector<char> labels = {0, 1, 0, 0, 1, 0, 1, 1, 0, 1};
    const Calibration fitted = fit_isotonic(margins, labels);  // pools as scikit-learn's: 0, 1/3, 1/2, 2/3, 1
    REQUIRE(fitted.kind == CalibrationKind::kIsotonic);
    CHECK(fitted.probability(-3.5 / 3) == Approx(1.0 / 3));  // the mean of -1.5, -1, -1
    CHECK(fitted.probability(-0.25) == Approx(0.5));
    CHECK(fitted.probability(1) == Approx(2.0 / 3));
    CHECK(fitted.probability((-3.5 / 3 - 0.25) / 2) == Approx(5.0 / 12));  // half way
    CHECK(fitted.probability(-100) == fitted.probability(-2));
    CHECK(fitted.probability(-100) > 0);
    CHECK(fitted.probability(100) < 1);
  }

  TEST_CASE("a calibration never turns the order round") {
    const std::vector<double> margins = {-2, -1, 1, 2};
    CHECK(fit_platt(margins, std::vector<char>{1, 1, 0, 0}).kind == CalibrationKind::kNone);
    CHECK(fit_isotonic(margins, std::vector<char>{1, 1, 0, 0}).kind == CalibrationKind::kNone);
  }
}
