// Silver rows: append a fact, read one back, mark one replaced, walk a customer's chain. Columns follow wire::*::each.
// The newest rows stand in the tail and go into their tables in bulk; other connections see them with the next flush.
// Threads: the engine's. Errors: core::Fault.
#pragma once
#include <memory>
#include <optional>

#include "silver/row.h"
#include "silver/tail.h"
#include "store/database.h"

namespace tellerd::silver {

class Rows {
 public:
  explicit Rows(store::Database& database);
  ~Rows();
  void append(const Row& row);
  // Texts of the row live until the next read of its kind, or append. Nothing when retention has dropped it.
  std::optional<Row> read(wire::Kind kind, Seq seq);
  void write_out();  // all of them into their tables, and ends what read() has left open: before a commit
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

 private:
  void for_each(wire::Kind kind, void (*visit)(void*, const Row&), void* context);
  struct Statements;
  store::Database& database_;
  std::unique_ptr<Statements> statements_;
  Tail tail_;
};

}  // namespace tellerd::silver
