// The bounded hand-over of committed groups from the recorder to the engine. A full hand-over is dropped, never waited
// for: the engine sees the gap in seq and reads on from bronze. Threads: one offers, one takes, any
// thread wants.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "bronze/record.h"

namespace tellerd::bronze {

class HandOver {
 public:
  explicit HandOver(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  std::unique_ptr<Group> fresh();            // an empty group, recycled when there is one
  void offer(std::unique_ptr<Group> group);  // committed; seq of its last record becomes visible
  // The next group, or nothing after `wait_us` or a nudge. Give it back when done.
  std::unique_ptr<Group> take(std::int64_t wait_us);
  void give_back(std::unique_ptr<Group> group);
  void shed();   // what is kept to be used again
  void nudge();  // wakes take()
  // Somebody waits until what is derived up to there can be read; kept for an engine that is not there yet.
  void want_flushed(Seq seq);
  Seq wanted_seq() const noexcept { return wanted_seq_.load(); }

  Seq committed_seq() const noexcept { return committed_seq_.load(std::memory_order_acquire); }
  void set_committed_seq(Seq seq) noexcept { committed_seq_.store(seq, std::memory_order_release); }
  std::uint64_t dropped() const noexcept { return dropped_.load(); }

 private:
  const std::size_t bytes_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Group>> waiting_;
  std::vector<std::unique_ptr<Group>> free_;
  std::size_t bytes_ = 0;
  bool is_nudged_ = false;
  std::atomic<Seq> committed_seq_{0}, wanted_seq_{0};
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace tellerd::bronze
