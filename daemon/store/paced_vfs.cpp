#include "store/paced_vfs.h"

#include <sqlite3.h>

#include <atomic>

#include "store/database.h"
#include "store/vfs_layer.h"

namespace tellerd::store {
namespace {

constexpr int kSetPace = 0x7e11e4;  // a file control of ours

// The file below lies behind it.
struct Paced : LayeredFile {
  bool is_paced;
  int unsynced_bytes, unsynced_bytes_max;
};
static_assert(sizeof(Paced) % alignof(sqlite3_int64) == 0);  // so much SQLite itself keeps to

sqlite3_vfs* system_files = nullptr;
std::atomic<std::uint64_t> syncs_ahead{0};
Paced* ours(sqlite3_file* file) { return static_cast<Paced*>(file); }

int sync(sqlite3_file* file, int flags) {
  ours(file)->unsynced_bytes = 0;
  return below(file)->pMethods->xSync(below(file), flags);
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
  const int code = below(file)->pMethods->xWrite(below(file), bytes, count, at);
  if (code != SQLITE_OK || !ours(file)->is_paced) return code;
  ours(file)->unsynced_bytes += count;
  if (ours(file)->unsynced_bytes < ours(file)->unsynced_bytes_max) return code;
  syncs_ahead.fetch_add(1, std::memory_order_relaxed);
  return sync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

int control(sqlite3_file* file, int operation, void* argument) {
  if (operation != kSetPace) return below(file)->pMethods->xFileControl(below(file), operation, argument);
  ours(file)->unsynced_bytes_max = *static_cast<const int*>(argument);
  return SQLITE_OK;
}

const sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods methods = passed_on();
  methods.xWrite = write;
  methods.xSync = sync;
  methods.xFileControl = control;
  return methods;
}();

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  Paced* paced = ours(file);
  paced->pMethods = nullptr;  // a failed open is not closed
  paced->is_paced = (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
  paced->below = reinterpret_cast<sqlite3_file*>(paced + 1);
  paced->unsynced_bytes = 0;
  paced->unsynced_bytes_max = kPaceOfCalm;
  const int code = system_files->xOpen(system_files, name, paced->below, flags, out);
  if (code == SQLITE_OK) paced->pMethods = &kMethods;
  return code;
}

}  // namespace

const char* paced_vfs() {
  static const char* const name = [] {
    static sqlite3_vfs shim;
    system_files = sqlite3_vfs_find(nullptr);
    shim = *system_files;
    shim.zName = "tellerd-paced";
    shim.szOsFile = static_cast<int>(sizeof(Paced)) + system_files->szOsFile;
    shim.xOpen = open;
    sqlite3_vfs_register(&shim, 0);
    return shim.zName;
  }();
  return name;
}

void set_pace(Database& database, int bytes_max) {
  sqlite3_file* log = nullptr;  // another VFS does not know ours, and says so
  sqlite3_file_control(database.handle(), "main", kSetPace, &bytes_max);
  sqlite3_file_control(database.handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log && log->pMethods == &kMethods) control(log, kSetPace, &bytes_max);
}

std::uint64_t paced_syncs() noexcept { return syncs_ahead.load(std::memory_order_relaxed); }

}  // namespace tellerd::store
