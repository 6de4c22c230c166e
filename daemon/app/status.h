// What the status page, /metrics and `tellerctl status` show: counters of the rooms and a few sums over the marts, read
// on a connection of its own and kept (app/kept.h), at least a second. Threads: any; one document is made at a time.
#pragma once
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>

#include "app/config.h"
#include "app/engine.h"
#include "app/kept.h"
#include "app/recorder.h"
#include "deliver/json_rows.h"
#include "ops/metrics.h"
#include "store/database.h"

namespace tellerd::app {

class Status {
 public:
  struct Rooms {
    const Recorder* recorder = nullptr;
    std::function<std::shared_ptr<const EngineCounters>()> engine;  // nullptr until it has read its state
    const bronze::HandOver* hand_over = nullptr;
    std::function<bool()> is_ready, is_alive, is_stopping;
    std::function<int()> subscribers;
    std::function<std::int64_t()> leases_expired;                 // since the start
    std::function<std::shared_ptr<deliver::QueueBook>()> queues;  // nullptr while there are none
  };
  Status(const Config& config, Rooms rooms);

  std::string json();
  std::string metrics();

  ops::Histogram fsync_seconds, commit_seconds, ack_seconds;

 private:
  struct Sums;
  std::shared_ptr<Sums> count();
  std::shared_ptr<const Sums> refresh();  // the sums as they were counted last; none yet: empty ones
  deliver::Json disk_json();
  void append_model(ops::PrometheusText& text);
  void find_oldest(store::Database& database, Sums& sums);
  deliver::Json queues();  // a row each: what stands, what is blocked, how long the oldest has waited; under mutex_
  void append_sums(ops::PrometheusText& text);  // what refresh() has counted
  std::string currency_of(store::Database& database, const std::string& hash);

  const Config& config_;
  Rooms rooms_;
  std::mutex mutex_;
  std::shared_ptr<const Sums> sums_;
  const std::int64_t started_us_;
  std::int64_t rate_at_us_ = 0;
  std::uint64_t rate_events_ = 0;
  double events_per_s_ = 0;
  std::string pack_hash_, pack_currency_;  // of the thread that counts
  Kept<std::shared_ptr<const Sums>> counted_;
};

}  // namespace tellerd::app
