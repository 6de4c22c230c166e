// What the status page, /metrics and `tellerctl status` show: counters of the rooms and a few sums over the marts, read
// on a connection of its own and kept for as long as reading took twenty times over, at least a second. Threads: any;
// one document is made at a time.
#pragma once
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>

#include "app/config.h"
#include "app/engine.h"
#include "app/recorder.h"
#include "deliver/json_rows.h"
#include "ops/metrics.h"
#include "store/database.h"

namespace tellerd::app {

class Status {
 public:
  struct Rooms {
    const Recorder* recorder = nullptr;
    const std::atomic<const Engine*>* engine = nullptr;  // null until it has read its state
    const bronze::HandOver* hand_over = nullptr;
    std::function<bool()> is_ready, is_alive;
    std::function<int()> subscribers;
    std::function<std::shared_ptr<deliver::QueueBook>()> queues;  // nullptr while there are none
  };
  Status(const Config& config, Rooms rooms);

  std::string json();
  std::string metrics();
  void note_error(const std::string& text);

  ops::Histogram fsync_seconds, commit_seconds, ack_seconds;

 private:
  struct Sums;
  void refresh();
  void append_model(ops::PrometheusText& text);
  void find_oldest(store::Database& database, Sums& sums);
  deliver::Json queues();  // a row each: what stands, what is blocked, how long the oldest has waited
  void append_sums(ops::PrometheusText& text);  // what refresh() has counted
  std::string currency_of(store::Database& database, const std::string& hash);

  const Config& config_;
  Rooms rooms_;
  std::mutex mutex_;
  std::shared_ptr<Sums> sums_;
  std::int64_t refresh_after_us_ = 0, started_us_ = 0, rate_at_us_ = 0;
  std::uint64_t rate_events_ = 0;
  double events_per_s_ = 0;
  std::string pack_hash_, pack_currency_;
  std::vector<std::pair<std::int64_t, std::string>> errors_;
};

}  // namespace tellerd::app
