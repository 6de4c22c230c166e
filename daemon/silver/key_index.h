// "Seen before?" for keys: hash of the key to a number, a fact's newest seq or an id, in memory, eight bytes a slot.
// 4,096 sections by the hash's top bits, each an open-addressed table of (26 bits of the hash, 38 bits of the number);
// all in one block of memory. Slots stand in the order of those 26 bits (ordered hash tables: Amble and Knuth 1974),
// so a look-up in vain ends where the key would stand, however full the table is. It grows where it stands, section by
// section from the last: an insertion moves one of them now and then, and more only when its own has become full
// beyond what chance makes. A hit is a candidate: the caller compares the key itself. Cost: 10 bytes a key of a large
// table; a look-up touches one or two cache lines.
// Threads: one at a time.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/growing_space.h"
#include "core/prefetch.h"

namespace tellerd::silver {

class KeyIndex {
 public:
  KeyIndex();
  // Calls `is_it(number)` for every candidate until it says yes; that number, or 0.
  template <class IsIt>
  std::int64_t find(std::uint64_t hash, IsIt&& is_it) const {
    const Section section = section_of(hash);
    const std::uint64_t mark = mark_of(hash);
    std::uint32_t at = home(mark, section.capacity);
    for (std::uint32_t steps = 0;; ++steps, at = section.after(at)) {
      const std::uint64_t slot = section.slots[at];
      if (slot == 0) return 0;
      if (slot >> kNumberBits != mark) {
        if (section.is_before(mark, steps, at)) return 0;
      } else if (is_it(static_cast<std::int64_t>(slot & kNumberMask))) {
        return static_cast<std::int64_t>(slot & kNumberMask);
      }
    }
  }
  void prefetch(std::uint64_t hash) const noexcept {  // a hint: find() of it comes soon
    const Section section = section_of(hash);
    core::prefetch(&section.slots[home(mark_of(hash), section.capacity)]);
  }
  void insert(std::uint64_t hash, std::int64_t number);  // another slot, even for an equal hash
  void reserve(std::uint64_t keys);                      // of an empty one: so many go in without its growing
  void replace(std::uint64_t hash, std::int64_t old_number, std::int64_t new_number);
  // Slots of numbers below it go as room is wanted: their rows are gone.
  void drop_below(std::int64_t number) noexcept {
    floor_ = number;
    unswept_ = kSections;
  }
  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t bytes() const noexcept { return slots() * sizeof(std::uint64_t); }

 private:
  static constexpr int kSectionBits = 12, kSectionShift = 64 - kSectionBits, kNumberBits = 38;
  static constexpr std::uint32_t kSections = 1u << kSectionBits;
  static constexpr std::uint64_t kNumberMask = (1ull << kNumberBits) - 1, kMarkMask = (1ull << (64 - kNumberBits)) - 1;
  struct Section {
    std::uint64_t* slots;
    std::uint32_t capacity;
    std::uint32_t after(std::uint32_t at) const noexcept { return at + 1 == capacity ? 0 : at + 1; }
    // Of a key so many steps from its home, and what stands there.
    bool is_before(std::uint64_t mark, std::uint32_t steps, std::uint32_t at) const noexcept {
      const std::uint64_t its_mark = slots[at] >> kNumberBits;
      const std::uint32_t its_steps = steps_to(at, its_mark);
      return its_steps < steps || (its_steps == steps && its_mark > mark);
    }
    std::uint32_t steps_to(std::uint32_t at, std::uint64_t mark) const noexcept {  // from its home
      const std::uint32_t from = home(mark, capacity);
      return at >= from ? at - from : at + capacity - from;
    }
  };
  static std::uint64_t mark_of(std::uint64_t hash) noexcept {
    return (hash >> (kSectionShift - (64 - kNumberBits))) & kMarkMask;
  }
  static std::uint32_t home(std::uint64_t mark, std::uint32_t capacity) noexcept {
    return static_cast<std::uint32_t>((mark * capacity) >> (64 - kNumberBits));
  }
  static std::uint32_t number_of(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash >> kSectionShift);
  }
  Section section_of(std::uint64_t hash) const noexcept { return section(number_of(hash)); }
  Section section(std::uint32_t number) const noexcept {
    const std::uint32_t capacity = number < border_ ? capacity_ : next_capacity_;
    return {static_cast<std::uint64_t*>(space_.at()) + std::size_t{number} * capacity, capacity};
  }
  std::uint64_t slots() const noexcept {
    return std::uint64_t{border_} * capacity_ + std::uint64_t{kSections - border_} * next_capacity_;
  }
  static std::uint32_t capacity_after(std::uint32_t capacity) noexcept;
  void make_room(std::uint32_t number);
  void grow_one();
  void touch_ahead(std::size_t at_byte);
  void move(std::uint32_t number, const Section& to);
  static void put(const Section& section, std::uint64_t slot) noexcept;

  core::GrowingSpace space_;
  // Sections from the border on have the next capacity already; the others are to follow.
  std::uint32_t capacity_, next_capacity_, border_ = 0;
  std::uint32_t unswept_ = 0;        // sections below it may hold what is below the floor
  std::vector<std::uint32_t> used_;  // by section
  std::vector<std::uint64_t> moved_;
  std::uint64_t count_ = 0;
  double room_ = 0;  // keys that may be in before a section more is moved
  std::int64_t floor_ = 0;
};

// Many keys that come one after the other, what each will need on its way meanwhile; the last ones go in at end().
class KeyLoader {
 public:
  explicit KeyLoader(KeyIndex& into) : into_(into) {}
  KeyLoader(const KeyLoader&) = delete;
  KeyLoader& operator=(const KeyLoader&) = delete;
  void insert(std::uint64_t hash, std::int64_t number) {
    if (number) into_.prefetch(hash);
    std::swap(waiting_[next_].first, hash);
    std::swap(waiting_[next_].second, number);
    next_ = (next_ + 1) % kAhead;
    if (number) into_.insert(hash, number);
  }
  void end() {
    for (std::size_t at = 0; at < kAhead; ++at) insert(0, 0);
  }

 private:
  static constexpr std::size_t kAhead = 16;
  KeyIndex& into_;
  std::array<std::pair<std::uint64_t, std::int64_t>, kAhead> waiting_{};
  std::size_t next_ = 0;
};

}  // namespace tellerd::silver
