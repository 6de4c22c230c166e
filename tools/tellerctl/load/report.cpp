#include "tellerctl/load/report.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

namespace tellerd::tellerctl {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr std::size_t kBarCells = 24;

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

ProgressBar::ProgressBar() : is_terminal_(::isatty(STDERR_FILENO) == 1) {}
ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::show(const FileReport& so_far, std::size_t done, std::size_t total) {
  if (!is_terminal_) return;
  const auto now = Clock::now();
  if (file_ != so_far.file) {
    file_ = so_far.file;
    begun_ = now;
  }
  if (now - shown_ < kRedraw) return;
  shown_ = now;
  is_drawn_ = true;
  const std::size_t cells = total == 0 ? kBarCells : done * kBarCells / total;
  const double seconds = std::chrono::duration<double>(now - begun_).count();
  fmt::print(stderr, "\r\033[K{} [{}{}] {}/{} MB, {} rows, {} rows/s, {} refused", so_far.file.filename().string(),
             std::string(cells, '#'), std::string(kBarCells - cells, '.'), done >> 20, total >> 20,
             with_commas(so_far.rows), with_commas(per_second(so_far.rows - so_far.known_before, seconds)),
             with_commas(so_far.refused));
  std::fflush(stderr);
}

void ProgressBar::clear() {
  if (!is_drawn_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  is_drawn_ = false;
}

}  // namespace tellerd::tellerctl
