#include "bronze/hand_over.h"

#include <chrono>

namespace tellerd::bronze {

namespace {
constexpr std::size_t kFreeGroupsMax = 8;
}

std::unique_ptr<Group> HandOver::fresh() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return std::make_unique<Group>();
  auto group = std::move(free_.back());
  free_.pop_back();
  group->clear();
  return group;
}

void HandOver::offer(std::unique_ptr<Group> group) {
  const Seq through = group->records.back().seq;
  {
    const std::lock_guard lock(mutex_);
    set_committed_seq(through);
    if (bytes_ + group->bytes() > bytes_max_) {
      dropped_.fetch_add(1);
      group->clear();
      if (free_.size() < kFreeGroupsMax) free_.push_back(std::move(group));
      return;  // whoever takes sees the gap once what waits is taken
    }
    bytes_ += group->bytes();
    waiting_.push_back(std::move(group));
  }
  wake_.notify_one();
}

std::unique_ptr<Group> HandOver::take(std::int64_t wait_us) {
  std::unique_lock lock(mutex_);
  if (wait_us > 0)
    wake_.wait_for(lock, std::chrono::microseconds(wait_us), [&] { return !waiting_.empty() || is_nudged_; });
  is_nudged_ = false;
  if (waiting_.empty()) return nullptr;
  auto group = std::move(waiting_.front());
  waiting_.pop_front();
  bytes_ -= group->bytes();
  return group;
}

void HandOver::give_back(std::unique_ptr<Group> group) {
  const std::lock_guard lock(mutex_);
  group->clear();
  if (free_.size() < kFreeGroupsMax) free_.push_back(std::move(group));
}

void HandOver::shed() {
  const std::lock_guard lock(mutex_);
  free_.clear();
}

void HandOver::nudge() {
  {
    const std::lock_guard lock(mutex_);
    is_nudged_ = true;
  }
  wake_.notify_one();
}

void HandOver::want_flushed(Seq seq) {
  Seq known = wanted_seq_.load();
  while (known < seq && !wanted_seq_.compare_exchange_weak(known, seq)) {
  }
  nudge();
}

}  // namespace tellerd::bronze
