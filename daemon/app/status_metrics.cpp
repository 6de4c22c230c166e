// What /metrics tells, by the names of the Prometheus conventions.
#include <sys/statvfs.h>

#include "app/status_sums.h"

namespace tellerd::app {

using deliver::Json;

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
  const auto engine = rooms_.engine();
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
    text.gauge("tellerd_lag_records", "Records in bronze that are not derived yet.",
               static_cast<double>(rooms_.hand_over->committed_seq() - engine->applied_seq.load()));
    text.counter("tellerd_turns_total", "Records derived.", static_cast<std::int64_t>(engine->turns.load()));
    text.counter("tellerd_deadlines_total", "Deadlines run.", static_cast<std::int64_t>(engine->deadlines.load()));
    text.counter("tellerd_offers_total", "Offers made.", static_cast<std::int64_t>(engine->offers.load()));
    text.counter("tellerd_flushes_total", "Flushes of derived state.",
                 static_cast<std::int64_t>(engine->flushes.load()));
    text.gauge("tellerd_customers", "Customers known.", static_cast<double>(engine->customers.load()));
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
