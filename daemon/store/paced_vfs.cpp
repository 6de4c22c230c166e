#include "store/paced_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <future>

#include "store/database.h"
#include "store/lending.h"
#include "store/vfs_layer.h"

namespace tellerd::store {
namespace {

constexpr int kSetPace = 0x7e11e4;  // a file control of ours
constexpr int kJoinedBytesMax = 64 << 10;

// In a write-ahead log each page has a header of so many bytes before it, and one that ends a transaction says the size
// of the database there (SQLite's file format, 4.1 and 4.2).
constexpr int kHeaderBytes = 24, kSizeAt = 4, kSizeBytes = 4;

// The file below lies behind it.
struct Paced : LayeredFile {
  bool is_paced, is_synced, was_synced;  // nothing has been written since a sync of ours; there was one
  bool is_log, is_commit_next;
  int unsynced_bytes, unsynced_bytes_max;
  int waiting_bytes;  // in `waiting`, for `waiting_at` of the file
  sqlite3_int64 waiting_at;
  char* waiting;
  std::future<int>* ahead;  // valid: of what is being synced by another thread
};
static_assert(sizeof(Paced) % alignof(sqlite3_int64) == 0);  // so much SQLite itself keeps to

sqlite3_vfs* system_files = nullptr;
std::atomic<std::uint64_t> syncs_ahead{0}, syncs_saved{0};
Paced* ours(sqlite3_file* file) { return static_cast<Paced*>(file); }

// What finds no room goes on waiting, ahead of all that comes later: SQLite has been told that it is written, and may
// go on with the transaction after a statement that failed.
int write_waiting(Paced& file) {
  if (file.waiting_bytes == 0) return SQLITE_OK;
  const int code = below(&file)->pMethods->xWrite(below(&file), file.waiting, file.waiting_bytes, file.waiting_at);
  if (code == SQLITE_OK) file.waiting_bytes = 0;
  return code;
}

bool has_buffer(Paced& file) {
  if (!file.waiting) file.waiting = static_cast<char*>(sqlite3_malloc(kJoinedBytesMax));
  return file.waiting != nullptr;
}

bool is_commit(const char* header) {
  return std::any_of(header + kSizeAt, header + kSizeAt + kSizeBytes, [](char byte) { return byte != 0; });
}

int join(Paced& file, const char* bytes, int count, sqlite3_int64 at) {
  const bool follows = at == file.waiting_at + file.waiting_bytes && file.waiting_bytes + count <= kJoinedBytesMax;
  if (!follows)
    if (const int code = write_waiting(file); code != SQLITE_OK) return code;
  if (count > kJoinedBytesMax || !has_buffer(file))
    return below(&file)->pMethods->xWrite(below(&file), bytes, count, at);
  if (file.waiting_bytes == 0) file.waiting_at = at;
  std::memcpy(file.waiting + file.waiting_bytes, bytes, static_cast<std::size_t>(count));
  file.waiting_bytes += count;
  const bool ends_commit = file.is_commit_next;
  file.is_commit_next = count == kHeaderBytes && is_commit(bytes);
  return ends_commit ? write_waiting(file) : SQLITE_OK;
}

// Whoever syncs next answers for it: the system tells a failure only once.
int end_ahead(Paced& file) { return file.ahead && file.ahead->valid() ? file.ahead->get() : SQLITE_OK; }

int sync(sqlite3_file* file, int flags) {
  if (ours(file)->is_synced) {
    syncs_saved.fetch_add(1, std::memory_order_relaxed);
    return SQLITE_OK;
  }
  if (const int code = write_waiting(*ours(file)); code != SQLITE_OK) return code;
  if (const int code = end_ahead(*ours(file)); code != SQLITE_OK) return code;
  ours(file)->unsynced_bytes = 0;
  const int code = below(file)->pMethods->xSync(below(file), flags);
  ours(file)->is_synced = code == SQLITE_OK;
  ours(file)->was_synced |= ours(file)->is_synced;
  return code;
}

// In a burst, while the next bytes are written, which wait when these are not through by then; in a calm the wait is
// what leaves the disk to others. Not a file's first sync, which is its folder's, too.
int sync_ahead(sqlite3_file* file) {
  constexpr int kFlags = SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY;
  syncs_ahead.fetch_add(1, std::memory_order_relaxed);
  if (!ours(file)->was_synced || ours(file)->unsynced_bytes_max < kPaceOfBurst) return sync(file, kFlags);
  if (const int code = write_waiting(*ours(file)); code != SQLITE_OK) return code;
  if (const int code = end_ahead(*ours(file)); code != SQLITE_OK) return code;
  ours(file)->unsynced_bytes = 0;
  try {
    if (!ours(file)->ahead) ours(file)->ahead = new std::future<int>;
    *ours(file)->ahead =
        std::async(std::launch::async, [file] { return below(file)->pMethods->xSync(below(file), kFlags); });
    return SQLITE_OK;
  } catch (const std::exception&) {  // no thread is to be had
    return sync(file, kFlags);
  }
}

int read(sqlite3_file* file, void* to, int count, sqlite3_int64 at) {
  const Paced& known = *ours(file);
  if (at < known.waiting_at + known.waiting_bytes && known.waiting_at < at + count)
    if (const int code = write_waiting(*ours(file)); code != SQLITE_OK) return code;
  return below(file)->pMethods->xRead(below(file), to, count, at);
}

int size(sqlite3_file* file, sqlite3_int64* bytes) {
  const int code = below(file)->pMethods->xFileSize(below(file), bytes);
  if (ours(file)->waiting_bytes > 0) *bytes = std::max(*bytes, ours(file)->waiting_at + ours(file)->waiting_bytes);
  return code;
}

int truncate(sqlite3_file* file, sqlite3_int64 bytes) {
  ours(file)->is_synced = false;
  if (bytes <= ours(file)->waiting_at) ours(file)->waiting_bytes = 0;
  if (const int code = write_waiting(*ours(file)); code != SQLITE_OK) return code;
  return below(file)->pMethods->xTruncate(below(file), bytes);
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
  ours(file)->is_synced = false;
  const int code = ours(file)->is_log ? join(*ours(file), static_cast<const char*>(bytes), count, at)
                                      : below(file)->pMethods->xWrite(below(file), bytes, count, at);
  if (code != SQLITE_OK || !ours(file)->is_paced) return code;
  Lending::pause_when_due();
  ours(file)->unsynced_bytes += count;
  if (ours(file)->unsynced_bytes < ours(file)->unsynced_bytes_max) return code;
  return sync_ahead(file);
}

// What waits is of a transaction that failed.
int close(sqlite3_file* file) {
  sqlite3_free(ours(file)->waiting);
  const int left = end_ahead(*ours(file));
  delete ours(file)->ahead;
  const int code = below(file)->pMethods->xClose(below(file));
  return left != SQLITE_OK ? left : code;
}

int control(sqlite3_file* file, int operation, void* argument) {
  if (operation == SQLITE_FCNTL_SYNC)  // also where no sync follows, as in a copy
    if (const int code = write_waiting(*ours(file)); code != SQLITE_OK) return code;
  if (operation != kSetPace) return below(file)->pMethods->xFileControl(below(file), operation, argument);
  ours(file)->unsynced_bytes_max = *static_cast<const int*>(argument);
  return SQLITE_OK;
}

const sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods methods = passed_on();
  methods.xClose = close;
  methods.xRead = read;
  methods.xFileSize = size;
  methods.xWrite = write;
  methods.xTruncate = truncate;
  methods.xSync = sync;
  methods.xFileControl = control;
  return methods;
}();

int open_unpaced(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  Paced* opened = ours(file);
  *opened =
      {};  // without methods: a failed open is not closed; unsynced: what a process before this one has left may be
  opened->below = reinterpret_cast<sqlite3_file*>(opened + 1);
  opened->is_log = (flags & SQLITE_OPEN_WAL) != 0;
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
