// What commands need that derive again from the log: a place for it, and a bar while it lasts.
#pragma once
#include <fmt/core.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "app/rebuild.h"
#include "core/fault.h"
#include "tellerctl/words/progress_bar.h"

namespace tellerd::tellerctl {

// A folder of its own, gone afterwards.
class ScratchFolder {
 public:
  ScratchFolder() {
    const auto where = std::filesystem::temp_directory_path();
    std::string name = (where / "tellerctl-XXXXXX").string();
    if (!mkdtemp(name.data()))
      throw core::Fault(core::Exit::kFailed, "no scratch folder can be made in " + where.string());
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline app::Progress shown_by(ProgressBar& bar) {
  return {[&bar](bronze::Seq done, bronze::Seq of) {
    bar.show("deriving", static_cast<double>(done), static_cast<double>(of), fmt::format("{} of {} records", done, of));
  }};
}

}  // namespace tellerd::tellerctl
