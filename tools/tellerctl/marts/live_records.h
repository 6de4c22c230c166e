// Records of the log as JSON lines while the daemon writes them: {"seq", "now_us", "received_us", "producer", …the
// event}. Reads bronze beside the daemon and holds nothing open. Errors: core::Fault. Threads: one.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bronze/log.h"
#include "wire/codec.h"

namespace tellerd::tellerctl {

class LiveRecords {
 public:
  // after: seq of the last record not wanted; -1: only what comes from now on.
  LiveRecords(const std::filesystem::path& bronze, bronze::Seq after);
  // The lines of the next records, empty when none have been written meanwhile.
  const std::vector<std::string>& next();

 private:
  std::string line_of(const bronze::Record& record);
  std::string producer_name(std::int32_t id);

  bronze::LogReader reader_;
  bronze::Seq after_;
  bronze::Group group_;
  wire::Decoder decoder_;
  std::map<std::int32_t, std::string> producers_;
  std::vector<std::string> lines_;
};

// "kind=sms": whether a line has that member with that value.
bool matches_filter(const std::string& line, std::string_view filter);

}  // namespace tellerd::tellerctl
