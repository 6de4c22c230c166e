// A fold of a writer's write-ahead log in steps between its commits, so that nobody waits long for it: copying is no
// dearer in bits, and syncing is, so that is done by another thread while commits go on. A reader of our own stands
// where a bit is to end: SQLite copies no further than it, syncs nothing before all is copied, and does not write over
// a log that somebody reads. So what is synced beside is an advance and no more; SQLite's own sync, as the fold ends,
// is what the log's end rests upon, and finds little to do.
// Errors: core::Fault; the next call tries again. Threads: the writer's owner's.
#pragma once
#include <future>
#include <optional>

#include "store/database.h"

namespace tellerd::store {

class SteppedFold {
 public:
  enum class Step : int { kNone, kBit, kAll };

  explicit SteppedFold(Database& writer) : writer_(writer) {}  // which outlives it, and stays where it is
  ~SteppedFold();
  SteppedFold(const SteppedFold&) = delete;
  SteppedFold& operator=(const SteppedFold&) = delete;

  // Between two commits, as often as wanted. Marks what is committed; the next call copies that, and has it synced. A
  // call while the last bit is being synced does nothing. kAll: there was nothing behind the mark, so all is folded.
  Step go_on();
  bool is_syncing() const;  // what finish() would wait for
  // All there is, and the next commit begins the log anew; false when another reader was in the way.
  bool finish();

 private:
  void mark();
  void leave();
  Database& writer_;
  std::optional<Database> reader_;  // in a transaction: stands at the mark
  std::future<int> syncing_;        // valid: what was before the mark is copied, and the other thread has the reader
};

}  // namespace tellerd::store
