#include "store/wal_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "core/fault.h"

namespace tellerd::store {
namespace {

constexpr std::int64_t kPartOfTheRoom = 16;

}  // namespace

// SQLite locks the database and the index of its log, never the log: closing a descriptor of that drops no lock.
void lay_out_wal(const std::filesystem::path& database, std::int64_t bytes) {
  const std::string name = database.string() + "-wal", zeros(64 << 10, '\0');
  const int log = ::open(name.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  struct stat known {};
  struct statvfs disk {};
  bool is_good = log >= 0 && ::fstat(log, &known) == 0 && ::fstatvfs(log, &disk) == 0;
  const auto room = static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
  const bool has_room = bytes <= room / kPartOfTheRoom;
  for (std::int64_t at = known.st_size; is_good && has_room && at < bytes;) {
    const auto wrote = ::pwrite(log, zeros.data(), zeros.size(), at);
    is_good = wrote > 0;
    at += wrote;
  }
  is_good = is_good && ::fsync(log) == 0;
  const int why = errno;
  if (log >= 0) ::close(log);
  if (!is_good) throw core::Fault(core::Exit::kDisk, fmt::format("{}: cannot grow: {}", name, std::strerror(why)));
}

}  // namespace tellerd::store
