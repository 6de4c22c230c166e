// What is measured: a tellerd of this build and the floor, each a process with a folder of its own under a scratch
// folder that goes away with the benchmark. Errors: core::Fault(kFailed). Threads: the main one.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tellerctl/bench/child.h"
#include "tellerctl/bench/pipeline.h"

namespace tellerd::tellerctl::bench {

class Scratch {
 public:
  // A new folder in `where` (made if need be), on a disk for which nothing waits: what others have left to the system
  // to write, a build for example, would be written all at once beside what is measured.
  explicit Scratch(const std::filesystem::path& where);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }
  // A Fault when fewer bytes than these are free on its disk.
  void need_free(std::int64_t bytes) const;

 private:
  std::filesystem::path path_;
};

class Daemon {
 public:
  Daemon(const std::filesystem::path& data, const std::string& policy, std::vector<std::string> more = {});
  Child& child() noexcept { return child_; }
  std::string endpoint(const char* name) const;
  void start();                                                                       // returns at once
  void wait_applied(std::uint64_t commit_seq) { wait_for(commit_seq, "applied"); }    // until it decides by it
  void wait_readable(std::uint64_t commit_seq) { wait_for(commit_seq, "readable"); }  // until marts know all up to it
  std::int64_t flushed_seq() const;  // what teller.db holds, read from the file: also after a kill

 private:
  void wait_for(std::uint64_t commit_seq, std::string_view stage);
  std::string log() const { return data_.string() + ".log"; }
  std::filesystem::path data_;
  std::string policy_;
  std::vector<std::string> more_;  // further arguments
  Child child_;
};

class FloorServer {
 public:
  explicit FloorServer(const std::filesystem::path& folder);
  Child& child() noexcept { return child_; }
  std::string endpoint() const { return "ipc://" + (folder_ / "floor.sock").string(); }

 private:
  std::filesystem::path folder_;
  Child child_;
};

constexpr std::chrono::milliseconds kStartPatience{30'000};

}  // namespace tellerd::tellerctl::bench
