#include "decide/offer_book.h"

#include <algorithm>
#include <cstring>

#include "core/assert.h"
#include "core/checksum.h"

namespace tellerd::decide {

std::int64_t offer_id(std::int64_t decided_seq, core::Instant due_us, silver::CustomerId customer,
                      std::string_view action) noexcept {
  char turn[8 + 8 + 4];
  std::memcpy(turn, &decided_seq, 8);
  std::memcpy(turn + 8, &due_us, 8);
  std::memcpy(turn + 16, &customer, 4);
  return static_cast<std::int64_t>(core::hash64({turn, sizeof turn}, core::hash64(action)) >> 1);
}

OfferBook::OfferBook(store::Database& database, std::int64_t offer_count)
    : put_made_(database, "offer_made", "number",
                "offer_id,customer,decided_seq,template,tier,expected_revenue_minor,days_valid,created_us,prev"),
      put_ends_(database, "INSERT INTO offer_end", "number,count,state,ended_us"),
      find_(
          database,
          "SELECT offer_id,decided_seq,expected_revenue_minor,prev,created_us,template,tier,days_valid FROM offer_made "
          "WHERE number=?"),
      count_(offer_count) {
  pool_.emplace_back();
}

std::uint32_t OfferBook::place_for(const OpenOffer& offer, std::uint32_t& first) {
  std::uint32_t place = free_;
  if (place)
    free_ = pool_[place].next;
  else {
    place = static_cast<std::uint32_t>(pool_.size());
    pool_.emplace_back();
  }
  pool_[place] = offer;
  pool_[place].next = 0;
  std::uint32_t* link = &first;
  while (*link) link = &pool_[*link].next;
  *link = place;
  ++open_count_;
  return place;
}

std::int64_t OfferBook::open(const NewOffer& offer, std::uint32_t& first) {
  const core::Instant expires_us = offer.created_us + offer.days_valid * core::kDay;
  ++count_;
  new_.push_back({offer, offer_id(offer.decided_seq, offer.due_us, offer.customer, offer.action)});
  new_.back().offer.action = {};
  place_for({count_, offer.revenue_minor, expires_us, static_cast<std::uint16_t>(offer.template_number), 0}, first);
  return count_;
}

void OfferBook::close(std::uint32_t place, std::uint32_t& first, std::string_view state, core::Instant at_us,
                      std::int64_t turn) {
  // A row may not depend on when it is flushed: ends join only inside one turn, and a flush never comes inside one.
  const std::int64_t number = pool_[place].number;
  End* last = ends_.empty() ? nullptr : &ends_.back();
  if (last && last->turn == turn && last->number + last->count == number && last->state == state)
    ++last->count;
  else
    ends_.push_back({number, 1, turn, at_us, state});
  std::uint32_t* link = &first;
  while (*link != place) {
    TELLERD_ASSERT(*link != 0);
    link = &pool_[*link].next;
  }
  *link = pool_[place].next;
  pool_[place] = {};
  pool_[place].next = free_;
  free_ = place;
  --open_count_;
}

void OfferBook::flush() {
  put_made_.run(first_new(), new_.size(), [&](std::size_t at, store::BulkRow& row) {
    const auto& [offer, id] = new_[at];
    row.add_all(id, std::int64_t{offer.customer}, offer.decided_seq, std::int64_t{offer.template_number},
                std::int64_t{offer.tier}, offer.revenue_minor, std::int64_t{offer.days_valid}, offer.created_us,
                offer.prev);
  });
  std::sort(ends_.begin(), ends_.end(), [](const End& a, const End& b) { return a.number < b.number; });
  put_ends_.run(ends_.size(), [&](std::size_t at, store::BulkRow& row) {
    row.add_all(ends_[at].number, ends_[at].count, ends_[at].state, ends_[at].at_us);
  });
  new_.clear();
  ends_.clear();
}

std::optional<OfferFacts> OfferBook::find(std::int64_t number) {
  const auto facts_of = [number](std::int64_t id, std::int64_t decided_seq, std::int64_t revenue_minor,
                                 std::int64_t prev, core::Instant created_us, std::int64_t template_number,
                                 std::int64_t tier, std::int64_t days_valid) {
    return OfferFacts{number,
                      id,
                      decided_seq,
                      revenue_minor,
                      prev,
                      created_us,
                      created_us + days_valid * core::kDay,
                      static_cast<int>(template_number),
                      static_cast<int>(tier),
                      static_cast<int>(days_valid)};
  };
  if (number > count_ || number < 1) return std::nullopt;
  if (number >= first_new()) {
    const auto& [made, id] = new_[static_cast<std::size_t>(number - first_new())];
    return facts_of(id, made.decided_seq, made.revenue_minor, made.prev, made.created_us, made.template_number,
                    made.tier, made.days_valid);
  }
  find_.bind(1, number);
  std::optional<OfferFacts> found;
  if (find_.step())
    found = facts_of(find_.integer(0), find_.integer(1), find_.integer(2), find_.integer(3), find_.integer(4),
                     find_.integer(5), find_.integer(6), find_.integer(7));
  find_.reset();
  return found;
}

std::int64_t OfferBook::named(std::int64_t last, std::int64_t id) {
  while (const auto made = find(last)) {
    if (made->id == id) return last;
    last = made->prev;
  }
  return 0;
}

core::Instant OfferBook::first_expiry(std::uint32_t first) const noexcept {
  core::Instant earliest = core::kNever;
  for (std::uint32_t place = first; place; place = pool_[place].next)
    earliest = std::min(earliest, pool_[place].expires_us);
  return earliest;
}

void OfferBook::restore(std::int64_t number, std::int64_t revenue_minor, core::Instant expires_us, int template_number,
                        std::uint32_t& first) {
  place_for({number, revenue_minor, expires_us, static_cast<std::uint16_t>(template_number), 0}, first);
}

}  // namespace tellerd::decide
