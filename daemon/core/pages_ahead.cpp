#include "core/pages_ahead.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "core/thread_share.h"

namespace tellerd::core {
namespace {
constexpr std::size_t kPageBytes = 4096;  // the smallest there are: where large ones are not given, each is touched

// A write that changes nothing, whatever stands there; what it adds is a secret to the compiler, which would read only.
void touch(char* from, std::size_t bytes) {
  static volatile char nothing = 0;
  for (std::size_t at = 0; at < bytes; at += kPageBytes)
    std::atomic_ref<char>(from[at]).fetch_add(nothing, std::memory_order_relaxed);
}

}  // namespace

class PageToucher {
 public:
  static PageToucher& instance() {
    static PageToucher one;
    return one;
  }
  ~PageToucher() {
    {
      const std::lock_guard guard(mutex_);
      is_ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  void ask(PagesAhead* order) {
    {
      const std::lock_guard guard(mutex_);
      waiting_.push_back(order);
    }
    changed_.notify_all();
  }
  void take(PagesAhead* order) noexcept {
    std::unique_lock guard(mutex_);
    std::erase(waiting_, order);
    changed_.wait(guard, [&] { return under_way_ != order; });
  }

 private:
  void run() {
    take_long_turns(0);
    pthread_setname_np(pthread_self(), "pages");
    std::unique_lock guard(mutex_);
    for (;;) {
      changed_.wait(guard, [&] { return is_ending_ || !waiting_.empty(); });
      if (is_ending_) return;
      under_way_ = waiting_.front();
      waiting_.pop_front();
      guard.unlock();
      touch(under_way_->from_, under_way_->bytes_);
      guard.lock();
      under_way_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<PagesAhead*> waiting_;
  PagesAhead* under_way_ = nullptr;
  bool is_ending_ = false;
  std::thread thread_{[this] { run(); }};  // the last, so that all it needs is there
};

void PagesAhead::ask(char* from, std::size_t bytes) {
  take();
  if (bytes == 0) return;
  from_ = from;
  bytes_ = bytes;
  PageToucher::instance().ask(this);
}

void PagesAhead::take() noexcept {
  if (!is_asked()) return;
  PageToucher::instance().take(this);
  from_ = nullptr;
  bytes_ = 0;
}

}  // namespace tellerd::core
