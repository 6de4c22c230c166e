#include "silver/key_index.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/assert.h"

namespace tellerd::silver {
namespace {

constexpr std::uint32_t kFirstCapacity = 16;
constexpr std::uint32_t kGrowthDivisor = 8;  // by an eighth
constexpr double kLoadMax = 0.82;
constexpr double kDeviations = 4;  // above the mean, and a section is still not full

// Keys of a section, in the mean over all sections. How many fall into one varies by the root of that; and the last one
// that grows to this capacity has had to hold as many in its old one.
double room_in(std::uint32_t capacity) {
  const double slots = capacity, old_slots = slots * kGrowthDivisor / (kGrowthDivisor + 1);
  return std::max(slots / 4, std::min(slots * kLoadMax, old_slots - kDeviations * std::sqrt(slots)));
}

}  // namespace

KeyIndex::KeyIndex() : capacity_(kFirstCapacity), next_capacity_(kFirstCapacity), used_(kSections) {
  space_.extend_to(bytes());
  room_ = kSections * room_in(capacity_);
}

std::uint32_t KeyIndex::capacity_after(std::uint32_t capacity) noexcept {
  return capacity + std::max(capacity / kGrowthDivisor, kFirstCapacity / 2);
}

// It stands then as if it had grown to so many.
void KeyIndex::reserve(std::uint64_t keys) {
  TELLERD_ASSERT(count_ == 0);
  const auto wanted = static_cast<double>(keys);
  if (wanted <= room_) return;
  while (kSections * room_in(next_capacity_) < wanted) {
    capacity_ = next_capacity_;
    next_capacity_ = capacity_after(capacity_);
  }
  const double room = kSections * room_in(capacity_), more = room_in(next_capacity_) - room_in(capacity_);
  const double grown = wanted > room ? std::ceil((wanted - room) / more) : 0;
  border_ = kSections - static_cast<std::uint32_t>(grown);
  room_ = room + grown * more;
  space_.extend_to(std::size_t{kSections} * next_capacity_ * sizeof(std::uint64_t));
}

void KeyIndex::put(const Section& section, std::uint64_t slot) noexcept {
  std::uint32_t at = home(slot >> kNumberBits, section.capacity);
  while (section.slots[at] != 0) at = section.after(at);
  section.slots[at] = slot;
}

// To where nothing stands but itself; without what is below the floor.
void KeyIndex::move(std::uint32_t number, const Section& to) {
  const Section from = section(number);
  moved_.clear();
  for (std::uint32_t at = 0; at < from.capacity; ++at)
    if (from.slots[at] != 0 && static_cast<std::int64_t>(from.slots[at] & kNumberMask) >= floor_)
      moved_.push_back(from.slots[at]);
  std::memset(from.slots, 0, from.capacity * sizeof *from.slots);
  for (const std::uint64_t slot : moved_) put(to, slot);
  count_ -= used_[number] - moved_.size();
  used_[number] = static_cast<std::uint32_t>(moved_.size());
}

// The last section that has not grown yet: behind it all have, and left it the room.
void KeyIndex::grow_one() {
  if (border_ == 0) {
    capacity_ = next_capacity_;
    next_capacity_ = capacity_after(capacity_);
    border_ = kSections;
    space_.extend_to(std::size_t{kSections} * next_capacity_ * sizeof(std::uint64_t));
  }
  const std::uint32_t number = border_ - 1;
  const Section to{static_cast<std::uint64_t*>(space_.at()) + std::size_t{number} * next_capacity_, next_capacity_};
  move(number, to);
  border_ = number;
  room_ += room_in(next_capacity_) - room_in(capacity_);
}

void KeyIndex::make_room(std::uint32_t number) {
  while (static_cast<double>(count_) >= room_) {
    if (unswept_ == 0) {
      grow_one();
    } else {
      --unswept_;
      move(unswept_, section(unswept_));
    }
  }
  // Fuller than chance makes one: it is swept, and if that is not enough all grow until it has.
  const auto is_full = [&] { return used_[number] + 1 >= section(number).capacity; };
  if (is_full()) move(number, section(number));
  while (is_full()) grow_one();
}

void KeyIndex::insert(std::uint64_t hash, std::int64_t number) {
  TELLERD_ASSERT(number > 0 && static_cast<std::uint64_t>(number) <= kNumberMask);
  const std::uint32_t section_number = number_of(hash);
  if (static_cast<double>(count_) >= room_ || used_[section_number] + 1 >= section(section_number).capacity)
    make_room(section_number);
  put(section(section_number), mark_of(hash) << kNumberBits | static_cast<std::uint64_t>(number));
  ++used_[section_number];
  ++count_;
}

void KeyIndex::replace(std::uint64_t hash, std::int64_t old_number, std::int64_t new_number) {
  TELLERD_ASSERT(new_number > 0 && static_cast<std::uint64_t>(new_number) <= kNumberMask);
  const Section section = section_of(hash);
  const std::uint64_t wanted = mark_of(hash) << kNumberBits | static_cast<std::uint64_t>(old_number);
  for (std::uint32_t at = home(mark_of(hash), section.capacity);; at = section.after(at)) {
    TELLERD_ASSERT(section.slots[at] != 0);
    if (section.slots[at] != wanted) continue;
    section.slots[at] = mark_of(hash) << kNumberBits | static_cast<std::uint64_t>(new_number);
    return;
  }
}

}  // namespace tellerd::silver
