#include "app/status.h"

#include <fmt/core.h>
#include <sys/statvfs.h>

#include <chrono>

#include "app/api.h"
#include "bronze/log.h"
#include "core/fault.h"
#include "core/money.h"
#include "core/troubles.h"
#include "decide/pack.h"
#include "decide/pack_files.h"
#include "deliver/json_rows.h"
#include "store/database.h"

namespace tellerd::app {
namespace {

using deliver::Json;

std::int64_t clock_us(auto clock) {
  return std::chrono::duration_cast<std::chrono::microseconds>(clock.time_since_epoch()).count();
}
std::int64_t steady_us() { return clock_us(std::chrono::steady_clock::now()); }
std::int64_t wall_us() { return clock_us(std::chrono::system_clock::now()); }

// Files come and go meanwhile: what cannot be read counts nothing.
std::int64_t bytes_below(const std::filesystem::path& folder) {
  std::error_code gone;
  std::int64_t bytes = 0;
  std::filesystem::recursive_directory_iterator at(folder, std::filesystem::directory_options::skip_permission_denied,
                                                   gone),
      end;
  for (; at != end; at.increment(gone)) {
    std::error_code none;
    const auto size = at->is_regular_file(none) ? at->file_size(none) : 0;
    if (!none) bytes += static_cast<std::int64_t>(size);
  }
  return bytes;
}

std::size_t files_in(const std::filesystem::path& folder) {
  std::error_code gone;
  std::filesystem::directory_iterator at(folder, gone), end;
  return gone ? 0 : static_cast<std::size_t>(std::distance(at, end));
}

Json room(const char* name, const char* light, std::int64_t value, const char* unit, const std::string& text) {
  return {{"name", name}, {"light", light}, {"value", value}, {"unit", unit}, {"text", text}};
}

}  // namespace

struct Status::Sums {
  Json tiers = Json::array(), segments = Json::array(), churn = Json::array(), quarantine = Json::array(),
       overdue = Json::object(), policy = Json::object(), late = Json::array(), model = Json::object();
  std::int64_t open_offers = 0, schema = 0, data_bytes = 0;
  std::size_t log_files = 0, fences = 0;
  std::string currency, sqlite;
  std::vector<std::int64_t> oldest_us;  // by queue; 0 is none
};

// The branch's currency stands in the pack that decides.
std::string Status::currency_of(store::Database& database, const std::string& hash) {
  if (hash == pack_hash_) return pack_currency_;
  store::Statement find(database, "SELECT files FROM policy_history WHERE hash = ? ORDER BY seq DESC LIMIT 1");
  if (find.bind(1, std::string_view(hash)).step()) {
    const core::Currency currency = decide::parse_pack(decide::deserialise_pack(find.text(0))).branch_currency;
    pack_currency_ = core::code_of(currency);
    pack_hash_ = hash;
  }
  find.reset();
  return pack_currency_;
}

Status::Status(const Config& config, Rooms rooms)
    : config_(config),
      rooms_(std::move(rooms)),
      sums_(std::make_shared<Sums>()),
      started_us_(wall_us()),
      counted_([] { return std::int64_t{-1}; }, std::chrono::seconds(1)) {}

std::shared_ptr<Status::Sums> Status::count() {
  auto sums = std::make_shared<Sums>();
  auto database = store::Database::open_reader(config_.data / "teller.db");
  database.limit_read_time(4 * core::kSecond);
  sums->tiers = rows_of(database,
                        "SELECT t.name, count(*) AS count FROM gold_customer g JOIN name_of t ON t.what='tier' AND "
                        "t.number=g.tier WHERE g.combined>=0 GROUP BY g.tier ORDER BY t.level");
  sums->segments = rows_of(database,
                           "SELECT s.name, count(*) AS count FROM gold_customer g JOIN name_of s ON "
                           "s.what='combined' AND s.number=g.combined GROUP BY g.combined ORDER BY g.combined");
  sums->churn =
      rows_of(database,
              "SELECT CASE churn WHEN 1 THEN 'active' WHEN 2 THEN 'at_risk' WHEN 3 THEN 'churned' ELSE 'returned' "
              "END AS state, count(*) AS count FROM gold_customer WHERE churn>0 GROUP BY churn ORDER BY churn");
  sums->quarantine = rows_of(
      database,
      "SELECT reason, count(*) AS count FROM quarantine WHERE state='open' GROUP BY reason ORDER BY count DESC");
  sums->overdue =
      rows_of(database,
              "SELECT count(*) AS loans, coalesce(sum(dpd>0),0) AS overdue_loans, "
              "round(100.0*coalesce(sum(dpd>0),0)/max(count(*),1),2) AS share_percent FROM gold_loan WHERE loan_seq>0")
          .at(0);
  sums->late =
      rows_of(database,
              "SELECT kind, 1.0*sum(CASE verdict WHEN 'late' THEN count ELSE 0 END)/sum(CASE verdict WHEN 'accepted' "
              "THEN count ELSE 0 END) AS share FROM data_quality GROUP BY kind HAVING sum(CASE verdict WHEN "
              "'accepted' THEN count ELSE 0 END)>0 ORDER BY kind");
  sums->model =
      rows_of(database,
              "SELECT f.model, w.score_psi, w.alarms AS drift_alarms, r.roc_auc, r.predicted_mean, "
              "1.0*r.left_customers/r.customers AS left_share, r.alarms AS outcome_alarms FROM churn_fold f LEFT "
              "JOIN (SELECT * FROM churn_watch ORDER BY week DESC LIMIT 1) w LEFT JOIN (SELECT * FROM churn_realised "
              "ORDER BY judged_week DESC, week DESC LIMIT 1) r")
          .at(0);
  sums->policy = rows_of(database, "SELECT pack_name AS name, pack_hash AS hash FROM cursor").at(0);
  sums->open_offers =
      database.integer("SELECT (SELECT count(*) FROM offer_made)-(SELECT coalesce(sum(count),0) FROM offer_end)");
  sums->sqlite = rows_of(database, "SELECT sqlite_version() AS version").at(0)["version"];
  sums->schema = database.integer("PRAGMA user_version");
  sums->currency = currency_of(database, sums->policy["hash"]);
  find_oldest(database, *sums);
  sums->data_bytes = bytes_below(config_.data);
  sums->log_files = bronze::log_files(config_.data / "bronze").size();
  sums->fences = files_in(config_.data / "fence");
  return sums;
}

std::shared_ptr<const Status::Sums> Status::refresh() {
  const auto counted = counted_.ask("sums", [this] {
    try {
      return Kept<std::shared_ptr<const Sums>>::Made{count(), true};
    } catch (const core::Fault&) {  // not there yet, or too slow this time: the last sums stand
      return Kept<std::shared_ptr<const Sums>>::Made{nullptr, false};
    }
  });
  const std::lock_guard lock(mutex_);
  if (counted && *counted) sums_ = *counted;
  return sums_;
}

// When those were made that have waited longest of all that may be taken.
void Status::find_oldest(store::Database& database, Sums& sums) {
  const auto book = rooms_.queues ? rooms_.queues() : nullptr;
  if (!book) return;
  std::vector<std::int64_t> numbers;
  {
    const auto guard = book->lock();
    for (std::size_t queue = 0; queue < book->queue_count(); ++queue) numbers.push_back(book->oldest(queue));
  }
  store::Statement made(database, "SELECT created_us FROM offer_made WHERE number=?");
  for (const std::int64_t number : numbers) {
    made.bind(1, number);
    sums.oldest_us.push_back(number && made.step() ? made.integer(0) : 0);
    made.reset();
  }
}

deliver::Json Status::queues() {
  Json rows = Json::array();
  const auto book = rooms_.queues ? rooms_.queues() : nullptr;
  const Engine* engine = rooms_.engine->load();
  if (!book || !engine) return rows;
  const bool is_wall = const_cast<Recorder*>(rooms_.recorder)->clock().mode() == ingest::ClockMode::kWall;
  const std::int64_t now_us = is_wall ? wall_us() : engine->counters().now_us.load();
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
  const Engine* engine = rooms_.engine->load();
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
  const std::int64_t lag = engine ? rooms_.hand_over->committed_seq() - engine->counters().applied_seq.load() : 0;
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
  const auto* counters = engine ? &engine->counters() : nullptr;
  rooms.push_back(room("silver", engine_light, counters ? static_cast<std::int64_t>(counters->facts.load()) : 0,
                       "facts",
                       is_stopping ? "stopping"
                       : engine    ? ""
                                   : "reading what is stored"));
  rooms.push_back(room("gold", engine_light, counters ? static_cast<std::int64_t>(counters->customers.load()) : 0,
                       "customers", ""));
  rooms.push_back(room("decide", engine_light, counters ? static_cast<std::int64_t>(counters->decisions.load()) : 0,
                       "decisions", ""));
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

// Figures of the newest week that has them.
void Status::append_model(ops::PrometheusText& text) {
  const Json& model = sums_->model;
  const auto figure = [&](const char* name, const char* help, const char* column) {
    if (model.contains(column) && model[column].is_number()) text.gauge(name, help, model[column].get<double>());
  };
  figure("tellerd_churn_score_psi", "Population stability index of the churn scores against the training.",
         "score_psi");
  figure("tellerd_churn_realised_auc", "ROC-AUC of the newest forecasts whose outcome is known.", "roc_auc");
  figure("tellerd_churn_predicted_ratio", "Mean probability of the newest forecasts whose outcome is known.",
         "predicted_mean");
  figure("tellerd_churn_realised_ratio", "Share of those customers that left.", "left_share");
  text.family("tellerd_churn_alarm", ops::PrometheusText::Kind::kGauge, "1 while the watch over the model says so.");
  const std::string alarms = model.value("drift_alarms", Json()).is_string() ? model["drift_alarms"] : Json("");
  const std::string outcomes = model.value("outcome_alarms", Json()).is_string() ? model["outcome_alarms"] : Json("");
  for (const char* alarm : {"drift", "level", "leak", "useless"})
    text.sample((alarms + " " + outcomes).find(alarm) != std::string::npos, {{"alarm", alarm}});
}

void Status::append_sums(ops::PrometheusText& text) {
  refresh();
  const std::lock_guard lock(mutex_);
  auto counts = [&](const char* name, const char* help, const char* label, const Json& rows, const char* column) {
    text.family(name, ops::PrometheusText::Kind::kGauge, help);
    for (const auto& row : rows)
      text.sample(row["count"].get<std::int64_t>(), {{label, row[column].get<std::string>()}});
  };
  text.family("tellerd_queue_ready", ops::PrometheusText::Kind::kGauge, "Offers that wait in a queue.");
  const Json rows = queues();
  for (const auto& row : rows)
    text.sample(row["ready"].get<std::int64_t>(), {{"queue", row["queue"].get<std::string>()}});
  text.family("tellerd_queue_offers", ops::PrometheusText::Kind::kGauge,
              "Offers of a queue that do not wait, by state.");
  for (const auto& row : rows)
    for (const char* state : {"leased", "scheduled", "done"})
      text.sample(row[state].get<std::int64_t>(), {{"queue", row["queue"].get<std::string>()}, {"state", state}});
  text.family("tellerd_queue_blocked", ops::PrometheusText::Kind::kGauge,
              "Offers that wait and may not be taken now, by reason, as far as somebody asked for them.");
  for (const auto& row : rows)
    for (const auto& [reason, count] : row["blocked"].items())
      text.sample(count.get<std::int64_t>(), {{"queue", row["queue"].get<std::string>()}, {"reason", reason}});
  text.family("tellerd_oldest_ready_seconds", ops::PrometheusText::Kind::kGauge,
              "How long the oldest offer has waited that may be taken.");
  for (const auto& row : rows)
    if (row["oldest_s"].is_number())
      text.sample(row["oldest_s"].get<std::int64_t>(), {{"queue", row["queue"].get<std::string>()}});
  text.family("tellerd_dead_letter", ops::PrometheusText::Kind::kGauge,
              "Offers given up after faults of their leases.");
  for (const auto& row : rows)
    text.sample(row["dead"].get<std::int64_t>(), {{"queue", row["queue"].get<std::string>()}});
  text.family("tellerd_queue_refused_total", ops::PrometheusText::Kind::kCounter,
              "Offers refused because their queue was full.");
  for (const auto& row : rows)
    text.sample(row["refused"].get<std::int64_t>(), {{"queue", row["queue"].get<std::string>()}});
  counts("tellerd_segment_customers", "Customers in a combined segment.", "segment", sums_->segments, "name");
  counts("tellerd_churn_customers", "Customers in a state of churn.", "state", sums_->churn, "state");
  counts("tellerd_quarantine_open", "Refused events that wait for an answer.", "reason", sums_->quarantine, "reason");
  text.family("tellerd_late_ratio", ops::PrometheusText::Kind::kGauge,
              "Share of accepted facts that came in a later week than they happened.");
  for (const auto& row : sums_->late)
    text.sample(row["share"].get<double>(), {{"kind", row["kind"].get<std::string>()}});
  append_model(text);
  text.gauge("tellerd_loans", "Loans known.", sums_->overdue.value("loans", 0.0));
  text.gauge("tellerd_loans_overdue", "Loans past due.", sums_->overdue.value("overdue_loans", 0.0));
}

std::string Status::metrics() {
  const auto& in = rooms_.recorder->counters();
  const Engine* engine = rooms_.engine->load();
  ops::PrometheusText text;
  text.counter("tellerd_events_total", "Events recorded in bronze.", static_cast<std::int64_t>(in.events.load()));
  text.counter("tellerd_events_refused_total", "Events refused at the door, kept in quarantine.",
               static_cast<std::int64_t>(in.refused.load()));
  text.counter("tellerd_batches_total", "Batches received.", static_cast<std::int64_t>(in.batches.load()));
  text.counter("tellerd_batches_duplicate_total", "Batches that had been acknowledged before.",
               static_cast<std::int64_t>(in.duplicates.load()));
  text.counter("tellerd_batches_pushed_back_total", "Batches answered with RETRY_AFTER.",
               static_cast<std::int64_t>(in.pushed_back.load()));
  text.counter("tellerd_frames_malformed_total", "Frames that were neither a batch nor a hello.",
               static_cast<std::int64_t>(in.malformed_frames.load()));
  text.family("tellerd_commit_seconds", ops::PrometheusText::Kind::kHistogram,
              "From the first record of a group to its being durable.");
  text.histogram(commit_seconds);
  text.family("tellerd_fsync_seconds", ops::PrometheusText::Kind::kHistogram,
              "Time of a group's COMMIT: one write of the log and its fsync.");
  text.histogram(fsync_seconds);
  text.family("tellerd_ack_seconds", ops::PrometheusText::Kind::kHistogram,
              "From a batch taken to its acknowledgement.");
  text.histogram(ack_seconds);
  text.gauge("tellerd_ready", "1 when events are accepted.", rooms_.is_ready());
  text.gauge("tellerd_disk_full", "1 while intake waits for room on the disk.", in.is_disk_full.load());
  if (engine) {
    const auto& counters = engine->counters();
    text.gauge("tellerd_lag_records", "Records in bronze that are not derived yet.",
               static_cast<double>(rooms_.hand_over->committed_seq() - counters.applied_seq.load()));
    text.counter("tellerd_turns_total", "Records derived.", static_cast<std::int64_t>(counters.turns.load()));
    text.counter("tellerd_deadlines_total", "Deadlines run.", static_cast<std::int64_t>(counters.deadlines.load()));
    text.counter("tellerd_offers_total", "Offers made.", static_cast<std::int64_t>(counters.offers.load()));
    text.counter("tellerd_flushes_total", "Flushes of derived state.",
                 static_cast<std::int64_t>(counters.flushes.load()));
    text.gauge("tellerd_customers", "Customers known.", static_cast<double>(counters.customers.load()));
  }
  std::error_code none;
  const auto wal = std::filesystem::file_size(config_.data / "teller.db-wal", none);
  text.gauge("tellerd_wal_bytes", "Size of the derived store's write-ahead log.", none ? 0 : static_cast<double>(wal));
  struct statvfs disk {};
  if (statvfs(config_.data.c_str(), &disk) == 0)
    text.gauge("tellerd_disk_free_bytes", "Free space for the data directory.",
               static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize));
  text.counter("tellerd_lease_expired_total", "Leases that ran out without an answer.", rooms_.leases_expired());
  append_sums(text);
  text.family("tellerd_build_info", ops::PrometheusText::Kind::kGauge, "The version that runs.");
  text.sample(1, {{"version", TELLERD_VERSION}});
  return text.text();
}

}  // namespace tellerd::app
