#include "store/stepped_fold.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include <chrono>

#include "core/fault.h"

namespace tellerd::store {
namespace {

// Through SQLite's own handle: to close another one of the same file would drop the locks that this process has on it.
int sync_file(Database& reader) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(reader.handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

}  // namespace

SteppedFold::~SteppedFold() {
  if (syncing_.valid()) syncing_.wait();
}

bool SteppedFold::is_syncing() const {
  return syncing_.valid() && syncing_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

void SteppedFold::mark() {
  if (!reader_) reader_.emplace(Database::open_reader(writer_.file()));
  reader_->execute("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1");
}

void SteppedFold::leave() {
  const int code = syncing_.valid() ? syncing_.get() : SQLITE_OK;
  if (reader_ && reader_->is_in_transaction()) reader_->execute("ROLLBACK");
  if (code != SQLITE_OK)
    throw core::Fault(core::Exit::kDisk,
                      fmt::format("{}: {} ({}) while syncing it", writer_.file().string(), sqlite3_errstr(code), code));
}

SteppedFold::Step SteppedFold::go_on() {
  if (is_syncing()) return Step::kNone;
  if (syncing_.valid()) leave();
  if (!reader_ || !reader_->is_in_transaction()) {
    mark();
    return Step::kNone;
  }
  if (writer_.checkpoint(false)) {
    leave();
    return Step::kAll;
  }
  syncing_ = std::async(std::launch::async, [this] { return sync_file(*reader_); });
  return Step::kBit;
}

bool SteppedFold::finish() {
  leave();
  return writer_.checkpoint(false);
}

}  // namespace tellerd::store
