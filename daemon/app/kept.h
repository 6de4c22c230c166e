// What costs something to make, kept so that many who look cost no more than one. It is exact while the store has not
// been flushed since; after that it stands for as long as making it took twenty times over, and twice as long again
// while a new one is made behind it. Who asks first, or after a pause, waits two seconds at most: then it goes on being
// made, and is there for the next one. Threads: any may ask; two of its own make.
#pragma once
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/log.h"

namespace tellerd::app {

template <class Value>
class Kept {
 public:
  struct Made {
    Value value;
    bool may_be_kept = true;
  };
  using Make = std::function<Made()>;
  // `version` changes with each flush; below zero nothing is exact.
  Kept(std::function<std::int64_t()> version, std::chrono::milliseconds span_min)
      : version_(std::move(version)), span_min_(span_min) {
    for (std::thread& thread : threads_) thread = std::thread([this] { make_all(); });
  }
  ~Kept() {
    {
      const std::lock_guard held(mutex_);
      is_stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Kept(const Kept&) = delete;

  // Nothing: it is still being made. A fault of making it is thrown to those who wait for it.
  std::optional<Value> ask(const std::string& name, Make make) {
    std::unique_lock lock(mutex_);
    const auto patience = Clock::now() + kPatience;
    forget_some(name);
    One& one = of_[name];
    if (one.is_kept && (is_exact(one) || Clock::now() < one.until)) return one.value;
    if (!one.is_making) {
      one.is_making = true;
      errands_.emplace_back(name, std::move(make));
      changed_.notify_all();
    }
    if (one.is_kept && Clock::now() < one.until + 2 * one.span) return one.value;
    const auto round = one.round;
    ++one.waiting;
    changed_.wait_until(lock, patience, [&] { return is_stopping_ || one.round != round; });
    --one.waiting;
    if (one.round == round) return std::nullopt;
    if (one.fault) std::rethrow_exception(one.fault);
    return one.value;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr auto kPatience = std::chrono::seconds(2);
  static constexpr auto kSpanMax = std::chrono::seconds(60);
  static constexpr std::size_t kNamesMax = 256;
  struct One {
    std::optional<Value> value;
    std::exception_ptr fault;
    bool is_kept = false, is_making = false;
    int waiting = 0;
    std::uint64_t round = 0;  // how often it was made
    std::int64_t version = -1;
    Clock::duration span{};
    Clock::time_point until{};
  };

  bool is_exact(const One& one) const { return one.version >= 0 && one.version == version_(); }

  void forget_some(const std::string& name) {
    if (of_.size() < kNamesMax || of_.contains(name)) return;
    std::erase_if(of_, [](const auto& pair) { return !pair.second.is_making && pair.second.waiting == 0; });
  }

  void make_all() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return is_stopping_ || !errands_.empty(); });
      if (is_stopping_) return;
      const auto [name, make] = std::move(errands_.front());
      errands_.pop_front();
      lock.unlock();
      One made;
      const std::int64_t version = version_();
      const auto started = Clock::now();
      try {
        Made one = make();
        made.is_kept = one.may_be_kept;
        made.value = std::move(one.value);
      } catch (const std::exception& fault) {
        core::log(core::Level::kError, "ops", fault.what());
        made.fault = std::current_exception();
      }
      const auto now = Clock::now();
      lock.lock();
      One& one = of_[name];
      one.value = std::move(made.value);
      one.fault = made.fault;
      one.is_kept = made.is_kept;
      one.is_making = false;
      ++one.round;
      one.version = version;
      one.span = std::clamp<Clock::duration>(20 * (now - started), span_min_, kSpanMax);
      one.until = now + one.span;
      changed_.notify_all();
    }
  }

  const std::function<std::int64_t()> version_;
  const std::chrono::milliseconds span_min_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, One> of_;
  std::deque<std::pair<std::string, Make>> errands_;
  bool is_stopping_ = false;
  std::thread threads_[2];
};

}  // namespace tellerd::app
