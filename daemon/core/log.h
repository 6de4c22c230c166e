// One line to the journal (structured, when systemd is there) or to stderr. Never personal data, never a payload.
// Threads: any. Rate: a caller that can be driven by a peer uses RateLimit.
#pragma once
#include <chrono>
#include <cstdint>
#include <string_view>

namespace tellerd::core {

enum class Level : int { kError = 3, kWarning = 4, kNotice = 5, kInfo = 6, kDebug = 7 };
void log(Level level, std::string_view room, std::string_view text) noexcept;

// At most one line a second a place; the next one says how many were left out.
class RateLimit {
 public:
  bool may_log(std::uint64_t& left_out) noexcept;

 private:
  std::chrono::steady_clock::time_point next_{};
  std::uint64_t left_out_ = 0;
};

}  // namespace tellerd::core
