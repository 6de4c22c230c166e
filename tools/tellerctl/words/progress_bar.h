// One line that says how far long work is, on standard error where that is a terminal; elsewhere nothing.
#pragma once
#include <chrono>
#include <string_view>

namespace tellerd::tellerctl {

class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  // share: of the work, from 0 to 1. Often is fine: it is drawn ten times a second.
  void show(std::string_view what, double share, std::string_view more = {});
  void clear();  // before other words are printed

 private:
  bool is_terminal_, is_drawn_ = false;
  std::chrono::steady_clock::time_point shown_{};
};

}  // namespace tellerd::tellerctl
