// A disk that loses power, as an SQLite VFS over the operating system's and beneath all layers of ours: what a sync has
// made durable is known for each file, and so is what only the page cache holds. At the chosen operation the process
// ends, and what a disk might then hold is written elsewhere: of the unsynced writes each is there, missing or torn at
// a sector, a file that was never synced may be missing, and a deletion may not have happened. The same disk can also
// be full. Names and order of other files are kept. Neither armed nor full it only passes on. Threads: of its
// files any; the rest is one thread's. A cut is armed in a process of its own.
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

void lay_disk();               // before any file is opened: from then on it is SQLite's own VFS
void arm_cut(const Cut& cut);  // no file may be open
long disk_operations();        // since arm_cut()
void fail_next_sync();         // once, as a system tells it

// That operation finds no room if it is a write, and for good also each later one. Nothing is synced meanwhile.
class FullDisk {
 public:
  FullDisk(long at, bool for_good);
  ~FullDisk();
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  void make_room();
};

}  // namespace tellerd::tests
