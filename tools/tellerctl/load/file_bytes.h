// A whole file as read-only memory, without holding it on the heap. Errors: core::Fault(kFailed) with the path.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace tellerd::tellerctl {

class FileBytes {
 public:
  explicit FileBytes(const std::filesystem::path& file);
  ~FileBytes();
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;
  std::string_view view() const noexcept { return bytes_; }
  std::string sha256() const;  // hex

 private:
  std::string_view bytes_;
};

}  // namespace tellerd::tellerctl
