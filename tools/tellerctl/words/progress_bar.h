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
  // So much of the work is done, in its own unit; of nothing all is. Often is fine: it is drawn ten times a second.
  void show(std::string_view what, double done, double of, std::string_view more = {});
  void clear();  // before other words are printed

 private:
  bool is_terminal_, is_drawn_ = false;
  std::chrono::steady_clock::time_point shown_{};
};

}  // namespace tellerd::tellerctl
