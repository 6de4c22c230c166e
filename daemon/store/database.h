// SQLite as this house uses it: one writing connection a file, read-only ones beside it, prepared statements, and one
// exception type. Settings are those of faults.md 5.2. The only room that sees sqlite3.h.
// Errors: every SQLite error is a core::Fault with the file and the statement in its text; kDisk for I/O and full disk,
// kDamaged for a corrupt file. Text and blob views live until the next step of their statement.
// Threads: a Database and its statements belong to one thread at a time; lend() hands it to another for one piece of
// work, and the owner's next statement waits for its end.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "store/lending.h"
#include "store/write_queue.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tellerd::store {

struct WriterOptions {
  int page_bytes = 4096;
  bool is_synced = true;  // synchronous=FULL: a commit is on disk when it returns; false is NORMAL
  int cache_kib = 8192;
  bool is_paced = false;    // much is written at once, and others wait for the disk (store/paced_vfs.h)
  bool is_scratch = false;  // synchronous=OFF: nothing has to survive a power cut
};

class Database;
struct BulkTable;  // rows of a bulk insert that is under way (store/bulk_insert.h)

class Statement {
 public:
  Statement() = default;
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Parameters count from 1. Bound text and blobs must live until the step: nothing is copied.
  Statement& bind(int at, std::int64_t value);
  Statement& bind(int at, double value);
  Statement& bind(int at, std::string_view text);
  Statement& bind_blob(int at, std::string_view bytes);
  Statement& bind_null(int at);
  template <class... Values>
  Statement& bind_all(const Values&... values) {
    int at = 0;
    (bind(++at, values), ...);
    return *this;
  }

  bool step();  // true: a row is there; false: done (and reset)
  void run() {
    while (step()) {
    }
  }
  void reset() noexcept;
  // From now on it finds the connection as it stands, and writes that wait go on waiting: for whoever knows that they
  // do not touch what he reads, or what they will do to it.
  void read_as_it_stands(bool is_wanted) noexcept { reads_as_it_stands_ = is_wanted; }
  // A write without rows that may wait: its values are copied, and it is done before the connection's next statement.
  template <class... Values>
  void later(const Values&... values) {
    WriteQueue& queue = begin_later();
    (queue.put(values), ...);
  }

  int columns() const noexcept;
  std::string_view name(int column) const noexcept;
  bool is_null(int column) const noexcept;
  bool is_text(int column) const noexcept;
  bool is_real(int column) const noexcept;
  std::int64_t integer(int column) const noexcept;
  double real(int column) const noexcept;
  std::string_view text(int column) const noexcept;  // also a blob's bytes

 private:
  friend class WriteQueue;
  WriteQueue& begin_later();
  void own();
  sqlite3_stmt* statement_ = nullptr;
  Database* database_ = nullptr;
  bool reads_as_it_stands_ = false;
};

class Database {
 public:
  static Database open_writer(const std::filesystem::path& file, const WriterOptions& options = {});
  static Database open_reader(const std::filesystem::path& file);
  static Database in_memory();
  static Database open_unsafe(const std::filesystem::path& file);  // no journal, nothing synced: for what may be lost
  ~Database();
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  Database(const Database&) = delete;

  void execute(std::string_view sql);          // one or more statements without rows
  std::int64_t integer(std::string_view sql);  // first column of the first row; 0 without one
  std::int64_t changes() const noexcept;
  bool is_in_transaction() const noexcept;
  void interrupt() noexcept;  // from any thread
  // Folds the WAL into the file as far as readers allow (truncate: and empties it); false when a reader was in the way.
  bool checkpoint(bool is_truncating);
  std::int64_t wal_bytes() const;  // of the file, which a fold leaves as it is unless it truncates
  // Writer: of what a fold would copy. After an open what an earlier writer left counts from the first commit on.
  std::int64_t unfolded_bytes() const noexcept { return wal_pages_ ? *wal_pages_ * page_bytes_ : 0; }
  void limit_read_time(std::int64_t us);  // reader: interrupt a statement that runs longer
  // Reader that many short questions are asked through: what was prepared for one is there for the next. Views cost
  // more to prepare than to look one row up in. The database must then stay where it is.
  void keep_statements();
  // Writer: called again and again while statements run, in their thread, so that long work is seen to go on.
  void while_working(std::function<void()> beat);
  // Copies the whole database, as of now, into a new file; throws when it exists.
  void snapshot_into(const std::filesystem::path& file);
  std::string quick_check();  // "ok" or what is wrong
  const std::filesystem::path& file() const noexcept { return file_; }
  sqlite3* handle() const noexcept { return handle_; }
  BulkTable& bulk_table();  // for BulkInsert alone

  // Another thread does the writes that wait, then the work, in which it alone uses this connection; what it throws is
  // thrown at the owner's next statement, wait() or take_back(). `done` is called from there once the connection is
  // back.
  void lend(std::function<void()> work, std::function<void()> done = {});
  void press_lent(bool is_pressed);                            // what is lent from now on is soon wanted back
  void pause_lent_while(std::function<bool()> is_in_the_way);  // Lending::pause_while; waits for what is lent
  bool is_lent() const noexcept { return lending_ && lending_->is_busy(); }
  // This thread may use it although it is lent: the other one, or the owner in between.
  bool is_borrower() const noexcept { return lending_ && (lending_->is_inside() || lending_->is_interjecting()); }
  void wait();                 // for the work's end
  void take_back() { own(); }  // the same, and does the writes that wait
  // Between two steps of what goes on while it is lent: the owner's statements of `what`, which leave nothing open.
  // False, and nothing is done, when it has come back first.
  bool interject(const std::function<void()>& what) { return lending_ && lending_->interject(what); }
  void let_in() {  // by whoever it is lent to: the owner may have a word here
    if (lending_ && lending_->is_inside()) lending_->let_in();
  }
  void end_lending() noexcept;  // before statements go: waits, and forgets what was thrown
  std::size_t waiting_writes() const noexcept { return waiting_->count(); }
  // A reader of what is committed, for the owner while its connection is lent; opened when first asked for.
  Database& aside();
  [[noreturn]] void fail(std::string_view doing) const;

 private:
  friend class Statement;
  struct Kept;  // prepared and idle, by text
  Database() = default;
  void own(bool is_left_as_it_stands = false);  // before anything is done with the handle, and writes that wait are
  sqlite3* handle_ = nullptr;
  std::filesystem::path file_;
  std::shared_ptr<Kept> kept_;
  std::unique_ptr<std::int64_t> read_deadline_;
  std::unique_ptr<std::function<void()>> beat_;
  std::unique_ptr<std::int64_t> wal_pages_;  // its address is kept by SQLite
  std::int64_t read_limit_us_ = 0, page_bytes_ = 0;
  std::shared_ptr<BulkTable> bulk_table_;  // its address is kept by SQLite
  std::unique_ptr<Database> aside_;
  std::unique_ptr<WriteQueue> waiting_ = std::make_unique<WriteQueue>(), lent_ = std::make_unique<WriteQueue>();
  std::unique_ptr<Lending> lending_;
};

// BEGIN IMMEDIATE … COMMIT; rolls back when it is left without commit().
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  void commit();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

 private:
  Database& database_;
  bool is_open_ = true;
};

}  // namespace tellerd::store
