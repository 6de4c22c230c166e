// Who is signed in, in memory: a restart signs everybody out. A token is 256 random bits; only its hash is kept.
// Time is the steady clock's, handed in. Threads: any.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "ops/roles.h"

namespace tellerd::ops {

using Steady = std::chrono::steady_clock::time_point;

class Sessions {
 public:
  static constexpr auto kIdleMax = std::chrono::minutes(30);
  static constexpr auto kLifeMax = std::chrono::hours(12);
  static constexpr std::size_t kCountMax = 256;  // beyond it the one unused longest ends
  explicit Sessions(std::chrono::seconds idle_max = kIdleMax, std::chrono::seconds life_max = kLifeMax)
      : idle_max_(idle_max), life_max_(life_max) {}

  std::string open(const Principal& who, Steady now);                 // the token
  std::optional<Principal> find(std::string_view token, Steady now);  // and it counts as used
  void close(std::string_view token);
  void close_of(const std::string& user);

 private:
  struct Session {
    Principal who;
    Steady opened, used;
  };
  bool is_over(const Session& session, Steady now) const noexcept {
    return now - session.used > idle_max_ || now - session.opened > life_max_;
  }

  const std::chrono::seconds idle_max_, life_max_;
  std::mutex mutex_;
  std::map<std::string, Session, std::less<>> by_hash_;
};

// At most `count_max` in any `window`, for each key by itself; forgets keys that have been quiet.
class RateWindow {
 public:
  RateWindow(std::size_t count_max, std::chrono::seconds window) : count_max_(count_max), window_(window) {}
  bool is_full(const std::string& key, Steady now);
  void count(const std::string& key, Steady now);

 private:
  std::deque<Steady>& recent(const std::string& key, Steady now);

  const std::size_t count_max_;
  const std::chrono::seconds window_;
  std::mutex mutex_;
  std::map<std::string, std::deque<Steady>> times_;
};

std::string random_token();  // 256 bits, URL-safe
std::string sha256_hex(std::string_view bytes);
bool is_same_secret(std::string_view a, std::string_view b) noexcept;  // in constant time for equal lengths

}  // namespace tellerd::ops
