// "Seen before?" for natural keys: hash of the key to the seq of the fact's newest row, in memory, eight bytes a slot.
// 4,096 shards by the hash's top bits, each an open-addressed table of (26 bits of the hash, 38 bits of seq) that grows
// by an eighth, so the whole is never moved at once. A hit is a candidate: the caller compares the key itself. Cost:
// about 10 bytes a key; a look-up touches one or two cache lines. Threads: the engine's.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/prefetch.h"

namespace tellerd::silver {

class KeyIndex {
 public:
  KeyIndex();
  // Calls `is_it(seq)` for every candidate until it says yes; that seq, or 0.
  template <class IsIt>
  std::int64_t find(std::uint64_t hash, IsIt&& is_it) const {
    const Shard& shard = shards_[hash >> kShardShift];
    if (shard.count == 0) return 0;
    const std::uint64_t mark = mark_of(hash);
    for (std::uint32_t at = home(mark, shard.capacity);; at = at + 1 == shard.capacity ? 0 : at + 1) {
      const std::uint64_t slot = shard.slots[at];
      if (slot == 0) return 0;
      if (slot >> kSeqBits == mark && is_it(static_cast<std::int64_t>(slot & kSeqMask)))
        return static_cast<std::int64_t>(slot & kSeqMask);
    }
  }
  void prefetch(std::uint64_t hash) const noexcept {  // a hint: find() of it comes soon
    const Shard& shard = shards_[hash >> kShardShift];
    if (shard.count != 0) core::prefetch(&shard.slots[home(mark_of(hash), shard.capacity)]);
  }
  void insert(std::uint64_t hash, std::int64_t seq);  // another slot, even for an equal hash
  void replace(std::uint64_t hash, std::int64_t old_seq, std::int64_t new_seq);
  // Slots of seqs below it are left behind when their shard next grows: their rows are gone.
  void drop_below(std::int64_t seq) noexcept { floor_ = seq; }
  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  static constexpr int kShardBits = 12, kShardShift = 64 - kShardBits, kSeqBits = 38;
  static constexpr std::uint64_t kSeqMask = (1ull << kSeqBits) - 1, kMarkMask = (1ull << (64 - kSeqBits)) - 1;
  // A large table is pages of its own: what a shard leaves behind when it grows goes back to the system at once.
  struct FreeSlots {
    FreeSlots() noexcept : mapped_bytes(0) {}
    explicit FreeSlots(std::size_t bytes) noexcept : mapped_bytes(bytes) {}
    std::size_t mapped_bytes;  // 0: of the heap
    void operator()(std::uint64_t* slots) const noexcept;
  };
  using Slots = std::unique_ptr<std::uint64_t[], FreeSlots>;
  static Slots zeroed(std::uint32_t count);
  struct Shard {
    Slots slots;
    std::uint32_t capacity = 0, count = 0;
  };
  static std::uint64_t mark_of(std::uint64_t hash) noexcept {
    return (hash >> (kShardShift - (64 - kSeqBits))) & kMarkMask;
  }
  static std::uint32_t home(std::uint64_t mark, std::uint32_t capacity) noexcept {
    return static_cast<std::uint32_t>((mark * capacity) >> (64 - kSeqBits));
  }
  void grow(Shard& shard);
  static void put(Shard& shard, std::uint64_t slot) noexcept;

  std::vector<Shard> shards_;
  std::int64_t floor_ = 0;
  std::uint64_t count_ = 0, bytes_ = 0;
};

}  // namespace tellerd::silver
