#include "tellerctl/load/plan.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <tuple>

#include "core/fault.h"
#include "tellerctl/load/sources.h"

namespace tellerd::tellerctl {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kPartPrefix = "part_";

[[noreturn]] void refuse(const std::string& sentence) { throw core::Fault(core::Exit::kFailed, sentence); }

void collect(const fs::path& folder, std::vector<fs::path>& files) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const fs::path& path = entry.path();
    if (entry.is_directory() && path.filename() == "loans")
      collect(path, files);
    else if (entry.is_regular_file() && (source_of(path) != nullptr || path.extension() == ".ndjson"))
      files.push_back(path);
  }
}

}  // namespace

std::vector<fs::path> files_of(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    if (!fs::exists(path)) refuse("there is no " + path.string());
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    std::vector<fs::path> found;
    collect(path, found);
    if (found.empty() && !parts_of(path).empty())
      refuse(path.string() + " holds parts: load the next one with --part N, or all that are missing with --all");
    if (found.empty())
      refuse(path.string() + " holds no file of a known source and no *.ndjson; name the file and its --kind");
    std::sort(found.begin(), found.end(), [](const fs::path& left, const fs::path& right) {
      return std::make_tuple(rank_of(left), left.native()) < std::make_tuple(rank_of(right), right.native());
    });
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

std::map<std::uint64_t, fs::path> parts_of(const fs::path& folder) {
  std::map<std::uint64_t, fs::path> parts;
  if (!fs::is_directory(folder)) refuse(folder.string() + " is no folder of parts");
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || !name.starts_with(kPartPrefix)) continue;
    std::uint64_t number = 0;
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + kPartPrefix.size(), end, number);
    if (error == std::errc() && stop == end && number > 0) parts.emplace(number, entry.path());
  }
  return parts;
}

}  // namespace tellerd::tellerctl
