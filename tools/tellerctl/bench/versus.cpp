// bench versus: the same events in PostgreSQL, with unique keys and derived columns, in turn with tellerd.
#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "tellerctl/bench/bank.h"
#include "tellerctl/bench/benches.h"
#include "tellerctl/bench/figures.h"
#include "tellerctl/bench/postgres.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr std::int64_t kBatchEvents = 10'000;

double postgres_rate(Postgres& postgres, Traffic& traffic, std::int64_t first, std::int64_t events) {
  std::vector<std::string> batches;
  for (std::int64_t begin = 0; begin < events; begin += kBatchEvents)
    batches.push_back(Postgres::copy_rows(traffic, first + begin, std::min(kBatchEvents, events - begin)));
  const auto started = Clock::now();
  for (const auto& batch : batches) postgres.take_batch(batch);
  return static_cast<double>(events) / std::chrono::duration<double>(Clock::now() - started).count();
}

}  // namespace

Section measure_versus(const Options& options) {
  const std::int64_t customers = options.customers ? options.customers : options.is_quick ? 50'000 : 200'000;
  const std::int64_t history = options.history ? options.history : options.is_quick ? 100'000 : 1'000'000;
  const std::int64_t events = options.events ? options.events : options.is_quick ? 100'000 : 1'000'000;
  const int rounds = options.rounds ? options.rounds : options.is_quick ? 2 : 3;
  const Scratch scratch(options.where);
  scratch.need_free((customers + history + events * rounds) * 1'500);
  TrafficOptions settings;
  settings.customers = customers;
  settings.history = history;
  settings.now_us = wall_now_us();
  Traffic traffic(settings);
  say(fmt::format("versus: {} customers and {} facts go into both", customers, history));
  Postgres postgres(scratch.path() / "postgres");
  postgres.preload(traffic, customers, history);
  // The rules of the source system, as in bench ingest; what a pack that chooses thinks has no counterpart over there.
  const std::string policy = options.policy.empty() ? "original" : options.policy;
  Daemon daemon(scratch.path() / "tellerd", policy);
  preload(daemon, traffic, customers, history);
  Pipeline pipeline(daemon.endpoint("ingest"), "bench", kStartPatience);
  std::vector<double> theirs, ours, ratios;
  for (int round = 0; round < rounds; ++round) {
    const std::int64_t sent = round * events, first = history + sent;
    theirs.push_back(postgres_rate(postgres, traffic, first, events));
    const Frames frames = encode_frames("bench", static_cast<std::uint64_t>(sent) + 1, events,
                                        [&](std::int64_t at) { return traffic.event(first + at); });
    ours.push_back(time_daemon(daemon, pipeline, frames).events_per_s());
    ratios.push_back(ours.back() / theirs.back());
    say(fmt::format("versus, round {} of {}: PostgreSQL {:.0f}/s, tellerd {:.0f}/s, ratio {:.2f}", round + 1, rounds,
                    theirs.back(), ours.back(), ratios.back()));
  }
  Section section{
      "versus",
      "tellerd until all layers can be read, against PostgreSQL 15 (COPY, unique keys, newest version wins, "
      "derived columns; one durable transaction per 10,000 events)",
      "ratio at least 5", Json::array()};
  section.lines.push_back({{"line", "batches of 10000"},
                           {"policy", policy},
                           {"customers", customers},
                           {"facts_before", history},
                           {"events_per_round", events},
                           {"rounds", rounds},
                           {"postgres_facts", postgres.facts()},
                           {"postgres_events_per_s", median(theirs)},
                           {"postgres_events_per_s_min", least(theirs)},
                           {"postgres_events_per_s_max", greatest(theirs)},
                           {"tellerd_events_per_s", median(ours)},
                           {"tellerd_events_per_s_min", least(ours)},
                           {"tellerd_events_per_s_max", greatest(ours)},
                           {"ratio", median(ratios)},
                           {"ratio_min", least(ratios)},
                           {"ratio_max", greatest(ratios)}});
  return section;
}

}  // namespace tellerd::tellerctl::bench
