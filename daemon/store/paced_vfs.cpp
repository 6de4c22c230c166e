#include "store/paced_vfs.h"

#include <sqlite3.h>

#include <atomic>

#include "store/database.h"
#include "store/lending.h"
#include "store/vfs_layer.h"

namespace tellerd::store {
namespace {

constexpr int kSetPace = 0x7e11e4;  // a file control of ours

// The file below lies behind it.
struct Paced : LayeredFile {
  bool is_paced, is_synced;  // the second: nothing has been written since a sync of ours
  int unsynced_bytes, unsynced_bytes_max;
};
static_assert(sizeof(Paced) % alignof(sqlite3_int64) == 0);  // so much SQLite itself keeps to

sqlite3_vfs* system_files = nullptr;
std::atomic<std::uint64_t> syncs_ahead{0}, syncs_saved{0};
Paced* ours(sqlite3_file* file) { return static_cast<Paced*>(file); }

int sync(sqlite3_file* file, int flags) {
  if (ours(file)->is_synced) {
    syncs_saved.fetch_add(1, std::memory_order_relaxed);
    return SQLITE_OK;
  }
  ours(file)->unsynced_bytes = 0;
  const int code = below(file)->pMethods->xSync(below(file), flags);
  ours(file)->is_synced = code == SQLITE_OK;
  return code;
}

int truncate(sqlite3_file* file, sqlite3_int64 bytes) {
  ours(file)->is_synced = false;
  return below(file)->pMethods->xTruncate(below(file), bytes);
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
  ours(file)->is_synced = false;
  const int code = below(file)->pMethods->xWrite(below(file), bytes, count, at);
  if (code != SQLITE_OK || !ours(file)->is_paced) return code;
  Lending::pause_when_due();
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
  methods.xTruncate = truncate;
  methods.xSync = sync;
  methods.xFileControl = control;
  return methods;
}();

int open_unpaced(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  Paced* opened = ours(file);
  opened->pMethods = nullptr;  // a failed open is not closed
  opened->is_paced = false;
  opened->is_synced = false;  // what a process before this one has left may not be on the disk
  opened->below = reinterpret_cast<sqlite3_file*>(opened + 1);
  opened->unsynced_bytes = 0;
  opened->unsynced_bytes_max = kPaceOfCalm;
  const int code = system_files->xOpen(system_files, name, opened->below, flags, out);
  if (code == SQLITE_OK) opened->pMethods = &kMethods;
  return code;
}

int open_paced(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
  const int code = open_unpaced(vfs, name, file, flags, out);
  ours(file)->is_paced = (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
  return code;
}

const char* register_vfs(sqlite3_vfs& shim, const char* name, decltype(sqlite3_vfs::xOpen) open) {
  system_files = sqlite3_vfs_find(nullptr);
  shim = *system_files;
  shim.zName = name;
  shim.szOsFile = static_cast<int>(sizeof(Paced)) + system_files->szOsFile;
  shim.xOpen = open;
  sqlite3_vfs_register(&shim, 0);
  return name;
}

}  // namespace

const char* paced_vfs() {
  static sqlite3_vfs shim;
  static const char* const name = register_vfs(shim, "tellerd-paced", open_paced);
  return name;
}

const char* files_vfs() {
  static sqlite3_vfs shim;
  static const char* const name = register_vfs(shim, "tellerd-files", open_unpaced);
  return name;
}

void set_pace(Database& database, int bytes_max) {
  sqlite3_file* log = nullptr;  // another VFS does not know ours, and says so
  sqlite3_file_control(database.handle(), "main", kSetPace, &bytes_max);
  sqlite3_file_control(database.handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log && log->pMethods == &kMethods) control(log, kSetPace, &bytes_max);
}

std::uint64_t paced_syncs() noexcept { return syncs_ahead.load(std::memory_order_relaxed); }
std::uint64_t saved_syncs() noexcept { return syncs_saved.load(std::memory_order_relaxed); }

}  // namespace tellerd::store
