// A folder that is filled under temporary names and shows its files only when all of them are whole.
// Text goes through a buffer of 256 KiB a file. Errors: core::Fault (disk full, no permission, foreign files).
#pragma once
#include <cstdint>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace tellerd::tellerctl {

void add_number(std::string& to, std::int64_t value);
void add_padded(std::string& to, std::int64_t value, int width);  // zeros on the left; value >= 0
void add_amount(std::string& to, std::int64_t minor);             // 12345 as "123.45"; minor >= 0
void add_date(std::string& to, core::Day day);                    // "2026-11-21"

class OutputFile {
 public:
  explicit OutputFile(std::filesystem::path final_path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();  // a file that was not published leaves nothing behind

  std::string& text() noexcept { return buffer_; }  // append here; spill() now and then
  void spill();                                     // writes what is there once it is worth a write
  void close();                                     // all bytes handed to the system
  void publish();                                   // after close: takes the final name

 private:
  void write_out();
  std::filesystem::path final_, temporary_;
  std::FILE* stream_ = nullptr;
  std::string buffer_;
  bool is_published_ = false;
};

class OutputFolder {
 public:
  // `names`: the files that may stand here, relative to the folder; anything else makes the folder foreign.
  OutputFolder(std::filesystem::path folder, std::vector<std::string> names);
  OutputFile& file(std::string_view name);
  void publish();

 private:
  std::filesystem::path folder_;
  std::deque<OutputFile> files_;
};

// One NDJSON line of design.md 6: begin, fields, end. Texts come from our own tables and need no escaping.
class EventLine {
 public:
  explicit EventLine(std::string& to) : to_(to) {}
  EventLine& begin(std::string_view kind, std::string_view id_prefix, std::int64_t number, int width);
  EventLine& customer(std::string_view prefix, std::int64_t number);  // prefix with system: "broker:CLIENT_"
  EventLine& at(core::Instant occurred_us);
  EventLine& field(std::string_view name, std::string_view text);
  EventLine& field(std::string_view name, std::int64_t number);
  EventLine& flag(std::string_view name, bool value);
  void end() { to_ += "}\n"; }

 private:
  void name(std::string_view text);
  std::string& to_;
};

}  // namespace tellerd::tellerctl
