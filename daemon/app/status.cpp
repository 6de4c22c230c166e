#include "app/status.h"

#include <fmt/core.h>
#include <sys/statvfs.h>

#include <chrono>

#include "app/status_sums.h"
#include "core/troubles.h"

namespace tellerd::app {
namespace {

using deliver::Json;

std::int64_t clock_us(auto clock) {
  return std::chrono::duration_cast<std::chrono::microseconds>(clock.time_since_epoch()).count();
}
std::int64_t steady_us() { return clock_us(std::chrono::steady_clock::now()); }
std::int64_t wall_us() { return clock_us(std::chrono::system_clock::now()); }

Json room(const char* name, const char* light, std::int64_t value, const char* unit, const std::string& text) {
  return {{"name", name}, {"light", light}, {"value", value}, {"unit", unit}, {"text", text}};
}

}  // namespace

Status::Status(const Config& config, Rooms rooms)
    : config_(config),
      rooms_(std::move(rooms)),
      sums_(std::make_shared<Sums>()),
      started_us_(wall_us()),
      counted_([] { return std::int64_t{-1}; }, std::chrono::seconds(1)) {}

deliver::Json Status::queues() {
  Json rows = Json::array();
  const auto book = rooms_.queues ? rooms_.queues() : nullptr;
  const auto engine = rooms_.engine();
  if (!book || !engine) return rows;
  const bool is_wall = const_cast<Recorder*>(rooms_.recorder)->clock().mode() == ingest::ClockMode::kWall;
  const std::int64_t now_us = is_wall ? wall_us() : engine->now_us.load();
  const auto guard = book->lock();
  for (std::size_t queue = 0; queue < book->queue_count(); ++queue) {
    if (book->queue_name(queue).empty()) continue;
    const auto& counts = book->counts(queue);
    Json row{{"queue", book->queue_name(queue)},
             {"ready", book->ready_count(queue)},
             {"leased", counts.leased},
             {"scheduled", counts.scheduled + counts.reserved},
             {"dead", counts.dead},
             {"done", counts.done},
             {"refused", book->refused(queue)}};
    Json blocked = Json::object();
    for (std::size_t why = 1; why < decide::kWhyCount; ++why)
      if (const auto count = book->parked(queue, static_cast<deliver::Blocked>(why)))
        blocked[std::string(decide::kWhyNames[why])] = count;
    row["blocked"] = blocked;
    const std::int64_t oldest_us = queue < sums_->oldest_us.size() ? sums_->oldest_us[queue] : 0;
    row["oldest_s"] = oldest_us ? Json(std::max<std::int64_t>(0, (now_us - oldest_us) / core::kSecond)) : Json();
    rows.push_back(row);
  }
  return rows;
}

Json Status::disk_json() {
  std::error_code none;
  struct statvfs disk {};
  statvfs(config_.data.c_str(), &disk);
  const auto wal = std::filesystem::file_size(config_.data / "teller.db-wal", none);
  return {{"free_bytes", static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize)},
          {"stop_bytes", config_.disk_free_bytes_stop},
          {"data_bytes", sums_->data_bytes},
          {"wal_bytes", none ? 0 : wal},
          {"bronze_weeks", sums_->log_files},
          {"retention_weeks", config_.bronze_weeks},
          {"fences", sums_->fences}};
}

std::string Status::json() {
  refresh();
  const std::lock_guard lock(mutex_);
  const auto& in = rooms_.recorder->counters();
  const auto engine = rooms_.engine();
  const std::uint64_t events = in.events.load();
  const std::int64_t now = steady_us();
  if (now - rate_at_us_ > core::kSecond) {
    events_per_s_ =
        rate_at_us_ ? static_cast<double>(events - rate_events_) * 1e6 / static_cast<double>(now - rate_at_us_) : 0;
    rate_at_us_ = now;
    rate_events_ = events;
  }
  const bool is_following = const_cast<Recorder*>(rooms_.recorder)->clock().is_following();
  const bool is_ready = rooms_.is_ready(), is_full = in.is_disk_full.load(), is_stopping = rooms_.is_stopping();
  const std::int64_t lag = engine ? rooms_.hand_over->committed_seq() - engine->applied_seq.load() : 0;
  const char* engine_light = !engine || is_stopping              ? "amber"
                             : lag > config_.lag_records_max     ? "red"
                             : lag > config_.lag_records_max / 2 ? "amber"
                                                                 : "green";
  const char* door_light = is_full || !is_following ? "red" : is_stopping ? "amber" : "green";
  Json json;
  json["version"] = TELLERD_VERSION;
  json["branch"] = config_.branch_name;
  json["timezone"] = config_.timezone;
  json["clock"] = is_following ? "following" : "stepped: run tellerctl clock accept once the system clock is right";
  json["ready"] = is_ready;
  json["state"] = is_stopping ? "stopping" : !engine ? "reading what is stored" : is_ready ? "running" : "starting";
  json["light"] = std::string_view(door_light) == "red" || std::string_view(engine_light) == "red" ? "red"
                  : std::string_view(engine_light) == "amber"                                      ? "amber"
                                                                                                   : "green";
  json["currency"] = sums_->currency;
  json["now_us"] = wall_us();
  json["started_us"] = started_us_;
  Json rooms = Json::array();
  rooms.push_back(room("ingest", door_light, static_cast<std::int64_t>(events_per_s_), "events/s",
                       is_stopping ? "stopping"
                       : is_full   ? "the disk is full: intake waits"
                                   : "taking events"));
  rooms.push_back(room("bronze", is_full ? "red" : "green", rooms_.hand_over->committed_seq(), "records", "on disk"));
  rooms.push_back(room("silver", engine_light, engine ? static_cast<std::int64_t>(engine->facts.load()) : 0, "facts",
                       is_stopping ? "stopping"
                       : engine    ? ""
                                   : "reading what is stored"));
  rooms.push_back(
      room("gold", engine_light, engine ? static_cast<std::int64_t>(engine->customers.load()) : 0, "customers", ""));
  rooms.push_back(
      room("decide", engine_light, engine ? static_cast<std::int64_t>(engine->decisions.load()) : 0, "decisions", ""));
  rooms.push_back(
      room("deliver", "green", sums_->open_offers, "offers", fmt::format("{} listening", rooms_.subscribers())));
  json["rooms"] = rooms;
  json["ingest"] = {{"events_total", events},
                    {"events_per_s", events_per_s_},
                    {"batches_total", in.batches.load()},
                    {"fsync_ms_p50", fsync_seconds.quantile(.5) * 1000},
                    {"fsync_ms_p99", fsync_seconds.quantile(.99) * 1000},
                    {"ack_ms_p99", ack_seconds.quantile(.99) * 1000}};
  json["lag"] = {{"records", lag}, {"seconds", events_per_s_ > 0 ? static_cast<double>(lag) / events_per_s_ : 0.0}};
  json["queues"] = queues();
  json["tiers"] = sums_->tiers;
  json["segments"] = sums_->segments;
  json["churn"] = sums_->churn;
  json["overdue"] = sums_->overdue;
  json["quarantine"] = sums_->quarantine;
  json["model"] = sums_->model;
  json["disk"] = disk_json();
  json["policy"] = sums_->policy;
  if (engine && !sums_->policy.value("coming", Json()).is_null())  // nothing is in it before the first sums
    json["policy"]["coming"]["percent"] = engine->coming_percent.load(std::memory_order_relaxed);
  json["versions"] = {
      {"tellerd", TELLERD_VERSION}, {"derive", kDeriveVersion}, {"schema", sums_->schema}, {"sqlite", sums_->sqlite}};
  Json errors = Json::array();
  for (const auto& one : core::newest_troubles())
    errors.push_back({{"at_us", one.at_us},
                      {"light", one.level == core::Level::kError ? "red" : "amber"},
                      {"room", one.room},
                      {"text", one.text}});
  json["errors"] = errors;
  return deliver::dump(json);
}

}  // namespace tellerd::app
