// What a load says of a file: a line when it is done, and how far it is until then.
#pragma once
#include <cstddef>
#include <string>

#include "tellerctl/load/loader.h"

namespace tellerd::tellerctl {

std::string with_commas(std::uint64_t value);        // 1234567 -> "1,234,567"
std::string summary_line(const FileReport& report);  // "clients.csv: 5,000 rows, 0 refused, 120,000 rows/s"
std::string progress_line(const FileReport& so_far, std::size_t done, std::size_t total);  // done, total: bytes

}  // namespace tellerd::tellerctl
