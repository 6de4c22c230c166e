// Silver rows: append a fact, read one back, mark one replaced, walk a customer's chain. Columns follow wire::*::each.
// The newest rows stand in tails and go into their tables in bulk; other connections see them with the next flush.
// Threads: the engine's. Errors: core::Fault.
#pragma once
#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/pages_ahead.h"
#include "silver/row.h"
#include "silver/tail.h"
#include "store/database.h"

namespace tellerd::silver {

class Rows {
 public:
  explicit Rows(store::Database& database);
  void starts_at(Seq newest) noexcept { committed_ = committing_ = newest; }  // up to there all is in the store
  ~Rows();
  void append(const Row& row);
  // Texts of the row live until the next read of its kind, or append. Nothing when retention has dropped it.
  std::optional<Row> read(wire::Kind kind, Seq seq);
  void write_out();  // all of them into their tables, and ends what read() has left open
  std::size_t unwritten() const noexcept { return unwritten_; }
  // The same in two steps: close() ends what read() has left open, and says what is to be written; write_closed() does
  // it, also while the connection is lent, from the thread that has it.
  void close();
  void write_closed();
  // The connection is lent for a commit of all rows up to `newest`. Until it is back, read() finds rows since the
  // commit before in memory, as long as they are not too many, and asks a reader for older ones; what has changed in
  // them since stands beside it.
  void commit_begins(Seq newest);
  // A small bank keeps fewer in a burst, a large one always more.
  void make_room(bool is_burst, std::size_t customers, std::size_t rows_max = SIZE_MAX);
  void forget_kept();  // when all are written
  std::size_t kept_max() const noexcept { return kept_max_; }
  void commit_is_through() noexcept { is_through_.store(true, std::memory_order_release); }  // from any thread
  // What read() has left open on the reader ends: it would hold the WAL, and whoever asks the reader next would see
  // the store as it was then. A commit that is through is believed from here on: what is open may be older.
  void end_turn() noexcept {
    end_aside();
    is_seen_through_ = is_through_.load(std::memory_order_acquire);
  }
  void set_state(wire::Kind kind, Seq seq, RowState state);
  void set_mark(wire::Kind kind, Seq seq, std::optional<std::int64_t> mark);
  // All alive or waiting rows of a kind in seq order; texts live during the call.
  template <class Visit>
  void each(wire::Kind kind, Visit&& visit) {
    for_each(
        kind, [](void* context, const Row& row) { (*static_cast<std::remove_reference_t<Visit>*>(context))(row); },
        &visit);
  }
  // Deletes dated rows below `floor`, at most `rows_max` of them a call; true when none are left.
  bool drop_below(Seq floor, int rows_max);
  void drop_loan(CustomerId customer, std::string_view name);  // the loan, its changes and instalments, all versions

 private:
  void for_each(wire::Kind kind, void (*visit)(void*, const Row&), void* context);
  bool is_committed(Seq seq) const {
    return seq >= dropped_below_ && seq <= (is_seen_through_ ? committing_ : committed_);
  }
  struct Change {
    std::optional<RowState> state;
    std::optional<std::optional<std::int64_t>> mark;
    void add(const Change& later);
    void apply_to(Row& row) const;
    void apply_to(Tail& tail, Seq seq) const;
  };
  using Changes = std::unordered_map<Seq, Change>;
  static void apply(const Changes& changes, Row& row);
  std::optional<Row> read_between(wire::Kind kind, Seq seq);
  bool change_held(wire::Kind kind, Seq seq, const Change& change);
  void end_aside() noexcept;
  void open_tail();
  void add_tail();
  void have_next_touched();
  void forget_written();
  void forget_all();
  Tail* tail_with(Seq seq);
  struct Statements;
  store::Database& database_;
  std::unique_ptr<Statements> statements_;
  std::deque<Tail> tails_{1};  // in the order of seq; rows are added to the last, which alone may be empty
  std::vector<Tail> spares_;   // in a burst as many as it has needed: fresh pages cost more than filling them
  struct Next {
    Tail tail;
    std::array<core::PagesAhead, Tail::kParts> pages;
  };
  std::unique_ptr<Next> next_;       // in a burst without spares: what is added next
  std::vector<Tail> forgotten_;      // until write_closed(): to give back megabytes takes its time
  std::vector<const Tail*> closed_;  // being written
  // Rows that are being written are of the commit's time: what later records change in them stands here until then.
  Changes changed_meanwhile_;
  bool is_burst_ = false;
  std::size_t kept_max_, kept_ = 0, unwritten_ = 0;       // rows
  std::array<std::string, wire::kEventKinds + 1> texts_;  // of the row read last between others, by kind
  static_assert(wire::kEventKinds < 64);
  std::uint64_t aside_ = 0;                                 // bits of kinds whose reader may be open
  Seq committed_ = 0, committing_ = 0, dropped_below_ = 0;  // committed_: by the commit before the last one
  std::atomic<bool> is_through_{true};                      // the last commit
  bool is_seen_through_ = true;                             // at the end of a turn
  Changes changed_, changing_;                              // since the last commit began; in that commit
};

// Rows of a kind that count or wait, in the order of seq, some at a time, as another connection sees them then.
class RowScan {
 public:
  RowScan(store::Database& reader, wire::Kind kind);
  template <class Visit>
  bool go_on(int rows_max, Visit&& visit) {  // true when that was the last of them; texts live during the call
    return visit_next(
        rows_max, [](void* context, const Row& row) { (*static_cast<std::remove_reference_t<Visit>*>(context))(row); },
        &visit);
  }

 private:
  bool visit_next(int rows_max, void (*visit)(void*, const Row&), void* context);
  wire::Kind kind_;
  store::Statement next_;
  Seq after_ = 0;
};

}  // namespace tellerd::silver
