#include "ops/sessions.h"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "core/assert.h"

namespace tellerd::ops {

std::string random_token() {
  TELLERD_ASSERT(sodium_init() >= 0);
  std::array<unsigned char, 32> bits{};
  randombytes_buf(bits.data(), bits.size());
  std::array<char, sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_URLSAFE_NO_PADDING)> text{};
  sodium_bin2base64(text.data(), text.size(), bits.data(), bits.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  return text.data();
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  std::array<char, 2 * crypto_hash_sha256_BYTES + 1> hex{};
  return sodium_bin2hex(hex.data(), hex.size(), hash.data(), hash.size());
}

bool is_same_secret(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string Sessions::open(const Principal& who, Steady now) {
  const std::string token = random_token();
  const std::lock_guard lock(mutex_);
  std::erase_if(by_hash_, [&](const auto& one) { return is_over(one.second, now); });
  if (by_hash_.size() >= kCountMax) {
    by_hash_.erase(std::min_element(by_hash_.begin(), by_hash_.end(),
                                    [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  by_hash_[sha256_hex(token)] = {who, now, now};
  return token;
}

std::optional<Principal> Sessions::find(std::string_view token, Steady now) {
  const std::lock_guard lock(mutex_);
  const auto found = by_hash_.find(sha256_hex(token));
  if (found == by_hash_.end()) return std::nullopt;
  Session& session = found->second;
  if (is_over(session, now)) {
    by_hash_.erase(found);
    return std::nullopt;
  }
  session.used = now;
  return session.who;
}

void Sessions::close(std::string_view token) {
  const std::lock_guard lock(mutex_);
  by_hash_.erase(sha256_hex(token));
}

void Sessions::close_of(const std::string& user) {
  const std::lock_guard lock(mutex_);
  std::erase_if(by_hash_, [&](const auto& one) { return one.second.who.user == user; });
}

std::deque<Steady>& RateWindow::recent(const std::string& key, Steady now) {
  std::erase_if(times_, [&](const auto& one) { return one.second.empty() || now - one.second.back() > window_; });
  auto& times = times_[key];
  while (!times.empty() && now - times.front() > window_) times.pop_front();
  return times;
}

bool RateWindow::is_full(const std::string& key, Steady now) {
  const std::lock_guard lock(mutex_);
  return recent(key, now).size() >= count_max_;
}

void RateWindow::count(const std::string& key, Steady now) {
  const std::lock_guard lock(mutex_);
  auto& times = recent(key, now);
  times.push_back(now);
  if (times.size() > count_max_) times.pop_front();
}

}  // namespace tellerd::ops
