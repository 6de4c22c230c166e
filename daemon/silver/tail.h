// Newest silver rows, packed: on their way into teller.db until there are enough for one bulk insert a kind, and read
// and changed here until clear(). Bounded; a view of a row's text lives as long. Threads: the engine's; the
// tail that is being written is also read by the one that writes it.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "silver/row.h"
#include "store/bulk_insert.h"

namespace tellerd::silver {

class Tail {
 public:
  static constexpr std::size_t kRowsMax = 8'192;
  Tail();
  bool has_room() const noexcept;  // for one more row
  bool holds_below(Seq floor) const noexcept { return !heads_.empty() && heads_.front().seq < floor; }
  void append(const Row& row);  // seq grows
  bool has(Seq seq) const noexcept { return place_of(seq).has_value(); }
  void set_state(Seq seq, RowState state);  // of a row that it has
  void set_mark(Seq seq, std::optional<std::int64_t> mark);
  std::optional<Row> find(wire::Kind kind, Seq seq) const;
  Seq last_seq() const noexcept { return heads_.empty() ? 0 : heads_.back().seq; }
  std::size_t count() const noexcept { return heads_.size(); }
  std::size_t count(wire::Kind kind) const { return places_[static_cast<std::size_t>(kind)].size(); }
  // The columns of row `at` of a kind, in the order of Rows.
  void fill(wire::Kind kind, std::size_t at, store::BulkRow& into) const;
  // Its rows are added, then written, all at once and maybe by another thread: nothing changes meanwhile; then kept.
  enum class Stage : std::uint8_t { kOpen, kBeingWritten, kWritten };
  Stage stage() const noexcept { return stage_; }
  void move_to(Stage stage) noexcept { stage_ = stage; }
  void clear() noexcept;
  // Empty: the memory that as many rows and texts as `other` holds will fill.
  static constexpr std::size_t kParts = 3;
  std::array<std::span<char>, kParts> room_for_as_much_as(const Tail& other) noexcept;

 private:
  struct Head {
    Seq seq = 0;
    FactRef prev = 0;
    core::Instant occurred_us = 0;
    std::uint64_t version = 0;
    std::int64_t mark = 0;
    std::uint32_t first_slot = 0;
    CustomerId customer = 0;
    wire::Kind kind = wire::Kind::kNone;
    RowState state = RowState::kAlive;
    bool is_marked = false;
  };
  std::optional<std::size_t> place_of(Seq seq) const noexcept;
  std::int64_t keep(wire::Text text);  // a slot that stands for the text
  wire::Text text_of(std::int64_t slot) const noexcept;

  std::vector<Head> heads_;
  std::vector<std::int64_t> slots_;  // of each row its id, then its fields: numbers, or places of texts
  std::vector<char> texts_;          // reserved once: nothing in it moves
  std::array<std::vector<std::uint32_t>, wire::kEventKinds + 1> places_;  // of each kind, in heads_
  Stage stage_ = Stage::kOpen;
};

}  // namespace tellerd::silver
