// One record of the log, as bronze keeps it: word for word what came, and when the recorder wrote it down.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "wire/facts.h"

namespace tellerd::bronze {

using Seq = std::int64_t;  // from 1, gapless, growing

struct Record {
  Seq seq = 0;
  core::Instant now_us = 0, received_us = 0;
  std::int32_t producer = 0;  // id in the producer table; 0 is the daemon itself
  std::int64_t producer_seq = 0;
  wire::Kind kind = wire::Kind::kNone;
  bool is_backfill = false;
  bool runs_all_due = false;  // every due deadline runs before it, not a counted share (design.md 1)
  std::uint32_t crc = 0;      // CRC-32C of payload
  std::string_view payload;
};

// The kind column: the kind's number, plus these bits.
inline constexpr std::int64_t kBackfillBit = 1 << 8, kAllDueBit = 1 << 9, kKindMask = kBackfillBit - 1;

// Records that share one commit, with the bytes their payloads view. Storage is taken in blocks that never move.
class Group {
 public:
  std::vector<Record> records;

  std::string_view keep(std::string_view bytes);  // a copy at an address divisible by eight
  void clear() noexcept;                          // keeps a few blocks for the next use
  std::size_t bytes() const noexcept { return kept_bytes_ + records.size() * sizeof(Record); }

 private:
  struct Block {
    std::unique_ptr<std::uint64_t[]> words;
    std::size_t capacity = 0, used = 0;
  };
  std::vector<Block> blocks_;
  std::size_t current_ = 0, kept_bytes_ = 0;
};

}  // namespace tellerd::bronze
