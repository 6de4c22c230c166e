// A folder that goes with its owner; in memory where the machine has such a place, for tests that write much.
#pragma once
#include <stdlib.h>

#include <filesystem>
#include <string>

namespace tellerd::tests {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name =
        (std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path().string()) +
        "/teller-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~ScratchFolder() {
    std::error_code none;
    std::filesystem::remove_all(path_, none);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace tellerd::tests
