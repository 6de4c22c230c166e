// Offers that stand, in memory by customer, and every offer ever made in teller.db: its making and its end are each
// written once, with the flush, in the order of numbers. An offer id follows from its turn, so a decision made again
// after a crash is the same offer. Threads: the engine's; write_taken() is for whoever has the connection.
#pragma once
#include <atomic>
#include <boost/container/deque.hpp>
#include <boost/container/options.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/growing_space.h"
#include "core/prefetch.h"
#include "core/time.h"
#include "silver/rows.h"
#include "store/bulk_insert.h"
#include "store/paired_select.h"
#include "store/unsettled.h"

namespace tellerd::decide {

struct OpenOffer {
  std::int64_t number = 0, id = 0, revenue_minor = 0;
  core::Instant expires_us = 0;
  std::uint16_t template_number = 0, days_valid = 0;
  std::uint32_t next = 0;  // of the same customer, or of the free list
};

struct EndedOffer {
  OpenOffer offer;
  silver::CustomerId customer = 0;
  std::string_view state;  // a literal
};

struct NewOffer {
  silver::CustomerId customer = 0;
  std::int64_t decided_seq = 0;
  core::Instant due_us = 0, created_us = 0;
  int template_number = 0, tier = 0, days_valid = 0;
  std::string_view action;  // read when it is opened, not kept
  std::int64_t revenue_minor = 0;
  std::int64_t prev = 0;       // the customer's offer before this one
  std::int64_t queue_seq = 0;  // of its line in the feed of its queue; 0 before it leaves
};

struct OfferFacts {
  std::int64_t number = 0, id = 0, decided_seq = 0, revenue_minor = 0, prev = 0;
  silver::CustomerId customer = 0;
  core::Instant created_us = 0, expires_us = 0;
  int template_number = 0, tier = 0, days_valid = 0;
  std::int64_t queue_seq = 0;
  OpenOffer as_open() const noexcept {
    return {number,
            id,
            revenue_minor,
            expires_us,
            static_cast<std::uint16_t>(template_number),
            static_cast<std::uint16_t>(days_valid)};
  }
};

class OfferBook {
 public:
  OfferBook(store::Database& database, std::int64_t offer_count, std::int64_t first_offer);
  std::int64_t first() const noexcept { return first_; }  // none before it is found
  void drop_below(std::int64_t number) noexcept { first_ = number; }
  // `first` is the customer's list head; a list is in the order of numbers. Returns the offer's number.
  std::int64_t open(const NewOffer& offer, std::uint32_t& first);
  void leaves(std::int64_t number, std::int64_t queue_seq);  // its line in the feed is said
  // Takes the offer at `place` off its customer's list and ends it: SUPERSEDED, EXPIRED, WITHDRAWN (literals). `turn`
  // is its seq.
  void close(silver::CustomerId customer, std::uint32_t place, std::uint32_t& first, std::string_view state,
             core::Instant at_us, std::int64_t turn);
  const OpenOffer& operator[](std::uint32_t place) const { return pool_[place]; }
  void prefetch(std::uint32_t place) const noexcept { core::prefetch(&pool_[place]); }  // a hint, without effect
  core::Instant first_expiry(std::uint32_t first) const noexcept;
  void restore(const OpenOffer& offer, std::uint32_t& first);
  std::optional<OfferFacts> find(std::int64_t number);  // of any offer that retention has left
  // The number of the offer of that id in the chain that ends with `last`; 0 when it is not there.
  std::int64_t named(std::int64_t last, std::int64_t id);
  void take();  // what was opened and closed since the last time, for the next write_taken(); that one is through
  void write_taken();  // in the order of numbers
  // A commit of all that was taken begins, and the one before it is through: offers of that one are found in
  // teller.db from now on, also by a reader; those of this one in memory, as long as they are not too many.
  void commit_begins();
  bool is_committed(std::int64_t number) const noexcept {  // and so in teller.db for everybody, with all of its turn
    return number <= (is_seen_through_ ? committing_ : committed_);
  }
  void commit_is_through() noexcept { is_through_.store(true, std::memory_order_release); }     // from any thread
  void end_turn() noexcept { is_seen_through_ = is_through_.load(std::memory_order_acquire); }  // and is believed then
  bool is_kept(std::int64_t number) const noexcept { return number >= first_kept(); }           // found in memory
  // What ended in the turn that is under way, until the next end; null when the offer did not. Asked in the order of
  // the ends it is found at once.
  const EndedOffer* ended_now(std::int64_t number, std::int64_t turn) noexcept;
  std::size_t unwritten() const noexcept { return kept_.size() - written_; }
  void make_room(std::size_t customers);  // for what so many are offered between two commits
  void give_back();                       // between turns: the room that a burst took, and what teller.db has by now
  std::int64_t count() const noexcept { return count_; }
  std::int64_t open_count() const noexcept { return open_count_; }

 private:
  struct Row {
    NewOffer offer;
    std::int64_t id = 0;
  };
  static constexpr std::size_t kRowsABlock = 512;
  struct End {
    std::int64_t number = 0, count = 1, turn = 0;  // as many numbers as have ended alike
    core::Instant at_us = 0;
    std::string_view state;  // a literal
  };
  std::int64_t first_kept() const noexcept { return count_ - static_cast<std::int64_t>(kept_.size()) + 1; }
  void forget_below(std::int64_t number);
  std::uint32_t place_for(const OpenOffer& offer, std::uint32_t& first);
  store::BulkAppend put_made_;
  store::BulkInsert put_ends_;
  store::PairedSelect find_;
  store::Statement put_seq_;
  store::Unsettled<std::int64_t, std::int64_t> seqs_;  // of offers that a load held back
  core::GrowingArray<OpenOffer> pool_;
  // The last of the numbers given out, of which so many are in teller.db already: by a commit that may be under way, or
  // taken for it. In blocks, since a hundred thousand that move at once are a turn of 10 ms.
  using Kept =
      boost::container::deque<Row, void,
                              boost::container::deque_options<boost::container::block_size<kRowsABlock>>::type>;
  Kept kept_;
  std::size_t written_ = 0;
  std::size_t kept_max_ = 0;
  std::vector<Row> taken_;
  std::vector<End> ends_, taken_ends_;
  std::vector<EndedOffer> ended_;  // in the turn of the newest end
  std::size_t ended_asked_ = 0;    // where the next is looked for first
  std::int64_t ended_turn_ = 0;
  std::atomic<bool> is_through_{true};  // the last commit
  bool is_seen_through_ = true;         // at the end of a turn: a reader that is open may be older
  std::uint32_t free_ = 0;
  std::int64_t count_ = 0, first_ = 1, taken_first_ = 0, open_count_ = 0, committed_ = 0, committing_ = 0;
};

// 63 bits of a hash over the turn, the customer and the action (design.md 1, Deliver).
std::int64_t offer_id(std::int64_t decided_seq, core::Instant due_us, silver::CustomerId customer,
                      std::string_view action) noexcept;

}  // namespace tellerd::decide
