// When leases and delays end: on the steady clock, each once, whatever the wall clock does.
#include <doctest/doctest.h>

#include <map>

#include "deliver/lease_timers.h"

using namespace tellerd::deliver;

namespace {

struct Timed {
  std::vector<LeaseTimers::Due> at(std::int64_t seconds) {
    std::vector<LeaseTimers::Due> due;
    timers.take_due(
        seconds * 1'000'000, [this](std::int64_t number) { return items.contains(number) ? &items[number] : nullptr; },
        due);
    return due;
  }
  Item& item(std::int64_t number, ItemState state, std::int64_t wait_s) {
    Item& made = items[number];
    made.number = number;
    made.state = state;
    made.epoch = 1;
    made.wait_ms = wait_s * 1000;
    return made;
  }
  LeaseTimers timers;
  std::map<std::int64_t, Item> items;
};

constexpr tellerd::core::Instant kWall = 1'800'000'000 * tellerd::core::kSecond;

}  // namespace

TEST_SUITE("deliver.lease_timers") {
  TEST_CASE("a lease is warned of at four fifths and ends at its end, each once") {
    Timed timed;
    timed.timers.start(timed.item(1, ItemState::kLeased, 100), 0, kWall);
    CHECK(timed.at(79).empty());
    const auto warned = timed.at(80);
    REQUIRE(warned.size() == 1);
    CHECK(warned[0].is_warning);
    CHECK(warned[0].left_ms == 20'000);
    CHECK(timed.at(99).empty());
    const auto ended = timed.at(100);
    REQUIRE(ended.size() == 1);
    CHECK_FALSE(ended[0].is_warning);
    CHECK(ended[0].ended == Timer::kLease);
    CHECK(timed.at(1000).empty());
  }

  TEST_CASE("a lease that has grown ends later, and once") {
    Timed timed;
    Item& item = timed.item(1, ItemState::kLeased, 100);
    timed.timers.start(item, 0, kWall);
    item.wait_ms = 200'000;
    timed.timers.start(item, 50'000'000, kWall);
    CHECK(timed.at(159).empty());
    CHECK(timed.at(199).size() == 1);
    CHECK(timed.at(200).size() == 1);
    CHECK(timed.at(500).empty());
  }

  TEST_CASE("what was given back or lent again is not ended by the old timer") {
    Timed timed;
    Item& item = timed.item(1, ItemState::kLeased, 100);
    timed.timers.start(item, 0, kWall);
    item.epoch = 2;
    timed.timers.start(item, 90'000'000, kWall);
    CHECK(timed.at(150).empty());
    CHECK(timed.at(190).size() == 2);
    item.state = ItemState::kReady;
    CHECK(timed.at(1000).empty());
  }

  TEST_CASE("another engine's items keep what their leases have left; a new process gives them all of it") {
    Timed timed;
    Item& item = timed.item(1, ItemState::kLeased, 100);
    timed.timers.start(item, 0, kWall);
    timed.timers.forget();
    timed.timers.start(item, 60'000'000, kWall);
    CHECK(timed.timers.left_ms(item, 60'000'000) == 40'000);
    CHECK(timed.at(99).size() == 1);
    CHECK(timed.at(100).size() == 1);
    LeaseTimers fresh;
    fresh.start(item, 60'000'000, kWall);
    CHECK(fresh.left_ms(item, 60'000'000) == 100'000);
  }

  TEST_CASE("the wall clock ends no lease and no back-off; only a callback asks for it, once") {
    Timed timed;
    timed.timers.start(timed.item(1, ItemState::kLeased, 100), 0, kWall + 3600 * tellerd::core::kSecond);
    timed.timers.start(timed.item(2, ItemState::kScheduled, 60), 0, kWall - 3600 * tellerd::core::kSecond);
    Item& callback = timed.item(3, ItemState::kScheduled, 0);
    callback.at_us = kWall + 30 * tellerd::core::kSecond;
    timed.timers.start(callback, 0, kWall);
    CHECK(timed.at(29).empty());
    const auto called = timed.at(30);
    REQUIRE(called.size() == 1);
    CHECK(called[0].number == 3);
    CHECK(called[0].ended == Timer::kDelay);
    CHECK(timed.at(59).empty());
    CHECK(timed.at(60).size() == 1);
  }
}
