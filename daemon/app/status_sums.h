// The sums that the status shows beside its counters: read from the marts and the folders, a second old at most.
// Threads: made by one at a time, read by any.
#pragma once
#include <string>
#include <vector>

#include "app/status.h"

namespace tellerd::app {

struct Status::Sums {
  deliver::Json tiers = deliver::Json::array(), segments = deliver::Json::array(), churn = deliver::Json::array(),
                quarantine = deliver::Json::array(), overdue = deliver::Json::object(),
                policy = deliver::Json::object(), late = deliver::Json::array(), model = deliver::Json::object();
  std::int64_t open_offers = 0, schema = 0, data_bytes = 0;
  std::size_t log_files = 0, fences = 0;
  std::string currency, sqlite;
  std::vector<std::int64_t> oldest_us;  // by queue; 0 is none
};

}  // namespace tellerd::app
