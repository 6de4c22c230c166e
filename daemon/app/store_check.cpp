#include "app/store_check.h"

#include <fmt/core.h>

#include <fstream>

#include "bronze/log.h"
#include "core/fault.h"
#include "store/database.h"

namespace tellerd::app {
namespace {

constexpr const char* kCleanMark = "clean";

void check_file(const std::filesystem::path& file, const char* remedy) {
  const std::string verdict = store::Database::open_reader(file).quick_check();
  if (verdict != "ok")
    throw core::Fault(core::Exit::kDamaged, fmt::format("{}: {}: {}", file.string(), verdict, remedy));
}

}  // namespace

bool take_clean_mark(const std::filesystem::path& data) {
  if (!std::filesystem::exists(data / "teller.db")) return true;
  return std::filesystem::remove(data / kCleanMark);
}

void leave_clean_mark(const std::filesystem::path& data) {
  std::ofstream(data / kCleanMark) << "stopped in good order\n";
}

void check_store(const std::filesystem::path& data) {
  const auto weeks = bronze::log_files(data / "bronze");
  if (!weeks.empty()) check_file(weeks.back(), "restore the directory from a backup");
  check_file(data / "teller.db", "move it away with its -wal and -shm, it is derived again from the log");
}

}  // namespace tellerd::app
