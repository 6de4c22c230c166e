// Hints for the processor's cache: what stands there will be read soon. Without effect on anything else; any address
// will do. Threads: any.
#pragma once
#include <cstddef>

namespace tellerd::core {

inline void prefetch(const void* from, std::size_t bytes = 1) noexcept {
  constexpr std::size_t kCacheLine = 64;
  for (std::size_t at = 0; at < bytes; at += kCacheLine) __builtin_prefetch(static_cast<const char*>(from) + at);
  if (bytes > 1) __builtin_prefetch(static_cast<const char*>(from) + bytes - 1);  // it may begin anywhere in a line
  // To GCC a function that does nothing but this is pure, and calls of it without a result are dropped.
  asm volatile("");
}

}  // namespace tellerd::core
