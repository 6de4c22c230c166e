// A layer of ours over the operating system's files as SQLite sees them: what it does not do itself goes to the file
// below. For this room and for tests of what a disk may do. Threads: as SQLite's own.
#pragma once
#include <sqlite3.h>

namespace tellerd::store {

// The front of what SQLite holds of an open file; a layer's own part follows.
struct LayeredFile : sqlite3_file {
  sqlite3_file* below = nullptr;
};
inline sqlite3_file* below(sqlite3_file* file) noexcept { return static_cast<LayeredFile*>(file)->below; }

// Every method passed on, but those of memory maps, which this house does not use.
inline sqlite3_io_methods passed_on() noexcept {
  sqlite3_io_methods methods{};
  methods.iVersion = 2;
  methods.xClose = [](sqlite3_file* f) { return below(f)->pMethods->xClose(below(f)); };
  methods.xRead = [](sqlite3_file* f, void* to, int count, sqlite3_int64 at) {
    return below(f)->pMethods->xRead(below(f), to, count, at);
  };
  methods.xWrite = [](sqlite3_file* f, const void* bytes, int count, sqlite3_int64 at) {
    return below(f)->pMethods->xWrite(below(f), bytes, count, at);
  };
  methods.xTruncate = [](sqlite3_file* f, sqlite3_int64 bytes) {
    return below(f)->pMethods->xTruncate(below(f), bytes);
  };
  methods.xSync = [](sqlite3_file* f, int flags) { return below(f)->pMethods->xSync(below(f), flags); };
  methods.xFileSize = [](sqlite3_file* f, sqlite3_int64* bytes) {
    return below(f)->pMethods->xFileSize(below(f), bytes);
  };
  methods.xLock = [](sqlite3_file* f, int level) { return below(f)->pMethods->xLock(below(f), level); };
  methods.xUnlock = [](sqlite3_file* f, int level) { return below(f)->pMethods->xUnlock(below(f), level); };
  methods.xCheckReservedLock = [](sqlite3_file* f, int* found) {
    return below(f)->pMethods->xCheckReservedLock(below(f), found);
  };
  methods.xFileControl = [](sqlite3_file* f, int operation, void* argument) {
    return below(f)->pMethods->xFileControl(below(f), operation, argument);
  };
  methods.xSectorSize = [](sqlite3_file* f) { return below(f)->pMethods->xSectorSize(below(f)); };
  methods.xDeviceCharacteristics = [](sqlite3_file* f) { return below(f)->pMethods->xDeviceCharacteristics(below(f)); };
  methods.xShmMap = [](sqlite3_file* f, int region, int bytes, int may_grow, void volatile** to) {
    return below(f)->pMethods->xShmMap(below(f), region, bytes, may_grow, to);
  };
  methods.xShmLock = [](sqlite3_file* f, int first, int count, int flags) {
    return below(f)->pMethods->xShmLock(below(f), first, count, flags);
  };
  methods.xShmBarrier = [](sqlite3_file* f) { below(f)->pMethods->xShmBarrier(below(f)); };
  methods.xShmUnmap = [](sqlite3_file* f, int is_deleting) {
    return below(f)->pMethods->xShmUnmap(below(f), is_deleting);
  };
  return methods;
}

}  // namespace tellerd::store
