// A connection's long work, a commit or a fold, done in a thread of its own while the owner goes on with what needs no
// statement, at a lower priority. One work at a time.
// Threads: start() and wait() are the owner's; the rest is anybody's.
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
  void wait();                                                         // until it is done; throws what it threw
  bool is_busy() const noexcept { return state_.load(std::memory_order_acquire) == State::kBusy; }
  bool is_settled() const noexcept { return state_.load(std::memory_order_acquire) == State::kSettled; }
  bool is_inside() const noexcept { return std::this_thread::get_id() == thread_.get_id(); }
  Lending(const Lending&) = delete;

 private:
  enum class State : int { kSettled, kBusy, kFailed };
  void run();
  std::atomic<State> state_{State::kSettled};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> work_, done_;
  std::exception_ptr failure_;
  bool is_ending_ = false;
  std::thread thread_;  // the last, so that all it needs is there
};

}  // namespace tellerd::store
