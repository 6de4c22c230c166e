// A connection's long work, a commit or a fold, done in another thread while the owner goes on with what needs no
// statement: at a lower weight than all others, or, where the owner is pressed, at theirs. One work at a time. There
// are two threads for it, as one that has been made lighter may not become heavier again. Threads: start() and wait()
// are the owner's; the rest is anybody's.
#pragma once
#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace tellerd::store {

class Lending {
 public:
  Lending();
  ~Lending() { end(); }
  void end() noexcept;                                                 // waits for what is under way, and for good
  void start(std::function<void()> work, std::function<void()> done);  // done: from the other thread, when it is back
  void press(bool is_pressed) noexcept { is_pressed_ = is_pressed; }   // the owner's: from the next work on
  void wait();                                                         // until it is done; throws what it threw
  // Between two steps of the work, while its thread stands still: what cannot wait for its end. False, and nothing is
  // done, when the work ended first.
  bool interject(const std::function<void()>& what);
  void let_in() {  // the work's: here it may stand still
    if (is_asked_.load(std::memory_order_relaxed)) stand_still();
  }
  bool is_interjecting() const noexcept { return is_interjecting_; }  // the owner's
  bool is_busy() const noexcept { return state_.load(std::memory_order_acquire) == State::kBusy; }
  bool is_settled() const noexcept { return state_.load(std::memory_order_acquire) == State::kSettled; }
  bool is_inside() const noexcept {
    return std::this_thread::get_id() == light_.get_id() || std::this_thread::get_id() == full_.get_id();
  }
  Lending(const Lending&) = delete;

 private:
  enum class State : int { kSettled, kBusy, kFailed };
  void run(bool is_full);
  void stand_still();
  std::atomic<State> state_{State::kSettled};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> work_, done_;
  std::exception_ptr failure_;
  bool is_ending_ = false, is_pressed_ = false, is_for_full_ = false;
  std::atomic<bool> is_asked_{false};  // to stand still
  bool is_standing_ = false, is_interjecting_ = false;
  std::thread light_, full_;  // the last, so that all they need is there
};

}  // namespace tellerd::store
