#include "tellerctl/bench/report.h"

#include <fmt/core.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/time.h"
#include "tellerctl/bench/benches.h"

namespace tellerd::tellerctl::bench {
namespace {

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

// File system and device that `folder` lies on: the longest mount point that is a prefix of it.
std::string disk_of(const std::filesystem::path& folder) {
  const std::string path = std::filesystem::weakly_canonical(folder).string();
  std::ifstream in("/proc/self/mounts");
  std::string found = "unknown";
  std::size_t longest = 0;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string device, point, type;
    fields >> device >> point >> type;
    const bool is_above = point == "/" || path == point || path.starts_with(point + "/");
    if (!is_above || point.size() < longest) continue;
    longest = point.size();
    found = fmt::format("{} on {}", type, device);
  }
  return found;
}

std::string shown(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (!value.is_number()) return value.dump();
  const double number = value.get<double>();
  if (!value.is_number_float()) return fmt::format("{}", value.get<std::int64_t>());
  if (std::abs(number) >= 1000) return fmt::format("{:.0f}", number);
  return std::abs(number) < 1 ? fmt::format("{:.4f}", number) : fmt::format("{:.2f}", number);
}

}  // namespace

Json machine(const std::filesystem::path& folder) {
  utsname names{};
  uname(&names);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {{"date", core::format_instant(std::chrono::duration_cast<std::chrono::microseconds>(now).count())},
          {"tellerd", TELLERD_VERSION},
          {"processor", processor()},
          {"cores", std::thread::hardware_concurrency()},
          {"kernel", fmt::format("{} {}", names.sysname, names.release)},
          {"disk", disk_of(folder)}};
}

// Each value of a line is a row, each line a column: names are long and lines are few.
std::string table(const Section& section) {
  std::vector<std::string> names;
  for (const auto& line : section.lines)
    for (const auto& [name, value] : line.items())
      if (!value.is_structured() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  std::size_t width = 0;
  for (const auto& name : names) width = std::max(width, name.size());
  std::string text = fmt::format("\n{}: {}\n  goal: {}\n", section.bench, section.compares, section.goal);
  for (const auto& name : names) {
    text += fmt::format("  {:<{}}", name, width);
    for (const auto& line : section.lines)
      text += fmt::format("  {:>20}", line.contains(name) ? shown(line[name]) : "-");
    text += "\n";
  }
  return text;
}

Json document(const Section& section) {
  Json made{{"bench", section.bench}, {"compares", section.compares}, {"goal", section.goal}};
  if (!section.lines.empty()) made.update(section.lines[0]);
  made["lines"] = section.lines;
  return made;
}

void say(const std::string& sentence) { std::cerr << sentence << std::endl; }

}  // namespace tellerd::tellerctl::bench
