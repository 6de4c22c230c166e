// bench restart: kill -9 while derived state lags behind the log, then how soon tellerd accepts, decides by all that is
// in the log, and shows it in the marts.
#include <fmt/core.h>

#include <algorithm>

#include "tellerctl/bench/bank.h"
#include "tellerctl/bench/benches.h"

namespace tellerd::tellerctl::bench {
namespace {

double seconds_since(Clock::time_point started) {
  return std::chrono::duration<double>(Clock::now() - started).count();
}

struct Restarted {
  double accepting_s = 0, read_back_s = 0, applied_s = 0, readable_s = 0;
};

// What the store has is read back once the first records after it are applied: 4,096 of them when many wait.
Restarted restart(Daemon& daemon, std::uint64_t stored_seq, std::uint64_t last_seq) {
  Restarted found;
  const auto started = Clock::now();
  daemon.start();
  Pipeline greeting(daemon.endpoint("ingest"), "bench", kStartPatience);
  found.accepting_s = seconds_since(started);
  daemon.wait_applied(std::min(stored_seq + 1, last_seq));
  found.read_back_s = seconds_since(started);
  daemon.wait_applied(last_seq);
  found.applied_s = seconds_since(started);
  daemon.wait_readable(last_seq);
  found.readable_s = seconds_since(started);
  return found;
}

}  // namespace

Section measure_restart(const Options& options) {
  const std::int64_t customers = options.customers ? options.customers : options.is_quick ? 50'000 : 1'000'000;
  const std::int64_t events = options.events ? options.events : options.is_quick ? 100'000 : 1'000'000;
  const Scratch scratch(options.where);
  scratch.need_free((2 * customers + events) * 1'200);
  Daemon daemon(scratch.path() / "tellerd", options.policy);
  TrafficOptions settings;
  settings.customers = customers;
  settings.history = options.history ? options.history : customers;
  settings.now_us = wall_now_us();
  Traffic traffic(settings);
  say(fmt::format("restart: {} customers and {} facts go in", customers, settings.history));
  preload(daemon, traffic, customers, settings.history);

  // All derived: what a start costs that has nothing to replay.
  Pipeline first(daemon.endpoint("ingest"), "bench", kStartPatience);
  const std::uint64_t nothing_since =
      first.send(encode_frames("bench", 1, 1, [&](std::int64_t) { return traffic.event(settings.history); }))
          .commit_seq;
  daemon.wait_readable(nothing_since);
  daemon.child().kill();
  const Restarted without = restart(daemon, nothing_since, nothing_since);

  // Acknowledged, and killed before it is derived.
  Pipeline pipeline(daemon.endpoint("ingest"), "bench", kStartPatience);
  const Frames frames =
      encode_frames("bench", 2, events, [&](std::int64_t at) { return traffic.event(settings.history + 1 + at); });
  const std::uint64_t last_seq = pipeline.send(frames).commit_seq;
  daemon.child().kill();
  const auto stored_seq = static_cast<std::uint64_t>(daemon.flushed_seq());
  const std::int64_t behind = static_cast<std::int64_t>(last_seq - stored_seq);
  const Restarted after = restart(daemon, stored_seq, last_seq);
  // Of a million records, once what is stored is read back.
  const auto replay_s = [&](double Restarted::*stage) {
    return behind > 0 ? (after.*stage - after.read_back_s) * 1e6 / static_cast<double>(behind) : 0.0;
  };
  Section section{"restart", "start after kill -9, with nothing to replay and with records not derived yet",
                  "accepting within 1 s; 1,000,000 records replayed (applied, and in the marts) within 3 s",
                  Json::array()};
  section.lines.push_back({{"line", fmt::format("{} customers", customers)},
                           {"customers", customers},
                           {"facts", settings.history + events},
                           {"accepting_s", after.accepting_s},
                           {"accepting_s_bound", 1.0},
                           {"applied_s_nothing_to_replay", without.applied_s},
                           {"readable_s_nothing_to_replay", without.readable_s},
                           {"records_replayed", behind},
                           {"read_back_s", after.read_back_s},
                           {"applied_s", after.applied_s},
                           {"readable_s", after.readable_s},
                           {"s_per_million_applied", replay_s(&Restarted::applied_s)},
                           {"s_per_million_readable", replay_s(&Restarted::readable_s)},
                           {"s_per_million_bound", 3.0}});
  return section;
}

}  // namespace tellerd::tellerctl::bench
