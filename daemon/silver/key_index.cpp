#include "silver/key_index.h"

#include <algorithm>
#include <cstring>

#include "core/assert.h"

namespace tellerd::silver {

KeyIndex::KeyIndex() : shards_(1u << kShardBits) {}

void KeyIndex::put(Shard& shard, std::uint64_t slot) noexcept {
  std::uint32_t at = home(slot >> kSeqBits, shard.capacity);
  while (shard.slots[at] != 0) at = at + 1 == shard.capacity ? 0 : at + 1;
  shard.slots[at] = slot;
  ++shard.count;
}

void KeyIndex::grow(Shard& shard) {
  const Shard old = std::move(shard);
  std::uint32_t alive = 0;
  for (std::uint32_t at = 0; at < old.capacity; ++at)
    alive += old.slots[at] != 0 && static_cast<std::int64_t>(old.slots[at] & kSeqMask) >= floor_;
  shard.capacity = std::max<std::uint32_t>(16, alive + alive / 2 + 8);
  shard.slots.reset(new std::uint64_t[shard.capacity]());
  shard.count = 0;
  for (std::uint32_t at = 0; at < old.capacity; ++at)
    if (old.slots[at] != 0 && static_cast<std::int64_t>(old.slots[at] & kSeqMask) >= floor_) put(shard, old.slots[at]);
  count_ -= old.count - shard.count;
  bytes_ += 8ull * shard.capacity - 8ull * old.capacity;
}

void KeyIndex::insert(std::uint64_t hash, std::int64_t seq) {
  TELLERD_ASSERT(seq > 0 && static_cast<std::uint64_t>(seq) <= kSeqMask);
  Shard& shard = shards_[hash >> kShardShift];
  if (shard.count * 20u >= shard.capacity * 17u) grow(shard);  // at most 85 % full
  put(shard, mark_of(hash) << kSeqBits | static_cast<std::uint64_t>(seq));
  ++count_;
}

void KeyIndex::replace(std::uint64_t hash, std::int64_t old_seq, std::int64_t new_seq) {
  TELLERD_ASSERT(new_seq > 0 && static_cast<std::uint64_t>(new_seq) <= kSeqMask);
  Shard& shard = shards_[hash >> kShardShift];
  const std::uint64_t wanted = mark_of(hash) << kSeqBits | static_cast<std::uint64_t>(old_seq);
  for (std::uint32_t at = home(mark_of(hash), shard.capacity);; at = at + 1 == shard.capacity ? 0 : at + 1) {
    TELLERD_ASSERT(shard.slots[at] != 0);
    if (shard.slots[at] != wanted) continue;
    shard.slots[at] = mark_of(hash) << kSeqBits | static_cast<std::uint64_t>(new_seq);
    return;
  }
}

}  // namespace tellerd::silver
