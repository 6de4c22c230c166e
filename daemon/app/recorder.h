// The front door: frames in, verdicts, bronze with fsync, and only then the acknowledgement.
// Owns the log and the clock. Everything else that must become a record (a tick, an activation, a repair) is handed in
// through submit() and takes the same road.
// Errors: a full disk pushes producers back and is tried again each second; anything else from the disk is a Fault that
// leaves run(). Threads: run() is the recorder's; submit(), the counters and stop() are for anyone.
#pragma once
#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bronze/hand_over.h"
#include "bronze/log.h"
#include "ingest/admission.h"
#include "ingest/clock.h"

namespace zmq {
class context_t;
}

namespace tellerd::app {

struct RecorderConfig {
  std::filesystem::path bronze;        // folder of the weekly files
  std::vector<std::string> endpoints;  // ipc://… and loopback tcp://…
  ingest::ClockMode clock = ingest::ClockMode::kWall;
  bronze::LogOptions log;
  // Past it producers are told RETRY_AFTER: about what the hand-over holds, so the engine seldom reads back what was
  // just written. What was there to replay at start does not count: a start accepts at once.
  std::int64_t lag_records_max = 100'000;
  std::int64_t disk_free_bytes_stop = 64 << 20;  // under it intake stops
};

struct RecorderCounters {
  std::atomic<std::uint64_t> events{0}, refused{0}, batches{0}, duplicates{0}, malformed_frames{0}, pushed_back{0},
      commits{0};
  std::atomic<std::uint64_t> commit_us{0}, bytes{0};
  std::atomic<bool> is_disk_full{false};
  std::function<void(double seconds)> on_fsync, on_commit, on_ack;  // set before run(); called by the recorder
};

class Recorder {
 public:
  Recorder(zmq::context_t& context, const RecorderConfig& config, ingest::WorldClock& world,
           bronze::HandOver& hand_over);
  ~Recorder();

  void run();  // until stop(); commits and acknowledges what it has taken
  void stop();
  // A daemon record (payload is kept as given). The returned seq is known after commit: wait for `done` when needed.
  // `hash` names a setting (configuration, pack, model): the log remembers it as the last recorded one.
  void submit(wire::Kind kind, std::string payload, std::string hash = {}, std::function<void(bronze::Seq)> done = {});
  // How far the engine is and when it is due next (kNever while it is busy): an idle wall clock writes a tick then.
  void set_progress(bronze::Seq applied, core::Instant next_due_us) noexcept {
    applied_seq_.store(applied, std::memory_order_relaxed);
    next_due_us_.store(next_due_us, std::memory_order_relaxed);
  }

  ingest::RecordClock& clock() noexcept { return *clock_; }
  const RecorderCounters& counters() const noexcept { return counters_; }
  RecorderCounters& counters() noexcept { return counters_; }
  bronze::Log& log() noexcept { return *log_; }
  std::uint64_t beats() const noexcept { return beats_.load(); }  // grows while run() is alive: the watchdog's question

 private:
  struct Sockets;
  struct Submission {
    wire::Kind kind;
    std::string payload, hash;
    std::function<void(bronze::Seq)> done;
  };
  struct PendingAck {
    std::string peer, frame;
    std::int64_t taken_us;
  };

  bool accept_once(bool may_wait);
  void gather();
  void take_frame(const std::string& peer, std::string_view bytes);
  void take_batch(const std::string& peer, const wire::BatchView& batch);
  void take_event(const wire::BatchView& batch, bronze::Producer& producer, std::size_t at,
                  std::vector<wire::Verdict>& verdicts);
  void take_submissions();
  void tick_when_due();
  void append(bronze::Record record);
  void ensure_open();
  void commit_group();
  void note_producers();
  void fold_log(bool is_idle);
  void wait_for_room(const std::string& why);
  void abandon_group(const std::string& why);
  void answer(const std::string& peer, const wire::Ack& ack);
  wire::Ack already_known(const wire::BatchView& batch, const bronze::Producer& producer);
  std::string why_not_now();

  RecorderConfig config_;
  bronze::HandOver& hand_over_;
  std::unique_ptr<Sockets> sockets_;
  std::unique_ptr<bronze::Log> log_;
  std::unique_ptr<ingest::RecordClock> clock_;
  std::unique_ptr<bronze::Group> group_;
  std::vector<PendingAck> acks_;
  std::vector<std::function<void(bronze::Seq)>> submitted_;
  std::vector<Submission> retaken_;
  wire::Decoder decoder_;
  wire::BatchView batch_;
  core::Instant received_us_ = 0;
  std::int64_t began_us_ = 0;  // the last group, on the steady clock
  std::size_t took_ = 0;       // frames and submissions of it
  bronze::Seq started_seq_ = 0;
  std::int64_t disk_checked_us_ = 0, disk_retry_us_ = 0, opened_us_ = 0;
  std::mutex submissions_mutex_;
  std::vector<Submission> submissions_;
  std::atomic<bool> is_stopping_{false};
  std::atomic<bronze::Seq> applied_seq_{0};
  std::atomic<core::Instant> next_due_us_{core::kNever};
  std::atomic<std::uint64_t> beats_{0};
  RecorderCounters counters_;
};

}  // namespace tellerd::app
