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
constexpr std::size_t kLargePageBytes = GrowingSpace::kLargePageBytes, kStepBytes = 64 << 10;

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

}  // namespace

GrowingSpace::~GrowingSpace() {
  ahead_.take();
  if (at_) ::munmap(at_, kReservedBytes);
}

GrowingSpace& GrowingSpace::operator=(GrowingSpace&& other) noexcept {
  ahead_.take();
  other.ahead_.take();
  std::swap(at_, other.at_);
  std::swap(bytes_, other.bytes_);
  std::swap(opened_, other.opened_);
  return *this;
}

void GrowingSpace::open_to(std::size_t bytes) {
  if (bytes <= opened_) return;
  if (bytes > kReservedBytes) fail(ENOMEM);
  if (!at_) at_ = reserve();
  if (::mprotect(at_ + opened_, bytes - opened_, PROT_READ | PROT_WRITE) != 0) fail(errno);
  opened_ = bytes;
}

void GrowingSpace::extend_to(std::size_t bytes) {
  if (bytes <= bytes_) return;
  if (bytes > kReservedBytes) fail(ENOMEM);
  const std::size_t extended = rounded_up(bytes, bytes < kLargePageBytes ? kStepBytes : kLargePageBytes);
  open_to(extended);
  bytes_ = extended;
}

void GrowingSpace::walk_to(std::size_t bytes) {
  if (bytes <= bytes_) return;
  ahead_.take();
  if (bytes > kReservedBytes) fail(ENOMEM);
  const std::size_t end = rounded_up(bytes, kLargePageBytes), late = end - kLargePageBytes / 4;
  if (bytes <= late && end == kLargePageBytes) return extend_to(bytes);
  open_to(end);
  bytes_ = bytes <= late ? late : end;
  if (bytes_ == end) touch_ahead(end);
}

void GrowingSpace::touch_ahead(std::size_t at) {
  const std::size_t from = at / kLargePageBytes * kLargePageBytes;
  if (from + kLargePageBytes > kReservedBytes || (ahead_.is_asked() && ahead_.from() == at_ + from)) return;
  open_to(from + kLargePageBytes);
  ahead_.ask(at_ + from, kLargePageBytes);
}

void GrowingSpace::take_page_ahead(std::size_t from, std::size_t to) noexcept {
  if (ahead_.is_asked() && ahead_.from() < at_ + to && at_ + from < ahead_.from() + kLargePageBytes) ahead_.take();
}

}  // namespace tellerd::core
