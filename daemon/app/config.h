// tellerd.toml and the command line, checked whole before anything is opened. A data directory alone is enough.
// Errors: core::Fault kConfig, naming the file, the line and what to write instead.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "ingest/clock.h"

namespace tellerd::app {

struct Config {
  std::filesystem::path data;
  std::string branch_name = "branch", timezone = "UTC", pack = "default";
  std::string ingest_endpoint, query_endpoint, feed_endpoint,
      queue_endpoint;  // under DATA/run unless the file says otherwise
  std::string http_host = "127.0.0.1";
  std::vector<std::string> http_host_names;  // further names that the pages are asked for under
  std::string http_allow = "127.0.0.0/8";    // networks that may connect, by commas
  std::string http_certificate;              // PEM; with it the pages speak TLS alone
  bool is_behind_tls = false;                // a proxy does
  std::int64_t session_idle_seconds = 1800, session_seconds = 43'200;  // of who has signed in
  int http_port = 8099;                                                // 0: no page
  bool is_http_port_chosen = false;                                    // else another free port serves when it is taken
  int bronze_weeks = 8;
  std::int64_t look_seconds = 900;  // between looks whether a churn model is due; 0: trained only when asked
  std::int64_t lag_records_max = 100'000;
  std::int64_t disk_free_bytes_stop = 64 << 20;
  ingest::ClockMode clock = ingest::ClockMode::kWall;
};

// Reads `file` over the defaults ("" reads nothing).
Config read_config(const std::filesystem::path& data, const std::filesystem::path& file);

}  // namespace tellerd::app
