// CRC-32C (Castagnoli, as in RFC 3720) of stored bytes and a 64-bit hash for tables.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tellerd::core {

std::uint32_t crc32c(std::string_view bytes) noexcept;  // the processor's instruction where it has one

// XXH3 with a fixed seed: the same on every machine and in every run, so that nothing stored depends on chance.
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0) noexcept;
std::string hash_hex(std::string_view bytes);  // XXH3-128, 32 hex digits: names a pack or a file

}  // namespace tellerd::core
