#include "bronze/log.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "core/assert.h"
#include "core/checksum.h"
#include "core/embedded.h"
#include "core/fault.h"
#include "store/bulk_insert.h"

namespace tellerd::bronze {
namespace {

// Nobody is answered while the log is folded, so that is done in bits. The end of a fold is two syncs whatever it
// copies. Commits of a record or two write as much of the WAL as if they had a hundred, and a start reads all of it
// again, in a tenth of a second or two.
constexpr std::int64_t kRecordBytesABit = 256 << 10;
constexpr std::int64_t kRecordBytesAFold = 4 << 20, kWalBytesAFold = 32 << 20;
constexpr std::int64_t kWalBytesWhenIdle = 1 << 20;
// Notes of where a producer's seqs stand are two pages more to sync, so they wait for so many records or runs. A start
// reads as many records again, and a duplicate is looked for among as many runs.
constexpr std::int64_t kUnnotedRecordsMax = 8'192;
constexpr std::size_t kUnnotedRunsMax = 1'024;
constexpr std::int64_t kHeadBytes = 40;  // of a record beside its payload
// Large pages take bursts best; but each small commit writes some whole pages, twice, for a record or a few.
constexpr int kPageBytes = 8'192;

std::int64_t kind_column(const Record& record) {
  return static_cast<std::int64_t>(record.kind) | (record.is_backfill ? kBackfillBit : 0) |
         (record.runs_all_due ? kAllDueBit : 0);
}

}  // namespace

struct Log::Statements {
  store::BulkAppend records;
  store::Statement mark, batch, find_batch, crc, setting, newest;
  explicit Statements(store::Database& db)
      : records(db, "record", "seq", "now_us,received_us,producer,producer_seq,kind,crc,payload"),
        mark(
            db,
            "INSERT INTO producer(id,name,incarnation,mark) VALUES(?1,?2,?3,?4) ON CONFLICT(id) DO UPDATE SET mark=?4"),
        batch(db, "INSERT INTO batch(producer,first_producer_seq,first_seq,count) VALUES(?,?,?,?)"),
        find_batch(db,
                   "SELECT first_producer_seq,first_seq,count FROM batch WHERE producer=? AND first_producer_seq<=? "
                   "ORDER BY first_producer_seq DESC LIMIT 1"),
        crc(db, "SELECT crc FROM record WHERE seq=?"),
        setting(db, "INSERT INTO setting(kind,hash) VALUES(?1,?2) ON CONFLICT(kind) DO UPDATE SET hash=?2"),
        newest(db, "SELECT seq,producer,producer_seq FROM record WHERE producer>0 ORDER BY seq DESC") {}

  void write_mark(const Producer& producer) {
    mark.bind_all(std::int64_t{producer.id}, std::string_view(producer.name),
                  static_cast<std::int64_t>(producer.incarnation), producer.mark)
        .run();
  }
  // Where a noted seq of a producer stands in this file.
  std::optional<Seq> noted(std::int32_t producer, std::int64_t producer_seq) {
    find_batch.bind_all(std::int64_t{producer}, producer_seq);
    std::optional<Seq> seq;
    if (find_batch.step()) {
      const std::int64_t offset = producer_seq - find_batch.integer(0);
      if (offset < find_batch.integer(2)) seq = find_batch.integer(1) + offset;
    }
    find_batch.reset();
    return seq;
  }
};

std::vector<std::filesystem::path> log_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  if (!std::filesystem::exists(folder)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".db") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

Log::Log(const std::filesystem::path& folder, const LogOptions& options)
    : folder_(folder), options_(options), calendar_(options.zone) {
  std::filesystem::create_directories(folder_);
  // A week that was opened and got no further holds nothing yet: the one before counts, and begin() carries over again.
  const auto files = log_files(folder_);
  for (auto file = files.rbegin(); file != files.rend() && last_.seq == 0; ++file) {
    open_week(file->stem().string(), false);
    read_back();
  }
}

Log::~Log() = default;

void Log::open_week(const std::string& name, bool is_carrying) {
  TELLERD_ASSERT(!is_open_);
  store::WriterOptions options;
  options.page_bytes = kPageBytes;
  options.is_synced = options_.is_synced;
  options.cache_kib = 4096;
  auto database = std::make_unique<store::Database>(store::Database::open_writer(folder_ / (name + ".db"), options));
  database->execute(core::embedded_file("schema/sql/bronze.sql"));
  auto statements = std::make_unique<Statements>(*database);
  if (is_carrying) {
    store::Transaction transaction(*database);
    for (const auto& producer : producers_) statements->write_mark(producer);
    for (const auto& [kind, hash] : settings_)
      statements->setting.bind_all(std::int64_t{kind}, std::string_view(hash)).run();
    transaction.commit();
  }
  statements_ = std::move(statements);  // only now: a week that finds no room leaves the one before in use
  fold_ = std::make_unique<store::SteppedFold>(*database);
  database_ = std::move(database);
  week_name_ = name;
}

void Log::read_back() {
  store::Statement last(*database_, "SELECT seq,now_us,received_us FROM record ORDER BY seq DESC LIMIT 1");
  if (last.step()) {
    last_.seq = last.integer(0);
    last_.now_us = last.integer(1);
    last_.received_us = last.integer(2);
    week_ = calendar_.week_of(last_.received_us);
    committed_ = last_;
  }
  last.reset();
  producers_.clear();
  producer_ids_.clear();
  store::Statement all(*database_, "SELECT id,name,incarnation,mark FROM producer ORDER BY id");
  while (all.step()) {
    producers_.push_back({static_cast<std::int32_t>(all.integer(0)), std::string(all.text(1)),
                          static_cast<std::uint64_t>(all.integer(2)), all.integer(3)});
    TELLERD_ASSERT(producers_.back().id == static_cast<std::int32_t>(producers_.size()));
    producer_ids_[{producers_.back().name, producers_.back().incarnation}] = producers_.back().id;
  }
  read_unnoted();
  settings_.clear();
  store::Statement settings(*database_, "SELECT kind,hash FROM setting");
  while (settings.step()) settings_[static_cast<int>(settings.integer(0))] = settings.text(1);
}

// Back to the newest record that is noted: notes are written in order, so all before it are.
void Log::read_unnoted() {
  unnoted_.clear();
  auto& newest = statements_->newest;
  while (newest.step()) {
    const Run run{static_cast<std::int32_t>(newest.integer(1)), newest.integer(2), newest.integer(0), 1};
    if (statements_->noted(run.producer, run.first_producer_seq)) break;
    unnoted_.push_back(run);
  }
  newest.reset();
  std::vector<Run> singles(unnoted_.rbegin(), unnoted_.rend());
  unnoted_.clear();
  for (const Run& run : singles) {
    add_run(run);
    producers_[static_cast<std::size_t>(run.producer - 1)].mark = run.first_producer_seq;
  }
}

void Log::add_run(const Run& run) {
  if (!unnoted_.empty()) {
    Run& last = unnoted_.back();
    if (last.producer == run.producer && last.first_producer_seq + last.count == run.first_producer_seq &&
        last.first_seq + last.count == run.first_seq) {
      last.count += run.count;
      return;
    }
  }
  unnoted_.push_back(run);
}

Producer& Log::producer(std::string_view name, std::uint64_t incarnation) {
  TELLERD_ASSERT(is_open_);
  const auto [at, is_new] =
      producer_ids_.try_emplace({std::string(name), incarnation}, static_cast<std::int32_t>(producers_.size() + 1));
  if (is_new) {
    producers_.push_back({at->second, std::string(name), incarnation, 0});
    statements_->write_mark(producers_.back());
  }
  return producers_[static_cast<std::size_t>(at->second - 1)];
}

const Producer* Log::find_producer(std::string_view name, std::uint64_t incarnation) const {
  const auto at = producer_ids_.find(std::pair{std::string(name), incarnation});
  return at == producer_ids_.end() ? nullptr : &producers_[static_cast<std::size_t>(at->second - 1)];
}

void Log::begin(core::Instant received_us) {
  const core::Week week = calendar_.week_of(received_us);
  if (!database_ || week > week_) {
    const std::string name = core::format_iso_week(week);
    if (!database_ || name > week_name_) {
      note_all();
      open_week(name, database_ != nullptr);
    }
    week_ = week;
  }
  transaction_.emplace(*database_);
  is_open_ = true;
}

void Log::append(const Record& record) {
  TELLERD_ASSERT(is_open_ && record.seq == last_.seq + 1 && record.now_us >= last_.now_us);
  waiting_.push_back(record);
  unfolded_record_bytes_ += kHeadBytes + static_cast<std::int64_t>(record.payload.size());
  last_.seq = record.seq;
  last_.now_us = record.now_us;
  last_.received_us = record.received_us;
}

void Log::write_records() {
  if (waiting_.empty()) return;
  statements_->records.run(waiting_.front().seq, waiting_.size(), [&](std::size_t at, store::BulkRow& row) {
    const Record& record = waiting_[at];
    row.add_all(record.now_us, record.received_us, std::int64_t{record.producer}, record.producer_seq,
                kind_column(record), std::int64_t{record.crc});
    row.add_blob(record.payload);
  });
  waiting_.clear();
}

void Log::note_setting(wire::Kind kind, const std::string& hash) {
  statements_->setting.bind_all(static_cast<std::int64_t>(kind), std::string_view(hash)).run();
  settings_[static_cast<int>(kind)] = hash;
}

std::string Log::setting(wire::Kind kind) const {
  const auto at = settings_.find(static_cast<int>(kind));
  return at == settings_.end() ? std::string() : at->second;
}

void Log::end_batch(Producer& producer, std::int64_t first_producer_seq, std::int64_t count, Seq first_seq) {
  producer.mark = first_producer_seq + count - 1;
  add_run({producer.id, first_producer_seq, first_seq, count});
}

bool Log::are_notes_due() const noexcept {
  return !unnoted_.empty() &&
         (unnoted_.size() >= kUnnotedRunsMax || last_.seq - unnoted_.front().first_seq >= kUnnotedRecordsMax - 1);
}

void Log::write_notes() {
  std::vector<bool> is_marked(producers_.size(), false);
  for (const Run& run : unnoted_) {
    statements_->batch.bind_all(std::int64_t{run.producer}, run.first_producer_seq, run.first_seq, run.count).run();
    const auto at = static_cast<std::size_t>(run.producer - 1);
    if (!is_marked[at]) statements_->write_mark(producers_[at]);
    is_marked[at] = true;
  }
}

void Log::note_all() {
  if (unnoted_.empty()) return;
  store::Transaction transaction(*database_);
  write_notes();
  transaction.commit();
  unnoted_.clear();
}

void Log::commit() {
  write_records();
  const bool is_noted = are_notes_due();
  if (is_noted) write_notes();
  transaction_->commit();
  transaction_.reset();
  is_open_ = false;
  if (is_noted) unnoted_.clear();
  committed_ = last_;
  committed_record_bytes_ = unfolded_record_bytes_;
}

void Log::forget() {
  waiting_.clear();
  unfolded_record_bytes_ = committed_record_bytes_;
  transaction_.reset();
  is_open_ = false;
  last_ = committed_;  // the week may be new and hold no record yet
  if (database_) read_back();
}

void Log::checkpoint(bool is_idle) {
  using Step = store::SteppedFold::Step;
  if (!database_ || is_open_) return;
  const std::int64_t wal_bytes = database_->unfolded_bytes();
  const bool is_much = unfolded_record_bytes_ > kRecordBytesAFold || wal_bytes > kWalBytesAFold;
  Step step = Step::kNone;
  if (is_idle ? wal_bytes > kWalBytesWhenIdle : is_much && !fold_->is_syncing())
    step = fold_->finish() ? Step::kAll : Step::kNone;
  else if (!is_idle && !is_much && unfolded_record_bytes_ - copied_record_bytes_ > kRecordBytesABit)
    step = fold_->go_on();
  if (step == Step::kBit) copied_record_bytes_ = unfolded_record_bytes_;
  if (step == Step::kAll) unfolded_record_bytes_ = committed_record_bytes_ = copied_record_bytes_ = 0;
}

std::optional<std::uint32_t> Log::stored_crc(const Producer& producer, std::int64_t producer_seq) {
  if (is_open_) write_records();
  if (statements_) {
    const auto run = std::find_if(unnoted_.begin(), unnoted_.end(), [&](const Run& one) {
      return one.producer == producer.id && producer_seq >= one.first_producer_seq &&
             producer_seq < one.first_producer_seq + one.count;
    });
    const auto seq = run != unnoted_.end() ? std::optional(run->first_seq + (producer_seq - run->first_producer_seq))
                                           : statements_->noted(producer.id, producer_seq);
    if (seq) {
      std::optional<std::uint32_t> crc;
      if (statements_->crc.bind(1, *seq).step()) crc = static_cast<std::uint32_t>(statements_->crc.integer(0));
      statements_->crc.reset();
      if (crc) return crc;
    }
  }
  const auto older = log_files(folder_);
  for (auto file = older.rbegin(); file != older.rend(); ++file) {
    if (file->stem() == week_name_) continue;
    auto reader = store::Database::open_reader(*file);
    store::Statement find(reader,
                          "SELECT r.crc FROM batch b JOIN record r ON r.seq=b.first_seq+?2-b.first_producer_seq "
                          "WHERE b.producer=?1 AND b.first_producer_seq<=?2 AND b.first_producer_seq+b.count>?2");
    if (find.bind_all(std::int64_t{producer.id}, producer_seq).step())
      return static_cast<std::uint32_t>(find.integer(0));
  }
  return std::nullopt;
}

std::vector<std::filesystem::path> Log::files() const { return log_files(folder_); }

}  // namespace tellerd::bronze
