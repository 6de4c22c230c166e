// The engine's thread: from what stands in teller.db, through the log, until the daemon stops; and what is looked at
// once it has caught up.
#include <fmt/core.h>

#include <filesystem>
#include <thread>

#include "app/fence.h"
#include "app/service_parts.h"
#include "app/store_check.h"
#include "core/fault.h"
#include "core/log.h"
#include "deliver/json_rows.h"

namespace tellerd::app {
namespace {

constexpr std::int64_t kRoomLeftFactor = 2;

}  // namespace

// What other rules, another schema or other zone data have derived is derived again, from nothing while the whole log
// is there.
void Service::Parts::set_aside_other_version(const EngineOptions& options) {
  const auto& database = options.database;
  if (!std::filesystem::exists(database)) return;
  {
    auto reader = store::Database::open_writer(
        database, writer_options(options));  // only a writer can take back what a kill left half done
    if (reader.integer("SELECT count(*) FROM sqlite_master WHERE name='cursor'") == 0)
      return;  // killed while it was made: migrations go on
    store::Statement cursor(reader, "SELECT seq,derive_version,zone FROM cursor");
    if (!cursor.step() || cursor.integer(0) == 0) return;
    const std::string zone(cursor.text(2));
    if (cursor.integer(1) == derivation(core::Calendar(zone.empty() ? "UTC" : zone))) return;
  }
  if (bronze::LogReader(config.data / "bronze").first_seq() != 1) {
    core::log(core::Level::kWarning, "app",
              "teller.db was derived by other rules, and the whole log is no longer there: what stands is kept, a "
              "fence marks it");
    return;
  }
  core::log(core::Level::kNotice, "app", "teller.db was derived by other rules: everything is derived again");
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(database.string() + suffix);
  std::filesystem::remove_all(config.data / "fence");
}

// Between flushes, at most once a minute: bronze weeks beyond retention go; not while the clock is not believed.
void Service::Parts::keep_house(Engine& folded) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_housekeeping || !recorder->clock().is_following()) return;
  next_housekeeping = now + std::chrono::minutes(1);
  drop_old_weeks(folded, config.data, config.bronze_weeks);
}

void Service::Parts::derive_on() {
  EngineOptions options;
  options.database = config.data / "teller.db";
  options.producer_name = [this](std::int32_t id) { return producer_name(id); };
  options.on_verdict = [this](bronze::Seq seq, wire::Kind kind, std::string_view reason, std::string_view field) {
    if (!feed->is_wanted("status")) return;
    feed->offer("status", deliver::dump({{"topic", "status"},
                                         {"what", "verdict"},
                                         {"record", seq},
                                         {"kind", wire::name_of(kind)},
                                         {"reason", reason},
                                         {"field", field}}));
  };
  options.on_work = [this] { work_beats.fetch_add(1); };
  set_aside_other_version(options);
  options.log_end = hand_over.committed_seq();
  Engine folded(options);
  if (folded.was_derived_otherwise()) take_only_fence(folded, config.data);
  folded.listen([this](const std::string& topic, const std::function<std::string()>& words) {
    if (feed->is_wanted(topic)) feed->offer(topic, words());
  });
  bronze::LogReader log(config.data / "bronze");
  Deriver running(folded, hand_over, log,
                  {[this, queues = folded.queues()](bronze::Seq applied, core::Instant due_us) {
                     recorder->set_progress(applied, due_us);
                     feed->hand_on();
                     if (!queues->has_news()) return;
                     queues->told();
                     desks->stir();
                   },
                   [&](bronze::Seq) { keep_house(folded); },
                   [this](std::string pack) { recorder->submit(wire::Kind::kPackActivated, std::move(pack)); }});
  const Present::Shown shown(present, folded, running);
  if (is_stopping) running.stop();
  running.run();
}

// Without room nothing derived can be kept: what is in memory is forgotten and read again, and bronze is read on from
// there.
void Service::Parts::derive() {
  for (bool was_full = false;; was_full = true) {
    try {
      return derive_on();
    } catch (const core::Fault& full) {
      if (!core::is_disk_full(full)) throw;
      if (is_stopping) return;  // bronze has it: the next start derives it
      if (!was_full)
        core::log(core::Level::kError, "engine",
                  fmt::format("{}: deriving waits and is tried again each second; free some space", full.what()));
    }
  }
}

// Never at the cost of the room that intake needs.
void Service::Parts::copy_store(const std::filesystem::path& into, std::function<void(std::string trouble)> done) {
  std::error_code unknown;
  const auto database = config.data / "teller.db";
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(database, unknown));
  const auto free_bytes = static_cast<std::int64_t>(std::filesystem::space(config.data, unknown).available);
  if (unknown) return done("nothing is derived yet");
  if (free_bytes - bytes < kRoomLeftFactor * config.disk_free_bytes_stop)
    return done(
        fmt::format("a copy of {} MiB needs more room than the {} MiB that are free", bytes >> 20, free_bytes >> 20));
  const bool is_wanted = present.with_deriver([&](Deriver& running) { running.want_copy(into, done); });
  if (!is_wanted) done("nothing is derived yet");
}

// Once everything is derived, so that it takes nothing from a start.
void Service::Parts::check_after_crash() {
  if (was_clean) return;
  const auto has_caught_up = [this] {
    const auto counters = present.counters();
    return counters && counters->flushed_seq.load() >= hand_over.committed_seq();
  };
  while (!is_stopping && !has_caught_up()) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  if (is_stopping) return;
  check_store(config.data);
  core::log(core::Level::kNotice, "app", "the last stop was not in good order; log and store are checked and sound");
}

}  // namespace tellerd::app
