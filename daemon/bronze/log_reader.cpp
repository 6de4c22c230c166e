#include <fmt/core.h>

#include "bronze/log.h"
#include "core/checksum.h"
#include "core/fault.h"

namespace tellerd::bronze {

struct LogReader::Open {
  std::filesystem::path file;
  store::Database database;
  store::Statement select;
  explicit Open(const std::filesystem::path& path)
      : file(path),
        database(store::Database::open_reader(path)),
        select(database,
               "SELECT seq,now_us,received_us,producer,producer_seq,kind,crc,payload FROM record WHERE seq>? ORDER BY "
               "seq LIMIT ?") {}
};

LogReader::LogReader(std::filesystem::path folder) : folder_(std::move(folder)) {}
LogReader::~LogReader() = default;

// The file that holds after + 1, if it has been written: the newest whose first record is not beyond it.
bool LogReader::open_for(Seq after) {
  const auto files = log_files(folder_);
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    if (!open_ || open_->file != *file) open_ = std::make_unique<Open>(*file);
    const Seq first = open_->database.integer("SELECT coalesce(min(seq),0) FROM record");
    if (first != 0 && first <= after + 1) return true;
  }
  return false;
}

bool LogReader::read_after(Seq after, std::size_t records_max, Group& group) {
  bool is_read = false;
  if (reading_.valid()) {
    auto reading = std::move(reading_);
    if (asked_ahead_ == std::pair{after, records_max})
      is_read = reading.get();
    else
      reading.wait();  // for somewhere else, where its failure says nothing
  }
  if (is_read)
    std::swap(group, ahead_);
  else if (!read(after, records_max, group))
    return false;
  if (group.records.size() < records_max) return true;
  asked_ahead_ = {group.records.back().seq, records_max};
  reading_ = std::async(std::launch::async, [this] { return read(asked_ahead_.first, asked_ahead_.second, ahead_); });
  return true;
}

bool LogReader::read(Seq after, std::size_t records_max, Group& group) {
  for (int pass = 0; pass < 2; ++pass) {
    group.clear();
    if (pass == 1 || !open_) {
      if (!open_for(after)) return false;
    }
    Seq expected = after + 1;
    auto& select = open_->select;
    const auto damaged = [&](const std::string& which) {
      select.reset();  // who handles it may read on
      return core::Fault(core::Exit::kDamaged,
                         fmt::format("{}: record {}: restore from a backup", open_->file.string(), which));
    };
    select.bind_all(after, static_cast<std::int64_t>(records_max));
    while (select.step()) {
      Record record;
      record.seq = select.integer(0);
      record.now_us = select.integer(1);
      record.received_us = select.integer(2);
      record.producer = static_cast<std::int32_t>(select.integer(3));
      record.producer_seq = select.integer(4);
      record.kind = static_cast<wire::Kind>(select.integer(5) & kKindMask);
      record.is_backfill = (select.integer(5) & kBackfillBit) != 0;
      record.runs_all_due = (select.integer(5) & kAllDueBit) != 0;
      record.crc = static_cast<std::uint32_t>(select.integer(6));
      const std::string_view payload = select.text(7);
      if (record.seq != expected) throw damaged(fmt::format("{} is missing (found {})", expected, record.seq));
      if (core::crc32c(payload) != record.crc) throw damaged(fmt::format("{} does not match its CRC", record.seq));
      ++expected;
      record.payload = group.keep(payload);
      group.records.push_back(record);
    }
    if (!group.records.empty()) return true;
  }
  return false;
}

Seq LogReader::first_seq() {
  for (const auto& file : log_files(folder_)) {
    Open oldest(file);
    if (const Seq first = oldest.database.integer("SELECT coalesce(min(seq),0) FROM record")) return first;
  }
  return 0;
}

std::vector<Producer> LogReader::producers() {
  std::vector<Producer> found;
  const auto files = log_files(folder_);
  if (files.empty()) return found;
  Open newest(files.back());
  store::Statement all(newest.database, "SELECT id,name,incarnation,mark FROM producer ORDER BY id");
  while (all.step())
    found.push_back({static_cast<std::int32_t>(all.integer(0)), std::string(all.text(1)),
                     static_cast<std::uint64_t>(all.integer(2)), all.integer(3)});
  return found;
}

}  // namespace tellerd::bronze
