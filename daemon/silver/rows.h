// Silver rows: append a fact, read one back, mark one replaced, walk a customer's chain. One prepared statement a kind and
// verb; columns follow wire::*::each. Rows are visible to this connection at once and to others with the next flush.
// Threads: the engine's. Errors: core::Fault.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "bronze/record.h"
#include "store/database.h"
#include "wire/facts.h"

namespace tellerd::silver {

using bronze::Seq;
using CustomerId = std::uint32_t;     // internal, from 1, in the order of first mention

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
  std::optional<std::int64_t> mark;   // branch_minor or is_competitor, for the kinds that have one
  wire::Event event;                  // system and customer key are empty: the identity knows them
};

class Rows {
 public:
  explicit Rows(store::Database& database);
  ~Rows();
  void append(const Row& row);
  // Texts of the row live until the next read of its kind. Nothing when retention has dropped it.
  std::optional<Row> read(wire::Kind kind, Seq seq);
  void release();                     // ends what read() has left open: before a commit
  void set_state(wire::Kind kind, Seq seq, RowState state);
  void set_mark(wire::Kind kind, Seq seq, std::optional<std::int64_t> mark);
  // All alive or waiting rows of a kind in seq order; texts live during the call.
  template <class Visit> void each(wire::Kind kind, Visit&& visit) {
    for_each(kind, [](void* context, const Row& row) { (*static_cast<std::remove_reference_t<Visit>*>(context))(row); }, &visit);
  }
  // Deletes dated rows below `floor`, at most `rows_max` of them a call; true when none are left.
  bool drop_below(Seq floor, int rows_max);

 private:
  void for_each(wire::Kind kind, void (*visit)(void*, const Row&), void* context);
  struct Statements;
  store::Database& database_;
  std::unique_ptr<Statements> statements_;
};

constexpr bool has_mark(wire::Kind kind) noexcept {
  return kind == wire::Kind::kTransaction || kind == wire::Kind::kBillPayment || kind == wire::Kind::kSms || kind == wire::Kind::kHostVisit;
}
constexpr bool has_rows(wire::Kind kind) noexcept {
  return kind != wire::Kind::kNone && kind != wire::Kind::kUnreadable && kind != wire::Kind::kBackfillEnd && kind < wire::Kind::kTick;
}

}  // namespace tellerd::silver
