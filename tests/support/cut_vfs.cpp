#include "support/cut_vfs.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <new>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "store/database.h"
#include "store/vfs_layer.h"

namespace tellerd::tests {
namespace {

constexpr std::int64_t kSectorBytes = 512;

struct Write {
  std::int64_t at = 0;
  std::string bytes;
  bool is_truncation = false;
};

struct OnDisk {
  std::string durable;
  std::vector<Write> pending;
  bool was_synced = false;
};

sqlite3_vfs* system_files = nullptr;
std::map<std::string, OnDisk> files, deleted;
Cut armed;
long operations = 0, full_from = 0;
std::atomic<bool> is_next_sync_failing{false};
bool is_armed = false, is_counted = false, is_full_for_good = false;
std::mutex mutex;  // a disk does one thing after the other

void put_down(std::string& to, const Write& write) {
  const auto at = static_cast<std::size_t>(write.at);
  if (write.is_truncation) return to.resize(at);
  to.resize(std::max(to.size(), at + write.bytes.size()));
  std::memcpy(to.data() + at, write.bytes.data(), write.bytes.size());
}

// A write of several sectors that ends in one of them.
Write torn(const Write& write, std::mt19937& random) {
  Write part = write;
  const auto bytes = static_cast<std::int64_t>(write.bytes.size());
  const std::int64_t sectors = (write.at + bytes + kSectorBytes - 1) / kSectorBytes - write.at / kSectorBytes;
  const std::int64_t end =
      (write.at / kSectorBytes + static_cast<std::int64_t>(random() % static_cast<unsigned>(sectors + 1))) *
      kSectorBytes;
  part.bytes.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(end - write.at, 0, bytes)));
  return part;
}

void leave(const std::string& name, const OnDisk& file, std::mt19937& random) {
  std::string bytes = file.durable;
  const unsigned mood = random() % 4;  // all of it, nothing, or each write by itself
  for (const auto& write : file.pending) {
    const unsigned fate = mood == 0 ? 0 : mood == 1 ? 1 : random() % 3;
    if (fate == 0) put_down(bytes, write);
    if (fate == 2 && write.is_truncation) put_down(bytes, write);
    if (fate == 2 && !write.is_truncation) put_down(bytes, torn(write, random));
  }
  if (!file.was_synced && random() % 2) return;
  const auto to = armed.remains / std::filesystem::relative(name, armed.disk);
  std::filesystem::create_directories(to.parent_path());
  std::ofstream(to, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

[[noreturn]] void lose_power() {
  std::mt19937 random(armed.seed);
  for (const auto& [name, file] : files) leave(name, file, random);
  for (const auto& [name, file] : deleted)
    if (!files.count(name) && file.was_synced && random() % 2) leave(name, file, random);
  ::_exit(kPowerGone);
}

void count_operation() {
  if (is_counted && ++operations == armed.at) lose_power();
}

bool finds_no_room() {
  return full_from != 0 && (is_full_for_good ? operations >= full_from : operations == full_from);
}

struct Handle : store::LayeredFile {
  OnDisk* kept;  // null for files that are not worth keeping
};

Handle* ours(sqlite3_file* file) { return static_cast<Handle*>(file); }

int close(sqlite3_file* file) {
  const int code = store::below(file)->pMethods->xClose(store::below(file));
  std::free(store::below(file));
  return code;
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
  const std::lock_guard guard(mutex);
  count_operation();
  if (finds_no_room()) return SQLITE_FULL;
  if (auto* kept = ours(file)->kept)
    kept->pending.push_back({at, std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(count))});
  return store::below(file)->pMethods->xWrite(store::below(file), bytes, count, at);
}

int truncate(sqlite3_file* file, sqlite3_int64 bytes) {
  const std::lock_guard guard(mutex);
  count_operation();
  if (auto* kept = ours(file)->kept) kept->pending.push_back({bytes, {}, true});
  return store::below(file)->pMethods->xTruncate(store::below(file), bytes);
}

int sync(sqlite3_file* file, int flags) {
  if (is_next_sync_failing.exchange(false)) return SQLITE_IOERR_FSYNC;
  if (!is_counted) return store::below(file)->pMethods->xSync(store::below(file), flags);
  const std::lock_guard guard(mutex);
  count_operation();  // the real sync is left out: only the bookkeeping counts
  if (auto* kept = ours(file)->kept) {
    for (const auto& write : kept->pending) put_down(kept->durable, write);
    kept->pending.clear();
    kept->was_synced = true;
  }
  return SQLITE_OK;
}

const sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods methods = store::passed_on();
  methods.xClose = close;
  methods.xWrite = write;
  methods.xTruncate = truncate;
  methods.xSync = sync;
  return methods;
}();

bool is_to_lose(const char* name, int flags) {
  constexpr int kWorthKeeping = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
  return is_armed && (flags & kWorthKeeping) && name && std::string_view(name).starts_with(armed.disk.native());
}

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  Handle* handle = ours(file);
  handle->pMethods = nullptr;
  handle->below = static_cast<sqlite3_file*>(std::calloc(1, static_cast<std::size_t>(system_files->szOsFile)));
  const int code = system_files->xOpen(system_files, name, handle->below, flags, out);
  if (code != SQLITE_OK) {
    std::free(handle->below);
    return code;
  }
  const std::lock_guard guard(mutex);
  handle->kept = is_to_lose(name, flags) ? &files[name] : nullptr;
  handle->pMethods = &kMethods;
  return SQLITE_OK;
}

int remove(sqlite3_vfs*, const char* name, int is_durable) {
  const std::lock_guard guard(mutex);
  count_operation();
  if (const auto at = files.find(name); at != files.end()) {
    if (is_durable)
      deleted.erase(name);
    else
      deleted[name] = at->second;
    files.erase(at);
  }
  return system_files->xDelete(system_files, name, is_durable);
}

}  // namespace

void lay_disk() {
  static sqlite3_vfs shim;
  static_cast<void>(store::Database::in_memory());  // SQLite is started with the house's settings
  system_files = sqlite3_vfs_find(nullptr);
  shim = *system_files;
  shim.zName = "cut";
  shim.szOsFile = sizeof(Handle);
  shim.xOpen = open;
  shim.xDelete = remove;
  sqlite3_vfs_register(&shim, 1);
}

void arm_cut(const Cut& cut) {
  armed = cut;
  operations = 0;
  is_armed = is_counted = true;
}

long disk_operations() { return operations; }

void fail_next_sync() { is_next_sync_failing = true; }

FullDisk::FullDisk(long at, bool for_good) {
  full_from = at;
  is_full_for_good = for_good;
  operations = 0;
  is_counted = true;
}

FullDisk::~FullDisk() {
  make_room();
  is_counted = false;
}

void FullDisk::make_room() { full_from = 0; }

}  // namespace tellerd::tests
