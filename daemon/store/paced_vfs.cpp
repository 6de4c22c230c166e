#include "store/paced_vfs.h"

#include <sqlite3.h>

#include <atomic>

#include "store/database.h"

namespace tellerd::store {
namespace {

constexpr int kSetPace = 0x7e11e4;  // a file control of ours

// What SQLite holds of an open file: our part, and behind it the one below.
struct Paced : sqlite3_file {
  bool is_paced;
  int unsynced_bytes, unsynced_bytes_max;
  sqlite3_file* real() noexcept { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
static_assert(sizeof(Paced) % alignof(sqlite3_int64) == 0);  // so much SQLite itself keeps to

sqlite3_vfs* below = nullptr;
std::atomic<std::uint64_t> syncs_ahead{0};
Paced* ours(sqlite3_file* file) { return static_cast<Paced*>(file); }
sqlite3_file* real(sqlite3_file* file) { return ours(file)->real(); }

int sync(sqlite3_file* file, int flags) {
  ours(file)->unsynced_bytes = 0;
  return real(file)->pMethods->xSync(real(file), flags);
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
  const int code = real(file)->pMethods->xWrite(real(file), bytes, count, at);
  if (code != SQLITE_OK || !ours(file)->is_paced) return code;
  ours(file)->unsynced_bytes += count;
  if (ours(file)->unsynced_bytes < ours(file)->unsynced_bytes_max) return code;
  syncs_ahead.fetch_add(1, std::memory_order_relaxed);
  return sync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

int control(sqlite3_file* file, int operation, void* argument) {
  if (operation != kSetPace) return real(file)->pMethods->xFileControl(real(file), operation, argument);
  ours(file)->unsynced_bytes_max = *static_cast<const int*>(argument);
  return SQLITE_OK;
}

const sqlite3_io_methods kMethods = {
    2,
    [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); },
    [](sqlite3_file* f, void* b, int n, sqlite3_int64 o) { return real(f)->pMethods->xRead(real(f), b, n, o); },
    write,
    [](sqlite3_file* f, sqlite3_int64 n) { return real(f)->pMethods->xTruncate(real(f), n); },
    sync,
    [](sqlite3_file* f, sqlite3_int64* n) { return real(f)->pMethods->xFileSize(real(f), n); },
    [](sqlite3_file* f, int l) { return real(f)->pMethods->xLock(real(f), l); },
    [](sqlite3_file* f, int l) { return real(f)->pMethods->xUnlock(real(f), l); },
    [](sqlite3_file* f, int* r) { return real(f)->pMethods->xCheckReservedLock(real(f), r); },
    control,
    [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); },
    [](sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); },
    [](sqlite3_file* f, int r, int s, int e, void volatile** p) {
      return real(f)->pMethods->xShmMap(real(f), r, s, e, p);
    },
    [](sqlite3_file* f, int o, int n, int l) { return real(f)->pMethods->xShmLock(real(f), o, n, l); },
    [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); },
    [](sqlite3_file* f, int d) { return real(f)->pMethods->xShmUnmap(real(f), d); },
    nullptr,
    nullptr};

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  Paced* paced = ours(file);
  paced->pMethods = nullptr;  // a failed open is not closed
  paced->is_paced = (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
  paced->unsynced_bytes = 0;
  paced->unsynced_bytes_max = kPaceOfCalm;
  const int code = below->xOpen(below, name, paced->real(), flags, out);
  if (code == SQLITE_OK) paced->pMethods = &kMethods;
  return code;
}

}  // namespace

const char* paced_vfs() {
  static const char* const name = [] {
    static sqlite3_vfs shim;
    below = sqlite3_vfs_find(nullptr);
    shim = *below;
    shim.zName = "tellerd-paced";
    shim.szOsFile = static_cast<int>(sizeof(Paced)) + below->szOsFile;
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
