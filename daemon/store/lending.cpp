#include "store/lending.h"

#include <utility>

#include "core/assert.h"
#include "core/thread_share.h"

namespace tellerd::store {
namespace {
constexpr int kNiceness = 10;                                   // a tenth of the weight of who asks and who answers
constexpr std::chrono::microseconds kTurn{500}, kPause{1'500};  // of work, and after it
thread_local Lending* working_for = nullptr;
}  // namespace

Lending::Lending() : light_([this] { run(false); }), full_([this] { run(true); }) {}

void Lending::end() noexcept {
  {
    const std::lock_guard guard(mutex_);
    is_ending_ = true;
  }
  changed_.notify_all();
  for (auto* thread : {&light_, &full_})
    if (thread->joinable()) thread->join();
}

void Lending::start(std::function<void()> work, std::function<void()> done) {
  wait();
  {
    const std::lock_guard guard(mutex_);
    work_ = std::move(work);
    done_ = std::move(done);
    is_for_full_ = is_pressed_;
    state_.store(State::kBusy, std::memory_order_release);
  }
  changed_.notify_all();
}

void Lending::wait() {
  TELLERD_ASSERT(!is_inside());
  if (is_settled()) return;
  std::unique_lock guard(mutex_);
  is_awaited_ = true;
  changed_.notify_all();
  changed_.wait(guard, [this] { return !is_busy(); });
  is_awaited_ = false;
  state_.store(State::kSettled, std::memory_order_release);
  if (const auto failure = std::exchange(failure_, nullptr)) std::rethrow_exception(failure);
}

bool Lending::interject(const std::function<void()>& what) {
  std::unique_lock guard(mutex_);
  is_asked_.store(true, std::memory_order_relaxed);
  changed_.wait(guard, [this] { return is_standing_ || !is_busy(); });
  const bool is_let_in = is_standing_;
  std::exception_ptr failure;
  if (is_let_in) {
    is_interjecting_ = true;
    try {
      what();
    } catch (...) {
      failure = std::current_exception();
    }
    is_interjecting_ = false;
  }
  is_asked_.store(false, std::memory_order_relaxed);
  guard.unlock();
  changed_.notify_all();
  if (failure) std::rethrow_exception(failure);
  return is_let_in;
}

bool Lending::is_pause_due() const {
  return is_light_ && is_in_the_way_ && Clock::now() - working_since_ > kTurn && is_in_the_way_();
}

void Lending::pause(std::unique_lock<std::mutex>& guard) {
  changed_.wait_for(guard, kPause, [this] { return is_awaited_ || is_ending_; });
  working_since_ = Clock::now();
}

void Lending::pause_when_due() {
  if (!working_for || !working_for->is_pause_due()) return;
  std::unique_lock guard(working_for->mutex_);
  working_for->pause(guard);
}

void Lending::stand_still() {
  std::unique_lock guard(mutex_);
  is_standing_ = true;
  changed_.notify_all();
  if (is_pause_due()) pause(guard);
  changed_.wait(guard, [this] { return !is_asked_.load(std::memory_order_relaxed); });
  is_standing_ = false;
}

void Lending::run(bool is_full) {
  core::take_long_turns(is_full ? 0 : kNiceness);
  working_for = this;
  std::unique_lock guard(mutex_);
  for (;;) {
    changed_.wait(guard, [&] { return is_ending_ || (work_ && is_for_full_ == is_full); });
    if (!work_ || is_for_full_ != is_full) return;
    const auto work = std::exchange(work_, nullptr), done = std::exchange(done_, nullptr);
    guard.unlock();
    is_light_ = !is_full;
    working_since_ = Clock::now();
    std::exception_ptr failure;
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    guard.lock();
    failure_ = failure;
    state_.store(failure ? State::kFailed : State::kSettled, std::memory_order_release);
    changed_.notify_all();
    guard.unlock();
    if (done) done();
    guard.lock();
  }
}

}  // namespace tellerd::store
