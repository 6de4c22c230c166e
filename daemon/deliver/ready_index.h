// Which offers wait to be worked, first in first out inside a class (a queue, a priority in it, the skills it needs).
// Offers have dense, growing numbers, so a class is a tree of words over them: putting, taking and finding the first
// cost a few words however many wait. An offer that comes back stands where its number has its place. One that is ready
// and may not be taken now is parked: it is passed over without a look until somebody unparks it. Threads: the caller's
// lock.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace tellerd::deliver {

inline constexpr int kLevels = 32;  // priorities of a queue: 0 (mandatory) … 31
using ClassId = std::uint16_t;      // a lane of offers, see QueueBook
using OfferKind = std::uint16_t;    // what an offer is: its template's number

class ReadyIndex {
 public:
  struct Slot {
    std::uint32_t customer = 0;  // 0: no such offer stands
    OfferKind kind = 0;
    bool is_ready : 1 = false, is_done : 1 = false;  // neither: leased, delayed, dead, or held back by a load
    std::uint8_t parked = 0;                         // why, of one that is ready; 0 is not
  };
  static_assert(sizeof(Slot) == 8, "one for each offer that waits");

  void set_class(OfferKind kind, ClassId class_id);  // before any offer of that kind
  ClassId class_of(const Slot& slot) const { return classes_of_[slot.kind]; }
  void put(std::int64_t number, std::uint32_t customer, OfferKind kind, bool is_ready);
  void set_ready(std::int64_t number, bool is_ready);             // of an offer that stands; it is not parked then
  void set_parked(std::int64_t number, std::uint8_t why);         // of one that is ready; 0 lets it go
  void set_done(std::int64_t number);                             // it has its outcome, and stands until it ends
  void take(std::int64_t number);                                 // it stands no more
  const Slot* find(std::int64_t number) const;                    // nullptr when it does not stand
  std::int64_t next(ClassId class_id, std::int64_t after) const;  // the first ready number past `after`; 0 is none
  std::int64_t last_waiting(ClassId class_id) const;  // the last one that is ready, parked or not; 0 is none
  std::int64_t ready_count(ClassId class_id) const { return class_id < classes_.size() ? classes_[class_id].count : 0; }
  std::size_t classes() const noexcept { return classes_.size(); }
  // Every offer that stands, from that number on, while `visit` returns true.
  template <class Visit>
  void each_standing(std::int64_t from, Visit&& visit) const {
    for (auto number = std::max<std::int64_t>(from, 1); static_cast<std::size_t>(number >> kChunkBits) < chunks_.size();
         ++number) {
      const auto& chunk = chunks_[static_cast<std::size_t>(number >> kChunkBits)];
      if (!chunk)
        number |= (1 << kChunkBits) - 1;  // and on to the next chunk
      else if (const Slot* slot = find(number); slot && !visit(number, *slot))
        return;
    }
  }

 private:
  static constexpr int kChunkBits = 12;
  struct Chunk {
    std::array<Slot, 1 << kChunkBits> slots;
    int standing = 0;
  };
  struct Bits {  // level n + 1 has a bit for each word of level n that is not 0
    std::array<std::vector<std::uint64_t>, 6> levels;
    std::int64_t count = 0;
    void set(std::uint64_t at);
    void clear(std::uint64_t at);
    std::int64_t next(std::uint64_t from) const;  // -1 is none
    std::int64_t last() const;
  };
  Slot* slot(std::int64_t number);
  void mark(std::vector<Bits>& in, std::int64_t number, const Slot& slot, bool is_there);
  std::vector<ClassId> classes_of_;  // by kind
  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::vector<Bits> classes_, waiting_;  // what may be looked at; and with what is parked
};

}  // namespace tellerd::deliver
