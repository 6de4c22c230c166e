// Intervals of shares, against the figures printed by Newcombe (Statistics in Medicine 17, 1998, table I, method 3).
#include <doctest/doctest.h>

#include "model/wilson.h"

using tellerd::model::wilson;

TEST_SUITE("model.wilson") {
  TEST_CASE("the intervals are those of the literature") {
    CHECK(wilson(81, 263).low == doctest::Approx(.2553).epsilon(.0005));
    CHECK(wilson(81, 263).high == doctest::Approx(.3662).epsilon(.0005));
    CHECK(wilson(15, 148).low == doctest::Approx(.0624).epsilon(.001));
    CHECK(wilson(15, 148).high == doctest::Approx(.1605).epsilon(.001));
    CHECK(wilson(0, 20).low == 0);
    CHECK(wilson(0, 20).high == doctest::Approx(.1611).epsilon(.0005));
    CHECK(wilson(1, 29).low == doctest::Approx(.0061).epsilon(.01));
    CHECK(wilson(1, 29).high == doctest::Approx(.1718).epsilon(.0005));
  }

  TEST_CASE("all of all ends at one, and of nothing nothing is known") {
    CHECK(wilson(20, 20).high == 1);
    CHECK(wilson(20, 20).low == doctest::Approx(1 - .1611).epsilon(.0005));
    CHECK(wilson(0, 0).low == 0);
    CHECK(wilson(0, 0).high == 1);
  }
}
