// A copy of a database as it stands at one moment, made bit by bit by the connection that writes it: no reader holds
// the write-ahead log meanwhile, and what is committed between two bits goes into the copy too.
// Not synced to disk: a copy that a crash has cut short is thrown away. Errors: core::Fault; the source is as it was.
#pragma once
#include "store/database.h"

struct sqlite3_backup;

namespace tellerd::store {

class DatabaseCopy {
 public:
  DatabaseCopy(Database& source, const std::filesystem::path& into);  // a new file; the source outlives this
  ~DatabaseCopy();  // before the end: what is in the file is no database
  DatabaseCopy(const DatabaseCopy&) = delete;
  DatabaseCopy& operator=(const DatabaseCopy&) = delete;
  // At most so many pages more, outside of a transaction of the source; true: the file holds the source as of now.
  bool go_on(int pages_max);

 private:
  Database into_;
  sqlite3_backup* backup_ = nullptr;
};

}  // namespace tellerd::store
