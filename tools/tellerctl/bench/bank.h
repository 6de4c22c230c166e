// A daemon with customers and history in it, and traffic that goes on: where every measurement begins.
#pragma once
#include <cstdint>
#include <string>

#include "tellerctl/bench/pipeline.h"
#include "tellerctl/bench/servers.h"
#include "tellerctl/bench/traffic.h"

namespace tellerd::tellerctl::bench {

struct Timed {
  double wall_s = 0, acknowledged_s = 0, cpu_s = 0;
  std::int64_t events = 0, pushed_back = 0;
  std::uint64_t commit_seq = 0;
  double events_per_s() const noexcept { return static_cast<double>(events) / wall_s; }
  double cpu_us_per_event() const noexcept { return cpu_s * 1e6 / static_cast<double>(events); }
};

core::Instant wall_now_us();

// Sends frames and stops the clock when all layers can be read; or, for the floor, at the last acknowledgement.
Timed time_daemon(Daemon& daemon, Pipeline& pipeline, const Frames& frames);
Timed time_floor(FloorServer& floor, Pipeline& pipeline, const Frames& frames);

// Profiles of all customers and `history` events, untimed, under the producer "history"; readable when it returns.
Timed preload(Daemon& daemon, Traffic& traffic, std::int64_t customers, std::int64_t history);

}  // namespace tellerd::tellerctl::bench
