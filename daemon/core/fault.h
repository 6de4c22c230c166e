// The world let us down (disk full, socket gone): an exception caught in a few named places, with the exit code it
// means.
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

namespace tellerd::core {

enum class Exit : int { kOk = 0, kFailed = 1, kUsage = 64, kDamaged = 65, kDisk = 74, kLocked = 75, kConfig = 78 };

class Fault : public std::runtime_error {
 public:
  Fault(Exit exit_code, const std::string& what_happened) : std::runtime_error(what_happened), exit_(exit_code) {}
  Exit exit_code() const noexcept { return exit_; }

 private:
  Exit exit_;
};

// The disk has no room: what was being written is not there, everything else is as it was, and it can be tried again.
// SQLite says it in words, or as 4874 where the index of a write-ahead log finds none.
inline bool is_disk_full(const Fault& fault) {
  const std::string_view what = fault.what();
  return what.find("database or disk is full") != std::string_view::npos ||
         what.find("(4874)") != std::string_view::npos;
}

}  // namespace tellerd::core
