#include "tellerctl/load/report.h"

#include <fmt/core.h>

namespace tellerd::tellerctl {
namespace {

std::uint64_t per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<std::uint64_t>(static_cast<double>(count) / seconds) : count;
}

}  // namespace

std::string with_commas(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string summary_line(const FileReport& report) {
  const std::uint64_t sent = report.rows - report.known_before;
  std::string line = fmt::format("{}: {} rows, {} refused", report.file.filename().string(), with_commas(report.rows),
                                 with_commas(report.refused));
  if (!report.reasons.empty()) {
    std::string reasons;
    for (const auto& [reason, count] : report.reasons)
      reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", reason, with_commas(count));
    line += fmt::format(" ({}; see tellerctl quarantine list)", reasons);
  }
  if (report.known_before > 0) line += fmt::format(", {} loaded before", with_commas(report.known_before));
  return sent > 0 ? line + fmt::format(", {} rows/s", with_commas(per_second(sent, report.seconds))) : line;
}

std::string progress_line(const FileReport& so_far, std::size_t done, std::size_t total) {
  return fmt::format("{}/{} MB, {} rows, {} rows/s, {} refused", done >> 20, total >> 20, with_commas(so_far.rows),
                     with_commas(per_second(so_far.rows - so_far.known_before, so_far.seconds)),
                     with_commas(so_far.refused));
}

}  // namespace tellerd::tellerctl
