// A connection's long work, a commit or a fold, done in another thread while the owner goes on with what needs no
// statement: at a lower weight than all others, and with pauses while it is in somebody's way, or, where the owner is
// pressed, as the others work. One work at a time. There are two threads for it, as one that has been made lighter may
// not become heavier again. Threads: start(), wait() and pause_while() are the owner's; the rest is anybody's.
#pragma once
#include <atomic>
#include <chrono>
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
  // While this says so, work of low weight stands still for three times as long as it has worked, unless its end is
  // waited for. A thread that works on without a pause has a processor to itself however light it is: whoever wakes up
  // goes to where he was, and all the others share what is left. Asked from the other thread; set while there is no
  // work.
  void pause_while(std::function<bool()> is_in_the_way) { is_in_the_way_ = std::move(is_in_the_way); }
  void wait();  // until it is done; throws what it threw
  // Between two steps of the work, while its thread stands still: what cannot wait for its end. False, and nothing is
  // done, when the work ended first.
  bool interject(const std::function<void()>& what);
  void let_in() {  // the work's: here it may stand still
    const bool is_time_to_look = ++steps_ % kStepsBetweenLooks == 0;
    if (is_asked_.load(std::memory_order_relaxed) || (is_time_to_look && is_pause_due())) stand_still();
  }
  // The same from deep within the work, where nobody can be let in: the pause alone. Of no lending's thread: nothing.
  static void pause_when_due();
  bool is_interjecting() const noexcept { return is_interjecting_; }  // the owner's
  bool is_busy() const noexcept { return state_.load(std::memory_order_acquire) == State::kBusy; }
  bool is_settled() const noexcept { return state_.load(std::memory_order_acquire) == State::kSettled; }
  bool is_inside() const noexcept {
    return std::this_thread::get_id() == light_.get_id() || std::this_thread::get_id() == full_.get_id();
  }
  Lending(const Lending&) = delete;

 private:
  enum class State : int { kSettled, kBusy, kFailed };
  using Clock = std::chrono::steady_clock;
  static constexpr unsigned kStepsBetweenLooks = 16;  // at the clock
  void run(bool is_full);
  bool is_pause_due() const;
  void stand_still();
  void pause(std::unique_lock<std::mutex>& guard);
  std::atomic<State> state_{State::kSettled};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> work_, done_;
  std::exception_ptr failure_;
  bool is_ending_ = false, is_pressed_ = false, is_for_full_ = false;
  std::atomic<bool> is_asked_{false};  // to stand still
  bool is_standing_ = false, is_interjecting_ = false, is_awaited_ = false;
  std::function<bool()> is_in_the_way_;
  bool is_light_ = false;  // from here on the work's
  unsigned steps_ = 0;
  Clock::time_point working_since_;
  std::thread light_, full_;  // the last, so that all they need is there
};

}  // namespace tellerd::store
