// Memory touched by another thread before its owner comes there. The first touch of a page waits until the system has
// found and cleared one: of a large one a tenth of a millisecond, and 8 to 40 in a virtual machine whose host has to
// find it again, which is too long for a turn. One order at a time; of tables that grow, one page ahead is enough.
// Threads: of an order its owner's; all share the one thread that touches, begun with the first order.
#pragma once
#include <cstddef>

namespace tellerd::core {

class PagesAhead {
 public:
  PagesAhead() = default;
  PagesAhead(const PagesAhead&) = delete;
  PagesAhead& operator=(const PagesAhead&) = delete;
  ~PagesAhead() { take(); }
  // Pages that nobody uses yet and that may be written; what stands there stays. The order before it is taken first.
  void ask(char* from, std::size_t bytes);
  // They are the owner's, who takes them before he touches them: what is under way is waited for, what is not is called
  // off. Without an order: does nothing.
  void take() noexcept;
  bool is_asked() const noexcept { return bytes_ != 0; }
  const char* from() const noexcept { return from_; }

 private:
  friend class PageToucher;
  char* from_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace tellerd::core
