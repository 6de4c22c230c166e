// After a stop that was not in good order what is on disk is looked through, page by page, beside the running daemon.
// Errors: core::Fault kDamaged that names the file and what to do.
// Threads: the caller's; files are only read.
#pragma once
#include <filesystem>

namespace tellerd::app {

// DATA/clean stands from a stop in good order to the next start.
bool take_clean_mark(const std::filesystem::path& data);  // true: it stood, or there is nothing here yet
void leave_clean_mark(const std::filesystem::path& data);

void check_store(const std::filesystem::path& data);  // the newest week of the log, and teller.db
}  // namespace tellerd::app
