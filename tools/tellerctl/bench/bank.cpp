#include "tellerctl/bench/bank.h"

#include <algorithm>
#include <thread>

namespace tellerd::tellerctl::bench {
namespace {

constexpr std::int64_t kSliceEvents = 512 * 1024;  // encoded at a time, in memory
constexpr auto kSettle = std::chrono::milliseconds(300);

double seconds(Clock::duration span) { return std::chrono::duration<double>(span).count(); }

Timed timed(const Sent& sent, Clock::time_point done, std::int64_t cpu_us, const Frames& frames) {
  Timed found;
  found.wall_s = seconds(done - sent.started);
  found.acknowledged_s = seconds(sent.acknowledged - sent.started);
  found.cpu_s = static_cast<double>(cpu_us) / 1e6;
  found.events = frames.events;
  found.pushed_back = sent.pushed_back;
  found.commit_seq = sent.commit_seq;
  return found;
}

}  // namespace

core::Instant wall_now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Timed time_daemon(Daemon& daemon, Pipeline& pipeline, const Frames& frames) {
  daemon.child().check_alive();
  const std::int64_t cpu_before = daemon.child().cpu_us();
  const Sent sent = pipeline.send(frames);
  daemon.wait_readable(sent.commit_seq);
  const auto done = Clock::now();
  return timed(sent, done, daemon.child().cpu_us() - cpu_before, frames);
}

Timed time_floor(FloorServer& floor, Pipeline& pipeline, const Frames& frames) {
  floor.child().check_alive();
  const std::int64_t cpu_before = floor.child().cpu_us();
  const Sent sent = pipeline.send(frames);
  return timed(sent, sent.acknowledged, floor.child().cpu_us() - cpu_before, frames);
}

Timed preload(Daemon& daemon, Traffic& traffic, std::int64_t customers, std::int64_t history) {
  Pipeline pipeline(daemon.endpoint("ingest"), "history", kStartPatience);
  const auto event = [&](std::int64_t at) {
    return at < customers ? traffic.profile(at) : traffic.event(at - customers);
  };
  const auto started = Clock::now();
  Sent sent;
  for (std::int64_t begin = 0; begin < customers + history; begin += kSliceEvents) {
    const std::int64_t count = std::min(kSliceEvents, customers + history - begin);
    sent = pipeline.send(encode_frames("history", static_cast<std::uint64_t>(begin) + 1, count,
                                       [&](std::int64_t at) { return event(begin + at); }));
  }
  daemon.wait_readable(sent.commit_seq);
  Timed found;
  found.wall_s = seconds(Clock::now() - started);
  found.events = customers + history;
  found.commit_seq = sent.commit_seq;
  std::this_thread::sleep_for(kSettle);  // what a flush leaves behind (checkpoint, page cache) is not the timed part's
  return found;
}

}  // namespace tellerd::tellerctl::bench
