#include "tellerctl/words/progress_bar.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace tellerd::tellerctl {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr int kCells = 24;

}  // namespace

ProgressBar::ProgressBar() : is_terminal_(::isatty(STDERR_FILENO) == 1) {}
ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::show(std::string_view what, double done, double of, std::string_view more) {
  const auto now = std::chrono::steady_clock::now();
  if (!is_terminal_ || now - shown_ < kRedraw) return;
  shown_ = now;
  is_drawn_ = true;
  const double share = of > 0 ? std::clamp(done / of, 0.0, 1.0) : 1;
  const std::string cells(static_cast<std::size_t>(share * kCells), '#');
  fmt::print(stderr, "\r\033[K{} [{:.<{}}] {}", what, cells, kCells, more);
  std::fflush(stderr);
}

void ProgressBar::clear() {
  if (!is_drawn_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  is_drawn_ = false;
}

}  // namespace tellerd::tellerctl
