// CRC vectors: RFC 3720 B.4 and the check value of CRC-32C; XXH3: the reference implementation's values.
#include <doctest/doctest.h>

#include "core/checksum.h"

namespace tellerd::core {
std::uint32_t crc32c_by_table(std::string_view bytes) noexcept;
std::uint32_t crc32c_by_instruction(std::string_view bytes) noexcept;
bool has_crc32c_instruction() noexcept;
}  // namespace tellerd::core

using namespace tellerd::core;

namespace {
void check_vectors(std::uint32_t (*crc)(std::string_view) noexcept) {
  std::string rising, falling;
  for (char n = 0; n < 32; ++n) rising += n, falling += static_cast<char>(31 - n);
  CHECK(crc("") == 0);
  CHECK(crc("123456789") == 0xE3069283);
  CHECK(crc(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(crc(std::string(32, '\xFF')) == 0x62A8AB43);
  CHECK(crc(rising) == 0x46DD794E);
  CHECK(crc(falling) == 0x113FDB5C);
}
}  // namespace

TEST_SUITE("core.checksum") {
  TEST_CASE("the checksum agrees with the RFC") { check_vectors(crc32c); }
  TEST_CASE("the table agrees with the RFC") { check_vectors(crc32c_by_table); }
  TEST_CASE("the processor's instruction agrees with the RFC") {
    if (has_crc32c_instruction()) check_vectors(crc32c_by_instruction);
  }

  TEST_CASE("both ways agree at every length and alignment") {
    std::string bytes;
    for (unsigned n = 0; n < 100; ++n) bytes += static_cast<char>(n * 37 + 11);
    for (std::size_t from = 0; from < 9; ++from)
      for (std::size_t size = 0; from + size <= bytes.size(); ++size) {
        const auto part = std::string_view(bytes).substr(from, size);
        CHECK(crc32c(part) == crc32c_by_table(part));
      }
  }

  TEST_CASE("a flipped bit changes the checksum") {
    std::string bytes(1000, 'x');
    const auto before = crc32c(bytes);
    bytes[500] = 'y';
    CHECK(crc32c(bytes) != before);
  }

  TEST_CASE("hashes are XXH3 and stay the same on every machine") {
    CHECK(hash64("") == 0x2D06800538D394C2);
    CHECK(hash64("abc") == 0x78AF5F94892F3950);
    CHECK(hash64("abc", 1) != hash64("abc"));
    CHECK(hash_hex("") == "99aa06d3014798d86001c324468d497f");
    CHECK(hash_hex("abc") == "06b05ab6733a618578af5f94892f3950");
  }
}
