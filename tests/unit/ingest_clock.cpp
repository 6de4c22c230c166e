#include <doctest/doctest.h>

#include "ingest/clock.h"

using namespace tellerd;
using core::kDay;
using core::kMinute;
using core::kSecond;
using ingest::ClockMode;
using ingest::RecordClock;

namespace {

struct Hands : ingest::WorldClock {
  core::Instant wall = 1'736'121'600 * kSecond, steady = 5;
  core::Instant wall_us() override { return wall; }
  core::Instant steady_us() override { return steady; }
  void pass(core::Instant us) { wall += us, steady += us; }
};

}  // namespace

TEST_SUITE("ingest.clock") {
  TEST_CASE("a step of ten minutes is followed, one beyond is not until somebody accepts it") {
    for (const core::Instant sign : {1, -1})
      for (const core::Instant beyond : {core::Instant{0}, core::Instant{1}, 3 * kDay}) {
        CAPTURE(sign * beyond);
        Hands world;
        RecordClock clock(ClockMode::kWall, world, 0, 0);
        const core::Instant before = clock.received_us();
        world.pass(kSecond);
        world.wall += sign * (10 * kMinute + beyond);
        const core::Instant after = clock.received_us();
        if (beyond == 0) {
          CHECK(clock.is_following());
          CHECK(after == (sign > 0 ? world.wall : before));  // never back: it waits until the world is there
        } else {
          CHECK_FALSE(clock.is_following());
          CHECK(clock.skew_us() == sign * (10 * kMinute + beyond));
          CHECK(after == before + kSecond);
          world.pass(kDay);
          CHECK(clock.received_us() == before + kSecond + kDay);  // the steady pace
          clock.accept();
          CHECK(clock.received_us() == (sign > 0 ? world.wall : std::max(world.wall, before + kSecond + kDay)));
          CHECK(clock.is_following());
        }
      }
  }

  TEST_CASE("a start more than thirty days after the last record waits for a person, a shorter pause does not") {
    Hands world;
    const core::Instant last = world.wall - 30 * kDay;
    RecordClock within(ClockMode::kWall, world, last, last);
    CHECK(within.received_us() == world.wall);
    RecordClock beyond(ClockMode::kWall, world, last - 1, last - 1);
    CHECK_FALSE(beyond.is_following());
    world.pass(kSecond);
    CHECK(beyond.received_us() == last - 1 + kSecond);
    beyond.accept();
    CHECK(beyond.received_us() == world.wall);
  }

  TEST_CASE("the event clock moves by what is told and never back") {
    Hands world;
    RecordClock clock(ClockMode::kEvent, world, 0, 0);
    CHECK(clock.now_us(world.wall) == 0);
    CHECK(clock.now_us_with(world.wall, 500) == 500);
    clock.wrote(500);
    CHECK(clock.now_us(world.wall) == 500);
    CHECK(clock.now_us_with(world.wall, 400) == 500);
    RecordClock wall(ClockMode::kWall, world, 0, 0);
    CHECK(wall.now_us_with(77, 500) == 77);
  }
}
