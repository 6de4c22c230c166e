// The trainer's thread: reads what is derived, trains at low priority, hands the model in as a record, and its
// activation when it is better than what scores now. Nothing waits for it but who asked. Threads: run() is the
// trainer's; the rest for anyone. Errors: a training that fails says so in state() and the journal.
#pragma once
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>

#include "bronze/record.h"
#include "wire/facts.h"

namespace tellerd::app {

class Trainer {
 public:
  enum class Stage : std::uint8_t { kIdle, kRunning, kTrained, kRefused, kFailed };
  struct State {
    Stage stage = Stage::kIdle;
    std::int64_t number = 0;  // of the training; grows by one with each
    std::string text;         // for people
    std::string model;        // its id, when one was trained
    bronze::Seq seq = 0;      // of the last record it led to
  };
  struct Hooks {
    std::function<void(wire::Kind, std::string payload, std::function<void(bronze::Seq)> done)> submit;
  };
  Trainer(std::filesystem::path database, Hooks hooks);
  void run();  // until stop()
  void stop();
  // Begins a training, or joins the one under way; the number to look for in state().
  std::int64_t want();
  State state() const;

 private:
  void train();
  void note(Stage stage, std::string text, std::string model = {});

  std::filesystem::path database_;
  Hooks hooks_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> is_stopping_{false};
  bool is_wanted_ = false;
  State state_;
};

}  // namespace tellerd::app
