// bench ingest: the same frames, in turn, to the floor and to tellerd.
#include <fmt/core.h>

#include <string>
#include <utility>
#include <vector>

#include "tellerctl/bench/bank.h"
#include "tellerctl/bench/benches.h"
#include "tellerctl/bench/figures.h"

namespace tellerd::tellerctl::bench {
namespace {

struct Line {
  Line(std::string given, bool skewed, bool uuid) : name(std::move(given)), is_skewed(skewed), is_uuid(uuid) {}
  std::string name;
  bool is_skewed, is_uuid;
  std::vector<double> floor_rates, rates, ratios, floor_cpu, cpu, cpu_ratios, acknowledged;
  std::int64_t event_bytes = 0, events = 0;
};

std::vector<Line> lines_of(const Options& options) {
  if (options.skew.empty() && options.ids.empty())
    return {{"uniform", false, false}, {"skewed", true, false}, {"uuid", false, true}};
  const bool is_skewed = options.skew == "skewed", is_uuid = options.ids == "uuid";
  return {{fmt::format("{}{}", is_skewed ? "skewed" : "uniform", is_uuid ? ", uuid" : ""), is_skewed, is_uuid}};
}

void note_round(Line& line, const Frames& frames, const Timed& floor, const Timed& daemon) {
  line.floor_rates.push_back(floor.events_per_s());
  line.rates.push_back(daemon.events_per_s());
  line.ratios.push_back(daemon.events_per_s() / floor.events_per_s());
  line.floor_cpu.push_back(floor.cpu_us_per_event());
  line.cpu.push_back(daemon.cpu_us_per_event());
  line.cpu_ratios.push_back(daemon.cpu_us_per_event() / floor.cpu_us_per_event());
  line.acknowledged.push_back(static_cast<double>(frames.events) / daemon.acknowledged_s);
  line.event_bytes += frames.event_bytes;
  line.events += frames.events;
}

Json described(const Line& line, const std::string& policy, std::int64_t customers, std::int64_t history) {
  return {{"line", line.name},
          {"policy", policy},
          {"customers", customers},
          {"facts_before", history},
          {"events_per_round", line.events / static_cast<std::int64_t>(line.rates.size())},
          {"rounds", line.rates.size()},
          {"bytes_per_event", line.event_bytes / line.events},
          {"floor_events_per_s", median(line.floor_rates)},
          {"floor_events_per_s_min", least(line.floor_rates)},
          {"floor_events_per_s_max", greatest(line.floor_rates)},
          {"tellerd_events_per_s", median(line.rates)},
          {"tellerd_events_per_s_min", least(line.rates)},
          {"tellerd_events_per_s_max", greatest(line.rates)},
          {"tellerd_acknowledged_per_s", median(line.acknowledged)},
          {"ratio", median(line.ratios)},
          {"ratio_min", least(line.ratios)},
          {"ratio_max", greatest(line.ratios)},
          {"floor_cpu_us_per_event", median(line.floor_cpu)},
          {"tellerd_cpu_us_per_event", median(line.cpu)},
          {"cpu_ratio", median(line.cpu_ratios)}};
}

}  // namespace

Section measure_ingest(const Options& options) {
  const std::int64_t customers = options.customers ? options.customers : options.is_quick ? 50'000 : 200'000;
  const std::int64_t history = options.history ? options.history : options.is_quick ? 250'000 : 4'000'000;
  const std::int64_t events = options.events ? options.events : options.is_quick ? 200'000 : 1'000'000;
  const int rounds = options.rounds ? options.rounds : options.is_quick ? 2 : 3;
  auto lines = lines_of(options);
  const Scratch scratch(options.where);
  scratch.need_free((2 * customers + history + events * rounds * static_cast<std::int64_t>(lines.size())) * 700);
  FloorServer floor(scratch.path() / "floor");
  // The rules of the source system decide unless others are asked for: a pack that chooses thinks longer about each
  // step.
  const std::string policy = options.policy.empty() ? "original" : options.policy;
  Daemon daemon(scratch.path() / "tellerd", policy);

  TrafficOptions traffic;
  traffic.customers = customers;
  traffic.history = history;
  traffic.now_us = wall_now_us();
  traffic.is_skewed = lines[0].is_skewed;
  traffic.is_uuid = lines[0].is_uuid;
  Traffic before(traffic);
  say(fmt::format("ingest: {} customers and {} facts go in first", customers, history));
  preload(daemon, before, customers, history);

  Pipeline to_floor(floor.endpoint(), "bench", kStartPatience);
  Pipeline to_daemon(daemon.endpoint("ingest"), "bench", kStartPatience);
  std::int64_t sent = 0;
  for (std::size_t at = 0; at < lines.size(); ++at) {
    Line& line = lines[at];
    traffic.is_skewed = line.is_skewed;
    traffic.is_uuid = line.is_uuid;
    traffic.first = at == 0 ? 0 : history + sent;  // corrections stay among facts of the same line
    Traffic live(traffic);
    for (int round = 0; round < rounds; ++round) {
      const Frames frames = encode_frames("bench", static_cast<std::uint64_t>(sent) + 1, events,
                                          [&](std::int64_t i) { return live.event(history + sent + i); });
      sent += events;
      const Timed of_floor = time_floor(floor, to_floor, frames);
      const Timed of_daemon = time_daemon(daemon, to_daemon, frames);
      note_round(line, frames, of_floor, of_daemon);
      say(fmt::format("ingest {}, round {} of {}: floor {:.0f}/s, tellerd {:.0f}/s, ratio {:.2f}", line.name, round + 1,
                      rounds, of_floor.events_per_s(), of_daemon.events_per_s(), line.ratios.back()));
    }
  }
  Section section{
      "ingest",
      "tellerd until silver, gold, decisions and key indexes can be read, against a floor that receives, "
      "verifies, inserts and syncs the same frames",
      "ratio at least 0.6 (under 0.45: not done), cpu_ratio at most 3.5, floor at most 1.3 us CPU per event",
      Json::array()};
  for (const Line& line : lines) section.lines.push_back(described(line, policy, customers, history));
  return section;
}

}  // namespace tellerd::tellerctl::bench
