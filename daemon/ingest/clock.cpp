#include "ingest/clock.h"

#include <algorithm>
#include <chrono>

#include "core/limits.h"

namespace tellerd::ingest {

namespace limits = core::limits;
using core::Instant;

Instant WorldClock::wall_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}
Instant WorldClock::steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

RecordClock::RecordClock(ClockMode mode, WorldClock& world, Instant last_now_us, Instant last_received_us)
    : mode_(mode), world_(world), last_now_us_(last_now_us), last_received_us_(last_received_us) {
  const Instant wall = world_.wall_us();
  const bool is_first = last_received_us == 0;
  const bool is_gap = !is_first && (wall - last_received_us > limits::kClockGapUsMax ||
                                    wall < last_received_us - limits::kClockStepUsMax);
  anchor_steady_us_ = world_.steady_us();
  anchor_guarded_us_ = is_gap ? last_received_us : std::max(wall, last_received_us);
  is_following_ = !is_gap;
  skew_us_ = is_gap ? wall - last_received_us : 0;
}

Instant RecordClock::received_us() {
  const Instant wall = world_.wall_us(), steady = world_.steady_us();
  const Instant expected = anchor_guarded_us_ + (steady - anchor_steady_us_);
  const Instant skew = wall - expected;
  if (is_accepting_.exchange(false) || (is_following_ && std::abs(skew) <= limits::kClockStepUsMax)) {
    anchor_guarded_us_ = wall;
    anchor_steady_us_ = steady;
    is_following_ = true;
    skew_us_ = 0;
  } else {
    is_following_ = false;
    skew_us_ = skew;
  }
  const Instant guarded = is_following_ ? wall : expected;
  last_received_us_ = std::max(last_received_us_, guarded);
  return last_received_us_;
}

Instant RecordClock::now_us_with(Instant received_us, Instant occurred_us) const noexcept {
  return mode_ == ClockMode::kWall ? received_us : std::max(last_now_us_, occurred_us);
}

}  // namespace tellerd::ingest
