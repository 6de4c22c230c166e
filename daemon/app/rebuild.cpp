#include "app/rebuild.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>

#include "app/engine.h"
#include "app/fence.h"
#include "bronze/log.h"
#include "core/fault.h"
#include "store/database.h"

namespace tellerd::app {
namespace {

constexpr std::size_t kReadRecords = 8192, kDifferencesMax = 20, kRecordsAFlush = 500'000;

std::string row_text(const store::Statement& row) {
  std::string text;
  for (int column = 0; column < row.columns(); ++column) {
    if (column) text += '|';
    text += row.is_null(column) ? std::string_view("NULL") : row.text(column);
  }
  return text;
}

void compare_table(store::Database& a, store::Database& b, const std::string& table, Comparison& into) {
  const std::int64_t columns = a.integer(fmt::format("SELECT count(*) FROM pragma_table_info('{}')", table));
  std::string order = "1";
  for (std::int64_t column = 2; column <= columns; ++column) order += fmt::format(",{}", column);
  const std::string sql = fmt::format("SELECT * FROM {} ORDER BY {}", table, order);
  store::Statement left(a, sql), right(b, sql);
  std::size_t row = 0;
  for (;; ++row) {
    const bool has_left = left.step(), has_right = right.step();
    if (!has_left && !has_right) return;
    ++into.rows;
    const std::string is = has_left ? row_text(left) : "nothing", should = has_right ? row_text(right) : "nothing";
    if (is == should) continue;
    if (into.differences.size() < kDifferencesMax)
      into.differences.push_back(fmt::format("{} row {}: {} should be {}", table, row + 1, is, should));
    if (!has_left || !has_right || into.differences.size() >= kDifferencesMax) break;
  }
  left.reset();
  right.reset();
}

void compare_all(store::Database& a, store::Database& b, Comparison& into) {
  std::vector<std::string> tables;
  store::Statement names(b,
                         "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%' AND "
                         "name<>'key_run' ORDER BY name");
  while (names.step()) tables.emplace_back(names.text(0));
  for (const auto& table : tables) compare_table(a, b, table, into);
}

}  // namespace

bronze::Seq rebuild(const std::filesystem::path& data, const std::filesystem::path& into, bronze::Seq through,
                    std::size_t records_a_flush, const Progress& progress, bronze::Seq* from) {
  bronze::LogReader log(data / "bronze");
  if (const bronze::Seq first = log.first_seq(); first > 1) {
    const auto fence = oldest_fence(data, first);
    if (!fence)
      throw core::Fault(
          core::Exit::kFailed,
          fmt::format("the log begins at record {} and no fence reaches it: restore from a backup", first));
    std::filesystem::copy_file(fence->file, into);
    if (from) *from = fence->seq + 1;
  }
  std::vector<std::string> names{""};
  for (const auto& producer : log.producers()) names.push_back(producer.name);
  EngineOptions options;
  options.database = into;
  options.is_scratch = true;
  options.producer_name = [&](std::int32_t id) {
    return static_cast<std::size_t>(id) < names.size() ? names[static_cast<std::size_t>(id)] : std::string();
  };
  Engine engine(options);
  bronze::Group group;
  std::size_t since_flush = 0;
  while (engine.applied_seq() < through && log.read_after(engine.applied_seq(), kReadRecords, group)) {
    std::span<const bronze::Record> left(group.records);
    if (left.back().seq > through) left = left.first(left.size() - static_cast<std::size_t>(left.back().seq - through));
    while (!left.empty()) {
      const std::size_t count = records_a_flush ? std::min(left.size(), records_a_flush - since_flush) : left.size();
      engine.apply_all(left.first(count));
      left = left.subspan(count);
      since_flush += count;
      if (since_flush != records_a_flush) continue;
      engine.flush();
      since_flush = 0;
    }
    if (progress.show) progress.show(engine.applied_seq(), through);
  }
  engine.flush();
  return engine.applied_seq();
}

void compare(const std::filesystem::path& a, const std::filesystem::path& b, Comparison& into) {
  auto left = store::Database::open_reader(a), right = store::Database::open_reader(b);
  compare_all(left, right, into);
}

Comparison verify(const std::filesystem::path& data, const std::filesystem::path& scratch, const Progress& progress) {
  Comparison found;
  auto live = store::Database::open_reader(data / "teller.db");
  live.execute("BEGIN");  // one state of the live database for the whole comparison
  found.through = live.integer("SELECT seq FROM cursor");
  const bronze::Seq reached = rebuild(data, scratch, found.through, kRecordsAFlush, progress, &found.from);
  found.records = reached - found.from + 1;
  if (reached != found.through)
    throw core::Fault(core::Exit::kDamaged,
                      fmt::format("teller.db is derived up to record {}, the log holds {}: the log has lost its end",
                                  found.through, reached));
  auto again = store::Database::open_reader(scratch);
  compare_all(live, again, found);
  return found;
}

}  // namespace tellerd::app
