// The same log gives the same tables, however its records are grouped into flushes and however often the engine stops.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>

#include "support/desk_world.h"
#include "support/fold.h"
#include "support/scratch_folder.h"
#include "support/world.h"

using namespace tellerd;
using tests::Fold;
using tests::LogMaker;
using tests::ScratchFolder;
using tests::World;
using tests::WorldOptions;

namespace {

using Way = std::function<void(Fold&)>;

Way flushed_every(std::size_t records) {
  return [records](Fold& fold) {
    for (std::size_t count = 1; fold.has_next(); ++count) {
      fold.apply_next();
      if (count % records == 0) fold.flush();
    }
    fold.flush();
  };
}

void restarted_each(Fold& fold) {
  while (fold.has_next()) {
    fold.apply_next();
    fold.flush();
    fold.restart();
  }
}

// Flushed, beside what is applied next or not, with rows written ahead, prepared for a pack that is to come, stopped
// after a flush, and killed before one, at random.
Way interrupted(std::uint64_t seed, int percent) {
  return [seed, percent](Fold& fold) {
    fold.make_writing_slow();
    if (seed % 2) fold.keep_few_rows();
    std::mt19937_64 chance(seed);
    while (fold.has_next()) {
      fold.apply_next();
      const auto draw = static_cast<int>(chance() % 100);
      if (chance() % 2) fold.engine().prepare_pack(static_cast<int>(1 + chance() % 200));
      if (!fold.engine().is_writing_behind() && chance() % 4 == 0) fold.engine().write_rows_behind(chance() % 9, {});
      if (draw < 3 * percent) fold.flush();
      if (draw >= 100 - 3 * percent && !fold.engine().is_writing_behind())
        fold.engine().flush_behind(chance() % 2 ? 0 : INT64_MAX, {}, {});
      if (draw < percent || chance() % 100 == 0) fold.restart();
    }
    fold.flush();
  };
}

// What the contact policy says of each offer that stands, now and later. It stands in no table, and must be the same
// after a restart all the same.
std::string gates_of(Fold& fold) {
  const auto book = fold.engine().queues();
  std::string text;
  for (const core::Instant later_us : {core::Instant{0}, 9 * core::kHour, 20 * core::kDay})
    book->ready().each_standing(1, [&](std::int64_t number, const deliver::ReadyIndex::Slot&) {
      const auto gate = book->gate(number, fold.engine().counters()->now_us + later_us);
      text += fmt::format("{} {} {}\n", number, static_cast<int>(gate.why), gate.open_us);
      return true;
    });
  return text;
}

std::vector<std::string> differences_of(const LogMaker& log, const Way& way) {
  const ScratchFolder folder;
  Fold once(log, folder / "once.db"), other(log, folder / "other.db");
  once.apply_all();
  way(other);
  auto found = tests::differences(other, once);
  if (gates_of(other) != gates_of(once)) found.push_back("gates:\n" + gates_of(other) + "and not\n" + gates_of(once));
  return found;
}

// A failing log made smaller for the reader: pieces are left out as long as it still fails, for a minute at most.
std::string smallest_failing(std::unique_ptr<LogMaker> log, const Way& way) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (std::size_t piece = log->records().size() / 2; piece > 0; piece /= 2)
    for (std::size_t from = 0; from < log->records().size();) {
      if (std::chrono::steady_clock::now() > until) break;
      auto less = log->without(from, from + piece);
      if (less->records().empty() || differences_of(*less, way).empty())
        from += piece;
      else
        log = std::move(less);
    }
  return tests::describe(*log);
}

void check_way(std::unique_ptr<LogMaker> log, const std::string& name, const Way& way) {
  const auto found = differences_of(*log, way);
  if (found.empty()) return;
  std::string text;
  for (const auto& line : found) text += line + '\n';
  FAIL_CHECK(name << ":\n" << text << "smallest failing log:\n" << smallest_failing(std::move(log), way));
}

WorldOptions world_of(std::uint64_t seed) {
  WorldOptions options;
  options.seed = seed;
  options.clock = seed % 2 ? ingest::ClockMode::kWall : ingest::ClockMode::kEvent;
  options.pack = seed % 4 < 2 ? "default" : "original";
  options.has_models = seed % 3 != 0;
  options.zone = seed % 3 ? "UTC" : "Europe/Moscow";
  return options;
}

// TELLERD_GOLDEN_SEEDS=first:count searches further than the build does.
std::pair<std::uint64_t, std::uint64_t> seeds(std::uint64_t first, std::uint64_t count) {
  const char* wanted = std::getenv("TELLERD_GOLDEN_SEEDS");
  if (!wanted) return {first, count};
  const std::string text = wanted;
  const auto colon = text.find(':');
  return {std::stoull(text), colon == std::string::npos ? 1 : std::stoull(text.substr(colon + 1))};
}

}  // namespace

TEST_SUITE("golden.grouping") {
  TEST_CASE("flushes after every record, every seventh or never give the same tables") {
    const auto [first, count] = seeds(1, 8);
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
      CAPTURE(seed);
      WorldOptions options = world_of(seed);
      options.records = 600;
      check_way(World(options).make(), "a flush after each record", flushed_every(1));
      check_way(World(options).make(), "a flush after seven records", flushed_every(7));
    }
  }

  TEST_CASE("an engine stopped after every record gives the tables of one that never stopped") {
    const auto [first, count] = seeds(100, 4);
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
      CAPTURE(seed);
      WorldOptions options = world_of(seed);
      options.records = 150;
      options.customers = 3;
      check_way(World(options).make(), "a restart after each record", restarted_each);
    }
  }

  TEST_CASE("with desks at work too, flushes and stops change no table") {
    const auto [first, count] = seeds(300, 8);
    std::map<std::string, std::int64_t> reached;  // by queue_item.state: a world where nothing happens proves nothing
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
      CAPTURE(seed);
      WorldOptions options = world_of(seed);
      options.records = 120;
      options.customers = 4;
      if (seed % 8 == 3) options.step_us = 6 * core::kDay;  // past retention
      const auto log = tests::with_desks(*World(options).make(), seed);
      const auto again = [&] { return log->without(0, 0); };
      check_way(again(), "a flush after each record", flushed_every(1));
      check_way(again(), "a flush after seven records", flushed_every(7));
      check_way(again(), "a restart after each record", restarted_each);
      check_way(again(), "stops and kills", interrupted(seed, 2));
      const ScratchFolder folder;
      Fold once(*log, folder / "once.db");
      once.apply_all();
      for (const std::string state : {"0", "1", "2", "3", "6"})
        reached[state] += std::stoll(once.ask("SELECT count(*) FROM queue_item WHERE state=" + state));
      reached["outcome"] += std::stoll(once.ask("SELECT count(*) FROM silver_outcome WHERE id LIKE '%/%'"));
    }
    if (count >= 8)
      for (const auto& one : reached) CHECK_MESSAGE(one.second > 0, one.first);
  }

  TEST_CASE("an engine killed and stopped at random gives the tables of one that never stopped") {
    const auto [first, count] = seeds(200, 8);
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
      CAPTURE(seed);
      WorldOptions options = world_of(seed);
      options.records = 1000;
      options.step_us = (seed % 5 ? 8 : 40) * core::kHour;
      options.customers = seed % 3 ? 5 : 40;
      check_way(World(options).make(), "stops and kills", interrupted(seed, 2));
    }
  }
}
