// The floor: a process that receives batches, verifies each event, inserts the bytes into bronze's own schema, commits
// with fsync in the batches the daemon uses, acknowledges, and does nothing else: no checksum, no judging, no marks.
#pragma once
#include <filesystem>
#include <string>

namespace tellerd::tellerctl::bench {

// Until the process is ended.
[[noreturn]] void run_floor_server(const std::filesystem::path& folder, const std::string& endpoint);

}  // namespace tellerd::tellerctl::bench
