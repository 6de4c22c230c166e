#include "silver/key_index.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/assert.h"

namespace tellerd::silver {
namespace {

constexpr std::uint32_t kFirstCapacity = 16;
constexpr std::uint32_t kGrowthDivisor = 12;  // by a twelfth
constexpr double kLoadMax = 0.84;
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

// Behind all of the same mark or an earlier one; those after it move on by one.
void KeyIndex::put(const Section& section, std::uint64_t slot) noexcept {
  const std::uint64_t mark = slot >> kNumberBits;
  std::uint32_t at = home(mark, section.capacity);
  for (std::uint32_t steps = 0; section.slots[at] != 0; ++steps, at = section.after(at))
    if (section.is_before(mark, steps, at)) break;
  while (slot != 0) {
    std::swap(slot, section.slots[at]);
    at = section.after(at);
  }
}

// To where nothing stands but itself; without what is below the floor. In their order, so that each goes in behind
// those before it; what has come round to the first slots is last.
void KeyIndex::move(std::uint32_t number, const Section& to) {
  const Section from = section(number);
  if (moved_.size() < from.capacity) moved_.resize(from.capacity);
  std::uint32_t count = 0;
  const std::int64_t lowest = std::max<std::int64_t>(floor_, 1);  // an empty slot has number 0
  const auto take = [&](std::uint32_t first, std::uint32_t end) {
    for (std::uint32_t at = first; at < end; ++at) {
      moved_[count] = from.slots[at];
      count += static_cast<std::int64_t>(from.slots[at] & kNumberMask) >= lowest;
    }
  };
  std::uint32_t round = 0;  // so many have come round
  while (from.slots[round] != 0 && from.steps_to(round, from.slots[round] >> kNumberBits) > round) ++round;
  take(round, from.capacity);
  take(0, round);
  std::memset(from.slots, 0, from.capacity * sizeof *from.slots);
  std::uint32_t next = 0;
  for (std::uint32_t at = 0; at < count; ++at) {
    next = std::max(next, home(moved_[at] >> kNumberBits, to.capacity));
    if (next < to.capacity)
      to.slots[next++] = moved_[at];
    else
      put(to, moved_[at]);
  }
  count_ -= used_[number] - count;
  used_[number] = count;
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
  const std::size_t to_byte = std::size_t{number} * next_capacity_ * sizeof(std::uint64_t);
  space_.take_page_ahead(to_byte, to_byte + next_capacity_ * sizeof(std::uint64_t));
  move(number, to);
  border_ = number;
  room_ += room_in(next_capacity_) - room_in(capacity_);
  touch_ahead(to_byte);
}

// Sections grow into what nobody has touched, from its end down to where all ended before; later, into the end of the
// next growth.
void KeyIndex::touch_ahead(std::size_t at_byte) {
  constexpr std::size_t kPage = core::GrowingSpace::kLargePageBytes, kAhead = kPage / 4;
  constexpr std::size_t kBytesAStep = kSections * sizeof(std::uint64_t);  // of capacity
  const auto page_of_end = [](std::size_t bytes) { return (bytes - 1) / kPage; };
  const std::size_t old_end = kBytesAStep * capacity_, end = kBytesAStep * next_capacity_;
  if (at_byte > old_end + kAhead) {
    const std::size_t wanted = page_of_end(at_byte - kAhead);
    if (wanted < at_byte / kPage && wanted > page_of_end(old_end)) space_.touch_ahead(wanted * kPage);
  } else if (border_ < kSections / 8) {
    const std::size_t wanted = page_of_end(kBytesAStep * capacity_after(next_capacity_));
    if (wanted > page_of_end(end)) space_.touch_ahead(wanted * kPage);
  }
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
