#include "app/fence.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "bronze/log.h"
#include "core/fault.h"
#include "core/log.h"

namespace tellerd::app {
namespace {

std::vector<Fence> fences(const std::filesystem::path& data) {
  std::vector<Fence> found;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(data / "fence", none))
    if (entry.path().extension() == ".db") found.push_back({std::atoll(entry.path().stem().c_str()), entry.path()});
  std::sort(found.begin(), found.end(), [](const Fence& a, const Fence& b) { return a.seq < b.seq; });
  return found;
}

void sync(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 || ::fsync(descriptor) != 0) {
    if (descriptor >= 0) ::close(descriptor);
    throw core::Fault(core::Exit::kDisk, fmt::format("{}: cannot be synced to disk", path.string()));
  }
  ::close(descriptor);
}

Seq last_seq_of(const std::filesystem::path& file) {
  auto week = store::Database::open_reader(file);
  return week.integer("SELECT coalesce(max(seq),0) FROM record");
}

}  // namespace

std::optional<Fence> oldest_fence(const std::filesystem::path& data, Seq log_first_seq) {
  for (const auto& fence : fences(data))
    if (fence.seq + 1 >= log_first_seq) return fence;
  return std::nullopt;
}

Fence take_fence(Engine& engine, const std::filesystem::path& data) {
  if (engine.counters()->flushed_seq < engine.applied_seq()) engine.flush();
  std::filesystem::create_directories(data / "fence");
  const Fence fence{engine.applied_seq(), data / "fence" / fmt::format("{:014}.db", engine.applied_seq())};
  if (std::filesystem::exists(fence.file)) return fence;
  const std::filesystem::path fresh = fence.file.string() + ".new";
  std::filesystem::remove(fresh);
  engine.snapshot_into(fresh);
  const std::string verdict = store::Database::open_reader(fresh).quick_check();
  if (verdict != "ok")
    throw core::Fault(core::Exit::kDamaged, fmt::format("{}: the snapshot is damaged: {}", fresh.string(), verdict));
  sync(fresh);
  std::filesystem::rename(fresh, fence.file);
  sync(data / "fence");
  core::log(core::Level::kNotice, "app", fmt::format("a fence stands at record {}", fence.seq));
  return fence;
}

Fence take_only_fence(Engine& engine, const std::filesystem::path& data) {
  const Fence standing = take_fence(engine, data);
  for (const auto& fence : fences(data))
    if (fence.file != standing.file) std::filesystem::remove(fence.file);
  return standing;
}

int drop_old_weeks(Engine& engine, const std::filesystem::path& data, int weeks_kept) {
  auto files = bronze::log_files(data / "bronze");
  int dropped = 0;
  while (files.size() > static_cast<std::size_t>(weeks_kept) && files.size() > 1) {
    const auto oldest = files.front();
    const Seq last = last_seq_of(oldest);
    if (last > engine.applied_seq()) break;
    const auto standing = fences(data);
    if (standing.empty() || standing.back().seq < last) take_fence(engine, data);
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(oldest.string() + suffix);
    core::log(core::Level::kNotice, "bronze",
              fmt::format("week {} is dropped; the log goes on after record {}", oldest.stem().string(), last));
    files.erase(files.begin());
    ++dropped;
  }
  if (dropped) {
    const Seq first = bronze::LogReader(data / "bronze").first_seq();
    for (const auto& fence : fences(data))
      if (fence.seq + 1 < first) std::filesystem::remove(fence.file);
  }
  return dropped;
}

}  // namespace tellerd::app
