// Generated folders as the tests read them: with other readers than the daemon's.
#pragma once
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/fault.h"
#include "tellerctl/generate/generate.h"

namespace tellerd::generated {

namespace fs = std::filesystem;
using nlohmann::json;
using GenerateOptions = tellerctl::GenerateOptions;
using Row = std::map<std::string, std::string>;

inline const std::string kUntil = "2026-11-21";
inline constexpr std::int64_t kUntilUs = 1'795'219'200'000'000;  // date -ud 2026-11-21 +%s

class Scratch {
 public:
  Scratch() : path_(fs::temp_directory_path() / ("tellerd-generate-" + std::to_string(getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Scratch() { fs::remove_all(path_); }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

inline fs::path make(const fs::path& out, const std::string& profile, int clients, std::uint64_t seed = 1) {
  GenerateOptions options;
  options.out = out;
  options.profile = profile;
  options.clients = clients;
  options.seed = seed;
  options.until = kUntil;
  tellerctl::generate(options);
  return out;
}

inline std::string refusal(const GenerateOptions& options) {
  try {
    tellerctl::generate(options);
  } catch (const tellerd::core::Fault& fault) {
    return fault.what();
  }
  return "";
}

inline std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

inline std::map<std::string, std::string> folder_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files[entry.path().lexically_relative(folder).string()] = bytes_of(entry.path());
  return files;
}

inline std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
  return cells;
}

inline std::vector<Row> csv(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const auto names = cells_of(line);
  std::vector<Row> rows;
  while (std::getline(file, line)) {
    const auto cells = cells_of(line);
    REQUIRE(cells.size() == names.size());
    Row row;
    for (std::size_t i = 0; i < cells.size(); ++i) row[names[i]] = cells[i];
    rows.push_back(row);
  }
  return rows;
}

inline std::vector<json> ndjson(const fs::path& path) {
  std::ifstream file(path);
  std::vector<json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(json::parse(line));
  return rows;
}

inline json array_of(const fs::path& path) { return json::parse(bytes_of(path)); }

inline std::set<std::string> values(const std::vector<Row>& rows, const std::string& column) {
  std::set<std::string> found;
  for (const Row& row : rows) found.insert(row.at(column));
  return found;
}

}  // namespace tellerd::generated
