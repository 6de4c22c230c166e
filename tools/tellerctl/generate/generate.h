// Synthetic source files of every kind, for demonstrations, tests and measurements.
// Same options give the same bytes on every machine: own generator, integer arithmetic, no clock, no locale.
// Nothing is dated on or after `until`, so a daemon that starts on that day sees no future.
// Errors: core::Fault with a sentence; then OUT holds no half-written file under its final name.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace tellerd::tellerctl {

struct GenerateOptions {
  std::filesystem::path out;
  int clients = 5000;
  std::uint64_t seed = 1;
  std::string until;  // YYYY-MM-DD, the first day without events
  std::string profile = "bank";
  std::function<void(double done, std::string_view what)> progress;
};

// bank: the other two in one folder (loans/ below it), aliases.ndjson that joins them, events.ndjson with the rest.
// broker: seven CSV files. loans: three JSON arrays. shop: events.ndjson.
// A second run over its own files replaces them; a folder with other files is refused.
void generate(const GenerateOptions& options);

}  // namespace tellerd::tellerctl
