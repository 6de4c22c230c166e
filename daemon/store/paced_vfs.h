// The operating system's files for SQLite, synced while they are written: what waits for the disk stays small, so that
// the log's commit, which shares the disk, is not held up by a large flush or fold of somebody else. In a burst another
// thread does that while the next bytes are written: an engine that reads a row may have to make room for it in
// SQLite's cache, and would stand still for a sync. What it fails at is told by the next write or sync. A sync of a
// file that this handle alone writes and has synced since goes no further: each fold begins with one of the log that
// its last commit has synced, and to the disk a sync of nothing is as dear as one of a page. Writes that follow one
// another in a write-ahead log are joined to one call of the system, up to 64 KiB: SQLite makes two of a page and its
// header, and a call may cost as much as what it copies. They wait until a sync, a reading of them or the page that
// ends a transaction; nobody looks for them before, as SQLite shows others pages of a log once their transaction has
// ended. (Those of a database it shows when a part of a log is folded, and says so to nobody who could fail: they are
// not joined.) What finds no room on the disk is told to whoever writes next, and goes on waiting. Source: a disk takes
// what it is given in turn; 30 MiB that are synced at once are 20 ms in which a commit waits. Threads: as SQLite's own.
#pragma once
#include <cstdint>

namespace tellerd::store {

class Database;

// Their names for sqlite3_open_v2; registered at the first call, after SQLite is started.
const char* paced_vfs();
const char* files_vfs();  // synced when SQLite asks for it, but for what is synced already
// So many bytes of a writer that is paced wait unsynced, of its file and of its log each. From its owner, while it is
// not lent. Of another writer: without effect.
void set_pace(Database& database, int bytes_max);
inline constexpr int kPaceOfCalm = 1 << 20, kPaceOfBurst = 16 << 20;  // in a burst it is throughput that counts
std::uint64_t paced_syncs() noexcept;  // of the process so far, ahead of those that SQLite asked for
std::uint64_t saved_syncs() noexcept;  // that SQLite asked for, of what was synced

}  // namespace tellerd::store
