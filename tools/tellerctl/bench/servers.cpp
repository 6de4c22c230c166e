#include "tellerctl/bench/servers.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "core/fault.h"
#include "store/database.h"
#include "tellerctl/client/query_client.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr Milliseconds kQueryPatience{30'000};

std::filesystem::path made(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  return folder;
}

void write_out(const std::string& folder) {
  const int on_disk = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_done = on_disk >= 0 && syncfs(on_disk) == 0;
  const std::string why = is_done ? "" : std::strerror(errno);
  if (on_disk >= 0) close(on_disk);
  if (!is_done)
    throw core::Fault(core::Exit::kFailed,
                      fmt::format("{}: what waits for its disk cannot be written: {}", folder, why));
}

// The last line of a log that says something.
std::string last_words(const std::string& log) {
  std::ifstream lines(log);
  std::string last = "(nothing)";
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) last = line;
  return last;
}

}  // namespace

Scratch::Scratch(const std::filesystem::path& where) {
  write_out(made(where).string());
  std::string name = (where / "tellerd-bench-XXXXXX").string();
  if (!mkdtemp(name.data()))
    throw core::Fault(core::Exit::kFailed,
                      fmt::format("no folder can be made in {}: {}; see --dir", where.string(), std::strerror(errno)));
  path_ = name;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Scratch::need_free(std::int64_t bytes) const {
  const auto space = std::filesystem::space(path_);
  if (static_cast<std::int64_t>(space.available) >= bytes) return;
  throw core::Fault(core::Exit::kFailed, fmt::format("this needs {} MiB on the disk of {} and {} are free; see --dir",
                                                     bytes >> 20, path_.string(), space.available >> 20));
}

Daemon::Daemon(const std::filesystem::path& data, const std::string& policy, std::vector<std::string> more)
    : data_(made(data)), policy_(policy), more_(std::move(more)) {
  start();
}

void Daemon::start() {
  std::vector<std::string> command{sibling("tellerd"), "--data", data_};
  if (std::find(more_.begin(), more_.end(), "--http") == more_.end())
    command.insert(command.end(), {"--http", "0"});  // no page
  if (!policy_.empty()) command.insert(command.end(), {"--policy", policy_});
  command.insert(command.end(), more_.begin(), more_.end());
  child_ = Child(command, log());
}

std::string Daemon::endpoint(const char* name) const {
  return fmt::format("ipc://{}/run/{}.sock", data_.string(), name);
}

void Daemon::wait_for(std::uint64_t commit_seq, std::string_view stage) {
  try {
    QueryClient(endpoint("query"), kQueryPatience, "the tellerd of this benchmark").wait_for(commit_seq, stage);
  } catch (const core::Fault& fault) {  // its folder goes away with the benchmark
    throw core::Fault(fault.exit_code(), fmt::format("{}; its log ends: {}", fault.what(), last_words(log())));
  }
}

std::int64_t Daemon::flushed_seq() const {
  return store::Database::open_reader(data_ / "teller.db").integer("SELECT seq FROM cursor");
}

FloorServer::FloorServer(const std::filesystem::path& folder) : folder_(made(folder)) {
  child_ = Child({"/proc/self/exe", "bench", "floor-server", "--dir", folder_, "--endpoint", endpoint()},
                 folder_.string() + ".log");
}

}  // namespace tellerd::tellerctl::bench
