// One silver row: a fact as it stands in teller.db, and how rows refer to one another.
#pragma once
#include <cstdint>
#include <optional>

#include "bronze/record.h"
#include "wire/facts.h"

namespace tellerd::silver {

using bronze::Seq;
using CustomerId = std::uint32_t;  // internal, from 1, in the order of first mention

enum class RowState : std::int8_t { kAlive = 0, kReplaced = 1, kWaitsForRate = 2 };

// A reference to a dated fact: seq and kind in one integer; 0 is none.
using FactRef = std::int64_t;
constexpr FactRef fact_ref(Seq seq, wire::Kind kind) noexcept { return seq * 32 + static_cast<FactRef>(kind); }
constexpr Seq seq_of(FactRef ref) noexcept { return ref / 32; }
constexpr wire::Kind kind_of(FactRef ref) noexcept { return static_cast<wire::Kind>(ref % 32); }

struct Row {
  Seq seq = 0;
  CustomerId customer = 0;
  FactRef prev = 0;
  RowState state = RowState::kAlive;
  std::optional<std::int64_t> mark;  // branch_minor or is_competitor, for the kinds that have one
  wire::Event event;                 // system and customer key are empty: the identity knows them
};

constexpr bool has_mark(wire::Kind kind) noexcept {
  return kind == wire::Kind::kTransaction || kind == wire::Kind::kBillPayment || kind == wire::Kind::kSms ||
         kind == wire::Kind::kHostVisit;
}
constexpr bool has_rows(wire::Kind kind) noexcept {
  return kind != wire::Kind::kNone && kind != wire::Kind::kUnreadable && kind != wire::Kind::kBackfillEnd &&
         kind < wire::Kind::kTick;
}

// Calls f with a default value of the kind's fact type.
template <std::size_t Index = 1, class F>
void with_fact(wire::Kind kind, F&& f) {
  if constexpr (Index < std::variant_size_v<wire::Body>) {
    if (static_cast<std::size_t>(kind) == Index)
      f(std::variant_alternative_t<Index, wire::Body>{});
    else
      with_fact<Index + 1>(kind, std::forward<F>(f));
  }
}

}  // namespace tellerd::silver
