#include "core/growing_space.h"

#include <fmt/core.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "core/fault.h"

namespace tellerd::core {
namespace {

constexpr std::size_t kReservedBytes = std::size_t{32} << 30;  // of address space, which costs nothing
constexpr std::size_t kLargePageBytes = 2 << 20, kStepBytesMin = 64 << 10;

[[noreturn]] void fail(int error) {
  throw Fault(
      Exit::kFailed,
      fmt::format("no memory for a table that grows ({}): give the machine more, or raise the limit that is set "
                  "(ulimit -v, LimitAS=); {} GiB of address space are reserved a table",
                  std::strerror(error), kReservedBytes >> 30));
}

std::size_t rounded_up(std::size_t value, std::size_t to) { return (value + to - 1) / to * to; }

// Begins where a large page may.
char* reserve() {
  void* const mapped =
      ::mmap(nullptr, kReservedBytes + kLargePageBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) fail(errno);
  char* const from = static_cast<char*>(mapped);
  const std::size_t before =
      rounded_up(reinterpret_cast<std::uintptr_t>(from), kLargePageBytes) - reinterpret_cast<std::uintptr_t>(from);
  if (before > 0) ::munmap(from, before);
  ::munmap(from + before + kReservedBytes, kLargePageBytes - before);
  // Only a hint: a system without large pages goes on with small ones.
  ::madvise(from + before + kLargePageBytes, kReservedBytes - kLargePageBytes, MADV_HUGEPAGE);
  return from + before;
}

// The first large page, which has been small ones. Only a hint, too: a kernel before 6.1 leaves it to its own time.
void make_large(char* at) noexcept {
#ifndef MADV_COLLAPSE
  constexpr int MADV_COLLAPSE = 25;
#endif
  ::madvise(at, kLargePageBytes, MADV_HUGEPAGE);
  ::madvise(at, kLargePageBytes, MADV_COLLAPSE);
}

}  // namespace

GrowingSpace::~GrowingSpace() {
  if (at_) ::munmap(at_, kReservedBytes);
}

// A sixteenth at a time, so that it need not be asked for often.
void GrowingSpace::extend_to(std::size_t bytes) {
  if (bytes <= bytes_) return;
  if (bytes > kReservedBytes) fail(ENOMEM);
  if (!at_) at_ = reserve();
  const std::size_t wanted = std::max(bytes, bytes_ + bytes_ / 16);
  const std::size_t extended =
      std::min(rounded_up(wanted, wanted < kLargePageBytes ? kStepBytesMin : kLargePageBytes), kReservedBytes);
  if (::mprotect(at_ + bytes_, extended - bytes_, PROT_READ | PROT_WRITE) != 0) fail(errno);
  if (bytes_ <= kLargePageBytes && extended > kLargePageBytes) make_large(at_);
  bytes_ = extended;
}

}  // namespace tellerd::core
