// bench memory: what tellerd occupies with a bank in it, and what an event costs there: flat in customers and facts.
#include <fmt/core.h>

#include <chrono>
#include <thread>

#include "tellerctl/bench/bank.h"
#include "tellerctl/bench/benches.h"

namespace tellerd::tellerctl::bench {
namespace {

struct Bank {
  std::int64_t customers, facts, bound_mib;
};

constexpr Bank kBanks[] = {{10'000, 200'000, 96}, {200'000, 20'000'000, 400}, {1'000'000, 20'000'000, 800}};
constexpr auto kRest = std::chrono::seconds(35);  // a burst's pages and rows are given back by then
constexpr std::int64_t kBytesPerFact = 700;       // bronze and silver with their WALs, roughly

Json measured(const Bank& bank, std::int64_t events, const Options& options) {
  const Scratch scratch(options.where);
  scratch.need_free((bank.customers * 3 + bank.facts + events) * kBytesPerFact);
  Daemon daemon(scratch.path() / "tellerd", options.policy);
  TrafficOptions settings;
  settings.customers = bank.customers;
  settings.history = bank.facts;
  settings.now_us = wall_now_us();
  Traffic traffic(settings);
  say(fmt::format("memory: {} customers and {} facts go in", bank.customers, bank.facts));
  preload(daemon, traffic, bank.customers, bank.facts);
  const Memory loaded = daemon.child().memory();
  std::this_thread::sleep_for(kRest);
  const Memory at_rest = daemon.child().memory();
  Pipeline pipeline(daemon.endpoint("ingest"), "bench", kStartPatience);
  const Frames frames =
      encode_frames("bench", 1, events, [&](std::int64_t at) { return traffic.event(bank.facts + at); });
  const Timed cost = time_daemon(daemon, pipeline, frames);
  const Memory after = daemon.child().memory();
  return {{"line", fmt::format("{} customers", bank.customers)},
          {"customers", bank.customers},
          {"facts", bank.facts},
          {"resident_mib", static_cast<double>(at_rest.resident_kib) / 1024},
          {"bound_mib", bank.bound_mib},
          {"is_within_bound", at_rest.resident_kib <= bank.bound_mib * 1024},
          {"resident_mib_as_loading_ends", static_cast<double>(loaded.resident_kib) / 1024},
          {"resident_mib_after_events", static_cast<double>(after.resident_kib) / 1024},
          {"peak_mib", static_cast<double>(after.peak_kib) / 1024},
          {"tellerd_events_per_s", cost.events_per_s()},
          {"wall_us_per_event", cost.wall_s * 1e6 / static_cast<double>(cost.events)},
          {"cpu_us_per_event", cost.cpu_us_per_event()}};
}

}  // namespace

Section measure_memory(const Options& options) {
  const std::int64_t events = options.events ? options.events : options.is_quick ? 100'000 : 1'000'000;
  Section section{"memory",
                  "resident memory of tellerd against its bound, and the cost of an event in a small and a large bank",
                  "resident within bound_mib, 35 seconds after loading; cost per event in the largest bank at most "
                  "twice that in the smallest",
                  Json::array()};
  const bool is_one_given = options.customers > 0 || options.history > 0;
  for (const Bank& bank : kBanks) {
    if (options.is_quick && bank.customers > kBanks[0].customers) break;
    Bank chosen = bank;
    if (options.customers) chosen.customers = options.customers;
    if (options.history) chosen.facts = options.history;
    if (is_one_given) chosen.bound_mib = chosen.customers <= 10'000 ? 96 : chosen.customers <= 200'000 ? 400 : 800;
    section.lines.push_back(measured(chosen, events, options));
    Json& line = section.lines.back();
    line["wall_ratio_to_first"] =
        line["wall_us_per_event"].get<double>() / section.lines[0]["wall_us_per_event"].get<double>();
    line["cpu_ratio_to_first"] =
        line["cpu_us_per_event"].get<double>() / section.lines[0]["cpu_us_per_event"].get<double>();
    if (is_one_given) break;
  }
  return section;
}

}  // namespace tellerd::tellerctl::bench
