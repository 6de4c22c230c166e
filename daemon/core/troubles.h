// The newest errors and warnings that were logged, for who looks at the pages instead of the journal. Threads: any.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.h"

namespace tellerd::core {

struct Trouble {
  std::int64_t at_us = 0;  // of the wall clock
  Level level = Level::kError;
  std::string room, text;
};
std::vector<Trouble> newest_troubles();                                                 // newest first, at most sixteen
void keep_trouble(Level level, std::string_view room, std::string_view text) noexcept;  // by log(); cut to 256 bytes

}  // namespace tellerd::core
