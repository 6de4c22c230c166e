#include "silver/key_index.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "core/assert.h"

namespace tellerd::silver {

namespace {
constexpr std::size_t kMappedBytesMin = 16 << 10;
}

void KeyIndex::FreeSlots::operator()(std::uint64_t* slots) const noexcept {
  if (mapped_bytes)
    ::munmap(slots, mapped_bytes);
  else
    delete[] slots;
}

KeyIndex::Slots KeyIndex::zeroed(std::uint32_t count) {
  const std::size_t bytes = std::size_t{count} * sizeof(std::uint64_t);
  if (bytes < kMappedBytesMin) return Slots(new std::uint64_t[count]());
  void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  return Slots(static_cast<std::uint64_t*>(mapped), FreeSlots(bytes));
}

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
  shard.capacity = std::max<std::uint32_t>(16, alive + alive / 3 + 8);
  shard.slots = zeroed(shard.capacity);
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
