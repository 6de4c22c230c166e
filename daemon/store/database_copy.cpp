#include "store/database_copy.h"

#include <sqlite3.h>

#include <utility>

#include "core/assert.h"

namespace tellerd::store {

DatabaseCopy::DatabaseCopy(Database& source, const std::filesystem::path& into)
    : into_(Database::open_unsafe(into)),
      backup_(sqlite3_backup_init(into_.handle(), "main", source.handle(), "main")) {
  if (!backup_) into_.fail("begin a copy");
}

DatabaseCopy::~DatabaseCopy() { sqlite3_backup_finish(backup_); }

bool DatabaseCopy::go_on(int pages_max) {
  TELLERD_ASSERT(backup_ != nullptr);
  const int code = sqlite3_backup_step(backup_, pages_max);
  if (code == SQLITE_OK) return false;
  const int ended = sqlite3_backup_finish(std::exchange(backup_, nullptr));
  if (code != SQLITE_DONE || ended != SQLITE_OK) into_.fail("copy");
  return true;
}

}  // namespace tellerd::store
