// Everything derived, derived again from the log in a scratch database, and the two compared row for row.
// Threads: the caller's; the live files are only read.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "bronze/record.h"

namespace tellerd::app {

struct Progress {
  std::function<void(bronze::Seq done, bronze::Seq of)> show;
};

// Applies the log of DATA through `through` into a new database: from nothing when the whole log is there, else from
// the oldest fence that reaches it. Returns the last record applied; `from`, when given, the first.
bronze::Seq rebuild(const std::filesystem::path& data, const std::filesystem::path& into, bronze::Seq through,
                    std::size_t records_a_flush, const Progress& progress, bronze::Seq* from = nullptr);

struct Comparison {
  bronze::Seq records = 0, from = 1, through = 0;
  std::size_t rows = 0;
  std::vector<std::string> differences;  // "gold_customer row 17: 5|… is 6|…", at most twenty
};
// DATA/teller.db as it stands now against a rebuild to the same seq.
Comparison verify(const std::filesystem::path& data, const std::filesystem::path& scratch, const Progress& progress);
// Row for row, every table but key_run (whose runs follow the flushes).
void compare(const std::filesystem::path& a, const std::filesystem::path& b, Comparison& into);

}  // namespace tellerd::app
