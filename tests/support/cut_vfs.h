// A disk that loses power, as an SQLite VFS over the operating system's: what a sync has made durable is known for each
// file, and so is what only the page cache holds. At the chosen operation the process ends, and what a disk might then
// hold is written elsewhere: of the unsynced writes each is there, missing or torn at a sector, a file that was never
// synced may be missing, and a deletion may not have happened. The same disk can also be full.
// Names and order of other files are kept. Threads: one; a cut is armed in a process of its own.
#pragma once
#include <filesystem>

namespace tellerd::tests {

inline constexpr int kPowerGone = 42;  // exit code of a process whose power went

// The operation that ends it (writes, truncations, syncs and deletions count from 1), and where the remains go. Files
// under `disk` are laid out alike under `remains`.
struct Cut {
  long at = 0;  // 0: never
  unsigned seed = 0;
  std::filesystem::path disk, remains;
};

const char* cut_vfs();                   // registered at the first call; hand it to LogOptions.vfs
void arm_cut(const Cut& cut);            // counts from 0 again; no file may be open
void fill_disk(long at, bool for_good);  // that write finds no room, and for good also each later one
void empty_disk();                       // there is room again
long disk_operations();                  // since the start or the last arm_cut()

}  // namespace tellerd::tests
