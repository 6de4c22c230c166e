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

// A fold writes each page once, however often small commits have written it into the WAL: what it costs follows the
// records. The WAL itself may grow to so much as a start reads again in some tenths of a second.
// Nobody is answered meanwhile: while commits are small, each has somebody who waits, and folds are short and many.
constexpr std::int64_t kRecordBytesBeforeFold = 2 << 20, kRecordBytesBeforeFoldMin = 512 << 10;
constexpr std::int64_t kCommitsBeforeFold = 64, kWalBytesBeforeFold = 64 << 20;
constexpr std::int64_t kWalBytesWhenIdle = 1 << 20;
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
  store::Statement mark, batch, find_batch, crc, setting;
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
        setting(db, "INSERT INTO setting(kind,hash) VALUES(?1,?2) ON CONFLICT(kind) DO UPDATE SET hash=?2") {}
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
  options.vfs = options_.vfs;
  auto database = std::make_unique<store::Database>(store::Database::open_writer(folder_ / (name + ".db"), options));
  database->execute(core::embedded_file("schema/sql/bronze.sql"));
  auto statements = std::make_unique<Statements>(*database);
  if (is_carrying) {
    store::Transaction transaction(*database);
    for (auto& producer : producers_)
      statements->mark
          .bind_all(std::int64_t{producer.id}, std::string_view(producer.name),
                    static_cast<std::int64_t>(producer.incarnation), producer.mark)
          .run();
    for (const auto& [kind, hash] : settings_)
      statements->setting.bind_all(std::int64_t{kind}, std::string_view(hash)).run();
    transaction.commit();
  }
  statements_ = std::move(statements);  // only now: a week that finds no room leaves the one before in use
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
  marks_dirty_.assign(producers_.size() + 1, false);
  settings_.clear();
  store::Statement settings(*database_, "SELECT kind,hash FROM setting");
  while (settings.step()) settings_[static_cast<int>(settings.integer(0))] = settings.text(1);
}

Producer& Log::producer(std::string_view name, std::uint64_t incarnation) {
  TELLERD_ASSERT(is_open_);
  const auto [at, is_new] =
      producer_ids_.try_emplace({std::string(name), incarnation}, static_cast<std::int32_t>(producers_.size() + 1));
  if (is_new) {
    producers_.push_back({at->second, std::string(name), incarnation, 0});
    marks_dirty_.push_back(true);
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
    if (!database_ || name > week_name_) open_week(name, database_ != nullptr);
    week_ = week;
  }
  if (marks_dirty_.empty()) marks_dirty_.assign(1, false);
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
  statements_->batch.bind_all(std::int64_t{producer.id}, first_producer_seq, first_seq, count).run();
  producer.mark = first_producer_seq + count - 1;
  marks_dirty_[static_cast<std::size_t>(producer.id)] = true;
}

void Log::write_marks() {
  for (auto& producer : producers_) {
    const auto at = static_cast<std::size_t>(producer.id);
    if (!marks_dirty_[at]) continue;
    statements_->mark
        .bind_all(std::int64_t{producer.id}, std::string_view(producer.name),
                  static_cast<std::int64_t>(producer.incarnation), producer.mark)
        .run();
    marks_dirty_[at] = false;
  }
}

void Log::commit() {
  commit_bytes_ = unfolded_record_bytes_ - committed_record_bytes_;
  write_records();
  write_marks();
  transaction_->commit();
  transaction_.reset();
  is_open_ = false;
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
  if (!database_ || is_open_) return;
  const std::int64_t wal_bytes = database_->unfolded_bytes();
  const std::int64_t record_bytes_max =
      std::clamp(kCommitsBeforeFold * commit_bytes_, kRecordBytesBeforeFoldMin, kRecordBytesBeforeFold);
  const bool is_much = unfolded_record_bytes_ > record_bytes_max || wal_bytes > kWalBytesBeforeFold;
  if (!is_much && (!is_idle || wal_bytes <= kWalBytesWhenIdle)) return;
  if (database_->checkpoint(false)) unfolded_record_bytes_ = committed_record_bytes_ = 0;
}

std::optional<std::uint32_t> Log::stored_crc(const Producer& producer, std::int64_t producer_seq) {
  if (is_open_) write_records();
  auto find_in = [&](Statements& in) -> std::optional<std::uint32_t> {
    in.find_batch.bind_all(std::int64_t{producer.id}, producer_seq);
    std::optional<Seq> seq;
    if (in.find_batch.step()) {
      const std::int64_t offset = producer_seq - in.find_batch.integer(0);
      if (offset < in.find_batch.integer(2)) seq = in.find_batch.integer(1) + offset;
    }
    in.find_batch.reset();
    if (!seq) return std::nullopt;
    std::optional<std::uint32_t> crc;
    if (in.crc.bind(1, *seq).step()) crc = static_cast<std::uint32_t>(in.crc.integer(0));
    in.crc.reset();
    return crc;
  };
  if (statements_)
    if (const auto crc = find_in(*statements_)) return crc;
  const auto older = log_files(folder_);
  for (auto file = older.rbegin(); file != older.rend(); ++file) {
    if (file->stem() == week_name_) continue;
    auto reader = store::Database::open_reader(*file, options_.vfs);
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
