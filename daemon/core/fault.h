// The world let us down (disk full, socket gone): an exception caught in a few named places, with the exit code it means.
#pragma once
#include <stdexcept>
#include <string>

namespace tellerd::core {

enum class Exit : int { kOk = 0, kFailed = 1, kUsage = 64, kDamaged = 65, kDisk = 74, kLocked = 75, kConfig = 78 };

class Fault : public std::runtime_error {
 public:
  Fault(Exit exit_code, const std::string& what_happened) : std::runtime_error(what_happened), exit_(exit_code) {}
  Exit exit_code() const noexcept { return exit_; }

 private:
  Exit exit_;
};

}  // namespace tellerd::core
