#include "deliver/ready_index.h"

#include <bit>

#include "core/assert.h"

namespace tellerd::deliver {

void ReadyIndex::Bits::set(std::uint64_t at) {
  for (auto& words : levels) {
    const std::size_t word = at >> 6;
    if (words.size() <= word) words.resize(std::max(word + 1, words.size() * 2), 0);
    const bool had_some = words[word] != 0;
    words[word] |= std::uint64_t{1} << (at & 63);
    if (had_some) return;
    at = word;
  }
}

void ReadyIndex::Bits::clear(std::uint64_t at) {
  for (auto& words : levels) {
    const std::size_t word = at >> 6;
    words[word] &= ~(std::uint64_t{1} << (at & 63));
    if (words[word] != 0) return;
    at = word;
  }
}

// Up while the rest of a word is empty, then down along first bits.
std::int64_t ReadyIndex::Bits::next(std::uint64_t from) const {
  std::size_t level = 0;
  for (std::uint64_t at = from;; ++level) {
    if (level == levels.size()) return -1;
    const std::size_t word = at >> 6;
    if (word < levels[level].size()) {
      const std::uint64_t rest = levels[level][word] & (~std::uint64_t{0} << (at & 63));
      if (rest) {
        at = (word << 6) | static_cast<std::uint64_t>(std::countr_zero(rest));
        while (level-- > 0) at = (at << 6) | static_cast<std::uint64_t>(std::countr_zero(levels[level][at]));
        return static_cast<std::int64_t>(at);
      }
    }
    at = word + 1;
  }
}

std::int64_t ReadyIndex::Bits::last() const {
  if (count == 0) return -1;
  std::uint64_t at = levels.back().size();
  while (levels.back()[--at] == 0) {
  }
  for (std::size_t level = levels.size(); level-- > 0;)
    at = (at << 6) | static_cast<std::uint64_t>(63 - std::countl_zero(levels[level][at]));
  return static_cast<std::int64_t>(at);
}

ReadyIndex::Slot* ReadyIndex::slot(std::int64_t number) {
  const auto chunk = static_cast<std::size_t>(number >> kChunkBits);
  if (chunk >= chunks_.size() || !chunks_[chunk]) return nullptr;
  Slot& found = chunks_[chunk]->slots[static_cast<std::size_t>(number) & ((1 << kChunkBits) - 1)];
  return found.customer ? &found : nullptr;
}

const ReadyIndex::Slot* ReadyIndex::find(std::int64_t number) const {
  return const_cast<ReadyIndex*>(this)->slot(number);
}

void ReadyIndex::set_class(OfferKind kind, ClassId class_id) {
  if (classes_of_.size() <= kind) classes_of_.resize(kind + std::size_t{1});
  if (classes_.size() <= class_id) classes_.resize(class_id + std::size_t{1});
  if (waiting_.size() <= class_id) waiting_.resize(class_id + std::size_t{1});
  classes_of_[kind] = class_id;
}

void ReadyIndex::put(std::int64_t number, std::uint32_t customer, OfferKind kind, bool is_ready) {
  TELLERD_ASSERT(number > 0 && customer > 0 && kind < classes_of_.size());
  const auto chunk = static_cast<std::size_t>(number >> kChunkBits);
  if (chunks_.size() <= chunk) chunks_.resize(chunk + 1);
  if (!chunks_[chunk]) chunks_[chunk] = std::make_unique<Chunk>();
  Slot& made = chunks_[chunk]->slots[static_cast<std::size_t>(number) & ((1 << kChunkBits) - 1)];
  TELLERD_ASSERT(made.customer == 0);
  ++chunks_[chunk]->standing;
  made = {customer, kind, false, false, 0};
  if (is_ready) set_ready(number, true);
}

void ReadyIndex::mark(std::vector<Bits>& in, std::int64_t number, const Slot& slot, bool is_there) {
  Bits& bits = in[class_of(slot)];
  if (is_there)
    bits.set(static_cast<std::uint64_t>(number));
  else
    bits.clear(static_cast<std::uint64_t>(number));
  bits.count += is_there ? 1 : -1;
}

void ReadyIndex::set_ready(std::int64_t number, bool is_ready) {
  Slot* found = slot(number);
  TELLERD_ASSERT(found);
  const bool was_ready = found->is_ready, was_there = was_ready && !found->parked;
  found->is_ready = is_ready;
  found->parked = 0;
  if (was_ready != is_ready) mark(waiting_, number, *found, is_ready);
  if (was_there != is_ready) mark(classes_, number, *found, is_ready);
}

void ReadyIndex::set_parked(std::int64_t number, std::uint8_t why) {
  Slot* found = slot(number);
  TELLERD_ASSERT(found && found->is_ready);
  const bool was_there = !found->parked;
  found->parked = why;
  if (was_there != !why) mark(classes_, number, *found, !why);
}

void ReadyIndex::set_done(std::int64_t number) {
  set_ready(number, false);
  slot(number)->is_done = true;
}

void ReadyIndex::take(std::int64_t number) {
  Slot* found = slot(number);
  TELLERD_ASSERT(found);
  set_ready(number, false);
  *found = {};
  auto& chunk = chunks_[static_cast<std::size_t>(number >> kChunkBits)];
  if (--chunk->standing == 0) chunk.reset();
}

std::int64_t ReadyIndex::last_waiting(ClassId class_id) const {
  return class_id < waiting_.size() ? std::max<std::int64_t>(waiting_[class_id].last(), 0) : 0;
}

std::int64_t ReadyIndex::next(ClassId class_id, std::int64_t after) const {
  if (class_id >= classes_.size() || classes_[class_id].count == 0) return 0;
  const std::int64_t found = classes_[class_id].next(static_cast<std::uint64_t>(after) + 1);
  return found < 0 ? 0 : found;
}

}  // namespace tellerd::deliver
