#include "core/embedded.h"

#include <algorithm>

#include "core/assert.h"
#include "core/log.h"

namespace tellerd::core {

std::string_view embedded_file(std::string_view path) {
  const auto files = embedded_files();
  const auto found =
      std::lower_bound(files.begin(), files.end(), path,
                       [](const EmbeddedFile& file, std::string_view wanted) { return file.path < wanted; });
  const bool is_embedded = found != files.end() && found->path == path;
  if (!is_embedded) log(Level::kError, "core", path);  // the assertion below cannot name it
  TELLERD_ASSERT(is_embedded);
  return found->bytes;
}

}  // namespace tellerd::core
