// The log: append-only records in one SQLite file an ISO week, durable when commit() returns. A record carries its
// producer_seq, so producers' marks are as durable as it; where they stand is noted in tables of their own for many
// commits at once, what is not noted yet is read from the records at start, and marks are carried over when a week
// opens. Errors: core::Fault; after a failed append or commit the caller calls forget(), which reads the truth back
// from disk. Threads: Log belongs to the recorder; a LogReader to whoever reads. Source: design.md 2, faults.md 5.2.
#pragma once
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bronze/record.h"
#include "store/database.h"
#include "store/stepped_fold.h"

namespace tellerd::bronze {

struct Producer {
  std::int32_t id = 0;
  std::string name;
  std::uint64_t incarnation = 0;
  std::int64_t mark = 0;  // greatest producer_seq in the log
};

struct LogOptions {
  std::string zone = "UTC";  // weeks are those of branch time
  bool is_synced = true;     // false only in the control run of the power-cut test
};

class Log {
 public:
  Log(const std::filesystem::path& folder, const LogOptions& options);
  ~Log();

  Seq last_seq() const noexcept { return last_.seq; }
  core::Instant last_now_us() const noexcept { return last_.now_us; }
  core::Instant last_received_us() const noexcept { return last_.received_us; }
  const std::vector<Producer>& producers() const noexcept { return producers_; }  // by id, from 1
  Producer& producer(std::string_view name, std::uint64_t incarnation);           // made when new, inside a transaction
  const Producer* find_producer(std::string_view name, std::uint64_t incarnation) const;

  // One transaction: begin, append…, commit. begin() opens the week of `received_us` when it is a new one.
  void begin(core::Instant received_us);
  // seq must be last_seq() + 1; its payload is read at the latest in commit() and must live until then.
  void append(const Record& record);
  void end_batch(Producer& producer, std::int64_t first_producer_seq, std::int64_t count, Seq first_seq);
  // The hash of the configuration, pack or model that a record of this kind has set; carried over when a week opens.
  void note_setting(wire::Kind kind, const std::string& hash);
  std::string setting(wire::Kind kind) const;  // "" before the first
  void commit();
  bool is_open() const noexcept { return is_open_; }
  void note_all();  // between commits, at a stop: where producers' seqs stand, so that the tables say all of it
  void forget();    // rolls back and reads marks and the last record again; writes nothing
  // Between commits: folds the WAL away bit by bit, to the end once it holds 4 MiB of records or 32 MiB in all, and
  // `is_idle` from 1 MiB. The file stays as long as it was: to write over what is there is synced sooner than to let it
  // grow.
  void checkpoint(bool is_idle);

  // The CRC that was stored for a producer's seq; nothing when its week has been dropped or it never came.
  std::optional<std::uint32_t> stored_crc(const Producer& producer, std::int64_t producer_seq);

  std::vector<std::filesystem::path> files() const;  // oldest first
  const std::string& week_name() const noexcept { return week_name_; }
  std::int64_t wal_bytes() const { return database_ ? database_->wal_bytes() : 0; }

 private:
  void open_week(const std::string& name, bool is_carrying);
  void read_back();
  void read_unnoted();
  void write_records();
  bool are_notes_due() const noexcept;
  void write_notes();

  std::filesystem::path folder_;
  LogOptions options_;
  core::Calendar calendar_;
  std::string week_name_;
  core::Week week_ = 0;
  std::unique_ptr<store::Database> database_;  // its address is kept by statements and the fold
  std::unique_ptr<store::SteppedFold> fold_;
  std::optional<store::Transaction> transaction_;
  struct Statements;
  std::unique_ptr<Statements> statements_;
  Record last_, committed_;
  // Since the last fold; of them committed; of them copied by a bit of the next one.
  std::int64_t unfolded_record_bytes_ = 0, committed_record_bytes_ = 0, copied_record_bytes_ = 0;
  std::vector<Record> waiting_;  // appended, and not yet in the file
  std::vector<Producer> producers_;
  std::map<std::pair<std::string, std::uint64_t>, std::int32_t, std::less<>> producer_ids_;
  struct Run {  // of one producer, without a gap in either seq
    std::int32_t producer = 0;
    std::int64_t first_producer_seq = 0;
    Seq first_seq = 0;
    std::int64_t count = 0;
  };
  void add_run(const Run& run);
  std::vector<Run> unnoted_;  // in the order of seq
  std::map<int, std::string> settings_;
  bool is_open_ = false;
};

// Weekly files of a folder, oldest first.
std::vector<std::filesystem::path> log_files(const std::filesystem::path& folder);

// Reads records in order across weekly files, in autocommit: no read transaction outlives a group. After a full group
// the next one is read by another thread, while the caller is busy with this one.
class LogReader {
 public:
  explicit LogReader(std::filesystem::path folder);
  ~LogReader();
  // Fills `group` (cleared first) with at most `records_max` committed records after `after`; false when there are
  // none. A record whose CRC does not hold, or a gap in seq, is a Fault kDamaged that names it.
  bool read_after(Seq after, std::size_t records_max, Group& group);
  Seq first_seq();                    // oldest record that is still there; 0 for an empty log
  std::vector<Producer> producers();  // of the newest file

 private:
  struct Open;
  bool open_for(Seq after);
  bool read(Seq after, std::size_t records_max, Group& group);
  std::filesystem::path folder_;
  std::unique_ptr<Open> open_;                     // the other thread's while it reads
  std::pair<Seq, std::size_t> asked_ahead_{0, 0};  // after, records_max
  Group ahead_;
  std::future<bool> reading_;  // valid: ahead_ is being filled; the last, so that its end is awaited first
};

}  // namespace tellerd::bronze
