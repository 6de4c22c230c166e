// What a load says: one line a file on standard output, a bar on a terminal's standard error.
#pragma once
#include <chrono>
#include <cstddef>
#include <string>

#include "tellerctl/load/loader.h"

namespace tellerd::tellerctl {

std::string with_commas(std::uint64_t value);        // 1234567 -> "1,234,567"
std::string summary_line(const FileReport& report);  // "clients.csv: 5,000 rows, 0 refused, 120,000 rows/s"

class ProgressBar {
 public:
  ProgressBar();  // silent unless standard error is a terminal
  ~ProgressBar();
  void show(const FileReport& so_far, std::size_t done, std::size_t total);
  void clear();

 private:
  bool is_terminal_;
  Clock::time_point begun_ = Clock::now(), shown_{};
  std::filesystem::path file_;
  bool is_drawn_ = false;
};

}  // namespace tellerd::tellerctl
