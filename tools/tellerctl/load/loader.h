// Hands source files to the daemon: event n of a file is producer_seq n of producer `load:<sha256 of the file>`, so a
// second load of the same file goes on where the first ended. Every row gives exactly one event; one that cannot be
// read is kept word for word as Unreadable. After the last row a BackfillEnd ends the load. Errors:
// core::Fault(kFailed) with a sentence; refused rows are no error. Threads: one.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tellerctl/client/ingest_client.h"
#include "tellerctl/load/sources.h"

namespace tellerd::tellerctl {

struct LoadOptions {
  std::string endpoint, where;
  Milliseconds patience{5000};
  bool is_backfill = false;
  std::string kind, system;  // of files that are no source's own; empty: the file says, main
  std::filesystem::path map;
  std::string timezone = "UTC";  // of dates without an offset
};

struct FileReport {
  std::filesystem::path file;
  std::uint64_t rows = 0, known_before = 0, refused = 0, commit_seq = 0;
  std::map<std::string, std::uint64_t> reasons;  // of what this run sent
  double seconds = 0;
};

class Loader {
 public:
  // done and total in bytes of the file.
  using OnProgress = std::function<void(const FileReport& so_far, std::size_t done, std::size_t total)>;

  explicit Loader(const LoadOptions& options, OnProgress on_progress = {});
  // A backfill of several files ends with the last of them: is_more says that others follow.
  FileReport load(const std::filesystem::path& file, bool is_more = false);

  // Parts of a system are loaded in order; the daemon keeps which was the last.
  std::uint64_t last_part();
  std::uint64_t note_part(std::uint64_t part);  // after its files; returns the commit_seq

 private:
  IngestOptions producer(std::string name, std::uint64_t incarnation) const;
  std::uint64_t reading() const;

  LoadOptions options_;
  OnProgress on_progress_;
  core::Calendar calendar_;
  wire::Kind kind_ = wire::Kind::kNone;
  ColumnMap map_;
};

}  // namespace tellerd::tellerctl
