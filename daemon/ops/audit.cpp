#include "ops/audit.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "core/log.h"
#include "core/time.h"
#include "ops/sessions.h"
#include "store/wal_file.h"

namespace tellerd::ops {
namespace {

constexpr std::string_view kHashBeforeTheFirst = "tellerd audit";
constexpr std::int64_t kSayHeadEvery = 3600 * core::kSecond, kFoldBytes = 1 << 20;
constexpr std::int64_t kFoldAnywayBytes = 6 * kFoldBytes, kLogBytes = 8 * kFoldBytes;  // laid out, with room to spare
constexpr std::string_view kColumns = "number, at_us, user, role, action, subjects, detail, result";

constexpr std::string_view kSchema = R"(
CREATE TABLE IF NOT EXISTS reading(
  number INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, user TEXT NOT NULL, role TEXT NOT NULL, action TEXT NOT NULL,
  subjects TEXT NOT NULL, detail TEXT NOT NULL, result TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS reading_is_never_changed BEFORE UPDATE ON reading BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER IF NOT EXISTS reading_is_never_removed BEFORE DELETE ON reading BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
)";

std::string chained(std::string_view before, const AuditRow& row) {
  const nlohmann::json said = {before,     row.number,   row.at_us,  row.user,  row.role,
                               row.action, row.subjects, row.detail, row.result};
  return sha256_hex(said.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

AuditRow row_of(const store::Statement& row) {
  return {row.integer(0),           row.integer(1),           std::string(row.text(2)), std::string(row.text(3)),
          std::string(row.text(4)), std::string(row.text(5)), std::string(row.text(6)), std::string(row.text(7))};
}

}  // namespace

Audit::Audit(const std::filesystem::path& file)
    : database_(store::Database::open_writer(file)), fold_above_(kFoldBytes) {
  database_.keep_statements();
  database_.execute(kSchema);
  store::lay_out_wal(file, kLogBytes);
  store::Statement last(database_, "SELECT number, hash FROM reading ORDER BY number DESC LIMIT 1");
  hash_ = kHashBeforeTheFirst;
  if (last.step()) {
    number_ = last.integer(0);
    hash_ = last.text(1);
  }
}

Audit::~Audit() {
  if (number_ > 0) say_head();
}

void Audit::say_head() {
  core::log(core::Level::kNotice, "audit", "the newest row of the audit log: " + std::to_string(number_) + " " + hash_);
}

std::string Audit::head() {
  const std::lock_guard lock(mutex_);
  return std::to_string(number_) + " " + hash_;
}

void Audit::append(AuditRow row) {
  const std::lock_guard lock(mutex_);
  row.number = number_ + 1;
  const std::string hash = chained(hash_, row);
  store::Statement insert(database_, "INSERT INTO reading VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert.bind_all(row.number, row.at_us, std::string_view(row.user), std::string_view(row.role),
                  std::string_view(row.action), std::string_view(row.subjects), std::string_view(row.detail),
                  std::string_view(row.result), std::string_view(hash));
  insert.run();
  number_ = row.number;
  hash_ = hash;
  if (row.at_us - said_us_ < kSayHeadEvery) return;
  said_us_ = row.at_us;
  say_head();
}

void Audit::fold() {
  const std::lock_guard lock(mutex_);
  const bool is_quiet = looked_at_ == number_;
  looked_at_ = number_;
  if (database_.unfolded_bytes() <= (is_quiet ? fold_above_ : std::max(fold_above_, kFoldAnywayBytes))) return;
  fold_above_ += kFoldBytes;  // one that fails is tried again after as many rows
  if (database_.checkpoint(false)) fold_above_ = kFoldBytes;
}

std::string Audit::rows_json(std::int64_t subject, int limit, std::int64_t before_number) {
  const std::lock_guard lock(mutex_);
  store::Statement rows(database_, "SELECT " + std::string(kColumns) +
                                       " FROM reading WHERE number < ?1 AND (?2 = 0 OR ' ' || subjects || ' ' LIKE ?3) "
                                       "ORDER BY number DESC LIMIT ?4");
  const std::string like = "% " + std::to_string(subject) + " %";
  rows.bind_all(before_number, subject, std::string_view(like), std::int64_t{limit});
  nlohmann::ordered_json found = nlohmann::ordered_json::array();
  while (rows.step()) {
    const AuditRow row = row_of(rows);
    found.push_back({{"number", row.number},
                     {"at_us", row.at_us},
                     {"user", row.user},
                     {"role", row.role},
                     {"action", row.action},
                     {"subjects", row.subjects},
                     {"detail", row.detail},
                     {"result", row.result}});
  }
  return found.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<std::int64_t> Audit::first_broken(const std::filesystem::path& file) {
  auto database = store::Database::open_reader(file);
  store::Statement rows(database, "SELECT " + std::string(kColumns) + ", hash FROM reading ORDER BY number");
  std::string hash(kHashBeforeTheFirst);
  for (std::int64_t number = 1; rows.step(); ++number) {
    const AuditRow row = row_of(rows);
    hash = chained(hash, row);
    if (row.number != number || rows.text(8) != hash) return row.number;
  }
  return std::nullopt;
}

}  // namespace tellerd::ops
