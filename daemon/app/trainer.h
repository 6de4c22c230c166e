// The trainer's thread: reads a copy of what is derived, trains at low priority, hands the model in as a record, and
// its activation when it is better than what scores now. It trains when asked, and by itself when the pack's
// retrain_weeks have passed or the watch has found that customers or outcomes are no longer what the model learnt from.
// What it hands in is a record like any other, so when it trains does not matter to a replay. Nothing waits for it but
// who asked. Threads: run() is the trainer's; the rest for anyone. Errors: a training that fails says so in state() and
// the journal.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <variant>

#include "app/training_data.h"
#include "bronze/record.h"
#include "core/time.h"
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
    // Begins a copy of the database; `done`, from any thread, with what went wrong, empty when nothing did.
    std::function<void(const std::filesystem::path& into, std::function<void(std::string trouble)> done)> copy;
  };
  // Looks whether a training is due once in `look_every`; zero: only trains when asked.
  Trainer(std::filesystem::path database, std::chrono::seconds look_every, Hooks hooks);
  void run();  // until stop()
  void stop();
  // Begins a training, or joins the one under way; the number to look for in state().
  std::int64_t want();
  State state() const;

 private:
  void look();
  void train(const std::string& cause);
  std::variant<TrainingData, model::Refusal> read();
  void note(Stage stage, std::string text, std::string model = {});

  std::filesystem::path database_;
  std::chrono::seconds look_every_;
  Hooks hooks_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> is_stopping_{false};
  bool is_wanted_ = false;
  core::Week tried_ = INT32_MIN;  // the week of the last training by itself: one a week, whatever came of it
  State state_;
};

}  // namespace tellerd::app
