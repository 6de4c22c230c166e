// Which time a record gets. The only place that reads a clock or knows which one is in use (design.md 1, Time).
// A step of the wall clock that the steady clock does not bear out is not followed: time goes on at the steady pace
// until accept(). Threads: belongs to the recorder; is_following() and skew_us() are read from anywhere.
#pragma once
#include <atomic>

#include "core/time.h"

namespace tellerd::ingest {

enum class ClockMode { kWall, kEvent };

// The world's two clocks; tests hand in their own.
struct WorldClock {
  virtual ~WorldClock() = default;
  virtual core::Instant wall_us();
  virtual core::Instant steady_us();
};

class RecordClock {
 public:
  RecordClock(ClockMode mode, WorldClock& world, core::Instant last_now_us, core::Instant last_received_us);
  core::Instant received_us();  // guarded wall time, never decreasing
  // now_us for a record received then; under the event clock only an accepted event's own time moves it.
  core::Instant now_us(core::Instant received_us) const noexcept {
    return mode_ == ClockMode::kWall ? received_us : last_now_us_;
  }
  core::Instant now_us_with(core::Instant received_us, core::Instant occurred_us) const noexcept;
  void wrote(core::Instant now_us) noexcept { last_now_us_ = now_us; }
  ClockMode mode() const noexcept { return mode_; }
  void accept() noexcept { is_accepting_.store(true); }  // follow the wall clock again, from any thread
  bool is_following() const noexcept { return is_following_.load(); }
  core::Instant skew_us() const noexcept { return skew_us_.load(); }

 private:
  ClockMode mode_;
  WorldClock& world_;
  core::Instant last_now_us_, last_received_us_;
  core::Instant anchor_guarded_us_ = 0, anchor_steady_us_ = 0;
  std::atomic<bool> is_accepting_{false}, is_following_{true};
  std::atomic<core::Instant> skew_us_{0};
};

}  // namespace tellerd::ingest
