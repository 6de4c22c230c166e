// Files built into the binaries (schema, SQL, pages, packs), by their path in the source tree.
#pragma once
#include <span>
#include <string_view>

namespace tellerd::core {
struct EmbeddedFile {
  std::string_view path, bytes;
};
std::span<const EmbeddedFile> embedded_files() noexcept;  // sorted by path
std::string_view embedded_file(std::string_view path);    // asserts that it is there
}  // namespace tellerd::core
