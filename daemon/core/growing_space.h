// Memory that grows where it stands: address space is reserved at once, pages come when they are touched, and beyond
// the first two megabytes they are as large, so that the processor finds what is read at random. Nothing is ever
// moved, so nothing stops while a table of a million customers is copied, and the next large page is touched by another
// thread before it is needed. Errors: core::Fault. Threads: its owner's.
#pragma once
#include <cstddef>
#include <memory>
#include <utility>

#include "core/assert.h"
#include "core/pages_ahead.h"

namespace tellerd::core {

class GrowingSpace {
 public:
  GrowingSpace() = default;
  ~GrowingSpace();
  GrowingSpace(GrowingSpace&& other) noexcept { *this = std::move(other); }
  GrowingSpace& operator=(GrowingSpace&& other) noexcept;
  void extend_to(std::size_t bytes);  // so many may be used; what is new is zero
  // The same for who goes through it from its start to its end: when he has passed three quarters of a large page, the
  // next one is touched by another thread.
  void walk_to(std::size_t bytes);
  void* at() const noexcept { return at_; }
  std::size_t bytes() const noexcept { return bytes_; }  // that may be used, touched or not
  // For who goes another way: the large page of this byte, which nobody has touched, is to be touched soon. One at a
  // time. Before he touches any of it himself: take_page_ahead().
  void touch_ahead(std::size_t at);
  void take_page_ahead(std::size_t from, std::size_t to) noexcept;  // if it is one of these
  static constexpr std::size_t kLargePageBytes = 2 << 20;

 private:
  void open_to(std::size_t bytes);
  char* at_ = nullptr;
  std::size_t bytes_ = 0, opened_ = 0;
  PagesAhead ahead_;
};

// As std::vector, as far as it goes; addresses of elements hold until it is cleared.
template <class T>
class GrowingArray {
 public:
  GrowingArray() = default;
  explicit GrowingArray(std::size_t count) { resize(count); }
  ~GrowingArray() { clear(); }
  GrowingArray(GrowingArray&& other) noexcept
      : space_(std::move(other.space_)), count_(std::exchange(other.count_, 0)) {}
  GrowingArray& operator=(GrowingArray&& other) noexcept {
    std::swap(space_, other.space_);
    std::swap(count_, other.count_);
    return *this;
  }
  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  T* begin() noexcept { return static_cast<T*>(space_.at()); }
  T* end() noexcept { return begin() + count_; }
  const T* begin() const noexcept { return static_cast<const T*>(space_.at()); }
  const T* end() const noexcept { return begin() + count_; }
  T& operator[](std::size_t at) {
    TELLERD_ASSERT(at < count_);
    return begin()[at];
  }
  const T& operator[](std::size_t at) const {
    TELLERD_ASSERT(at < count_);
    return begin()[at];
  }
  T& back() { return (*this)[count_ - 1]; }
  template <class... Args>
  T& emplace_back(Args&&... args) {
    extend_to(count_ + 1);
    T* made = std::construct_at(begin() + count_, std::forward<Args>(args)...);
    ++count_;
    return *made;
  }
  void push_back(const T& value) { emplace_back(value); }
  void resize(std::size_t count) {
    extend_to(count);
    for (; count_ < count; ++count_) std::construct_at(begin() + count_);
    if (count_ > count) std::destroy(begin() + count, end());
    count_ = count;
  }
  void clear() noexcept {  // the pages stay
    std::destroy(begin(), end());
    count_ = 0;
  }

 private:
  void extend_to(std::size_t count) {
    if (count * sizeof(T) > space_.bytes()) space_.walk_to(count * sizeof(T));
  }
  GrowingSpace space_;
  std::size_t count_ = 0;
};

}  // namespace tellerd::core
