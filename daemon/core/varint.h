// Integers in as few bytes as they need: seven bits a byte, the sign folded into the lowest bit (zigzag).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tellerd::core {

inline constexpr std::size_t kVarintBytesMax = 10;

// Where there is room for the longest; the end of what was put.
inline char* put_varint(char* out, std::int64_t value) noexcept {
  auto rest = static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
  for (; rest >= 0x80; rest >>= 7) *out++ = static_cast<char>(rest | 0x80);
  *out++ = static_cast<char>(rest);
  return out;
}

inline void put_varint(std::string& out, std::int64_t value) {
  char bytes[kVarintBytesMax];
  out.append(bytes, static_cast<std::size_t>(put_varint(bytes, value) - bytes));
}

// Takes one off the front; 0 where the bytes have ended.
inline std::int64_t take_varint(std::string_view& from) {
  std::uint64_t value = 0;
  for (int shift = 0; !from.empty() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

}  // namespace tellerd::core
