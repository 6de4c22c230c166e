// Who read what: DATA/audit.db, append only (triggers forbid UPDATE and DELETE), each row bound to the one before by
// hash = SHA-256(hash before, row). A row names customers by internal number, never by name or key.
// Whoever can write the file can also drop the triggers and hash again, so the newest hash goes to the journal each
// hour and at the end: a log that was rewritten does not lead to it. A row is on disk when append() returns. Errors:
// store faults; nothing is shown that could not be written down. Threads: any. The only writer of its file.
#pragma once
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "store/database.h"

namespace tellerd::ops {

struct AuditRow {
  std::int64_t number = 0, at_us = 0;
  std::string user, role, action, subjects, detail, result;
};

class Audit {
 public:
  explicit Audit(const std::filesystem::path& file);
  ~Audit();  // says the newest hash

  void append(AuditRow row);  // its number is given here
  // Folds the write-ahead log once it is large. Now and then, by nobody who answers, and while nobody has since the
  // last time, for as long as there is room: a fold syncs twice, and who has read meanwhile waits for it. The file is
  // laid out at the start, written over and not cut, so that a row's sync need not wait for the file to grow.
  void fold();
  // The newest first; `subject` 0 is every row, else those that name this customer.
  std::string rows_json(std::int64_t subject, int limit, std::int64_t before_number);

  // The first row that does not follow from the one before, or nothing.
  static std::optional<std::int64_t> first_broken(const std::filesystem::path& file);
  std::string head();  // "number hash"

 private:
  void say_head();

  std::mutex mutex_;
  store::Database database_;
  std::int64_t number_ = 0, said_us_ = 0, fold_above_, looked_at_ = 0;
  std::string hash_;
};

}  // namespace tellerd::ops
