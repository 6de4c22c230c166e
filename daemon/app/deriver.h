// The engine's thread: takes committed groups from the hand-over, reads on from bronze where it was full, applies them
// one record a turn, and flushes: within a second at ordinary load, within five at the heaviest, at once when a reader
// waits.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "app/engine.h"
#include "bronze/hand_over.h"
#include "bronze/log.h"

namespace tellerd::app {

class Deriver {
 public:
  struct Hooks {
    std::function<void(bronze::Seq applied, core::Instant next_due_us)> on_progress;  // after each group
    std::function<void(bronze::Seq flushed)> on_flush;  // may keep house: nothing waits then
    std::function<void(std::string pack)> activate;     // records it: a pack that is to come is prepared for
  };
  Deriver(Engine& engine, bronze::HandOver& hand_over, bronze::LogReader& log, Hooks hooks);
  void run();  // until stop(); derives what is left for some seconds, and flushes
  void stop();
  // teller.db as it stands at some moment soon, in a new file, written bit by bit; from any thread. `done` is called in
  // the engine's, or the one that commits for it: with what went wrong, empty when nothing did.
  using Copied = std::function<void(std::string trouble)>;
  void want_copy(std::filesystem::path into, Copied done);
  ~Deriver();
  std::uint64_t beats() const noexcept { return beats_.load(); }

 private:
  bool apply_next();
  bool read_on();
  void apply_bits(std::span<const bronze::Record> records);
  void expect_burst(bool is_expected);
  void flush_when_due(bool is_idle);
  void go_on_copying(int pages_max);

  Engine& engine_;
  bronze::HandOver& hand_over_;
  bronze::LogReader& log_;
  Hooks hooks_;
  bronze::Group from_log_;
  std::atomic<bool> is_stopping_{false};
  std::atomic<std::uint64_t> beats_{0};
  bool is_in_burst_ = false;           // since much waited or came, until neither has for a while
  std::atomic<bool> is_asked_{false};  // by desks, lately
  bool is_preparing_ = false;          // for a pack that is to come
  bool is_committing_ = false;         // a flush's commit is under way, or has just ended
  struct Wanted {
    std::filesystem::path into;
    Copied done;
    std::unique_ptr<store::DatabaseCopy> copy;  // once it is begun
  };
  std::mutex copy_mutex_;
  std::optional<Wanted> wanted_copy_;  // taken by the engine's thread; one at a time
  std::optional<Wanted> copying_;
  std::int64_t flushed_at_us_ = 0, flush_took_us_ = 0, busy_at_us_ = 0;
  std::atomic<std::int64_t> heavy_at_us_ = 0;  // when last more waited than flushes could be made for
};

}  // namespace tellerd::app
