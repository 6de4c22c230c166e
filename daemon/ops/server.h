// The status page and its API over HTTP on loopback: pages and assets from the binary, the status document, marts
// without personal data, a live stream, metrics, health. Nothing here needs a login, so only aggregates are served.
// Errors: the constructor throws core::Fault (kConfig: not a loopback address; kFailed: the port is taken).
// Threads: CivetWeb's workers call the Sources; a source that throws becomes a 500, never the end of the process.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tellerd::ops {

struct ServerConfig {
  std::string host = "127.0.0.1";       // 127.x.y.z or localhost; beyond the machine a reverse proxy does TLS
  int port = 8099;                      // 0: any free port
  std::vector<std::string> host_names;  // Host values allowed besides host, 127.0.0.1 and localhost; without port
  int threads = 8;                      // a quarter of them may be held by live streams
};

// All callable from any thread, cheap; the JSON is made by the caller.
struct Sources {
  std::function<std::string()> status_json;
  std::function<std::string()> metrics_text;
  std::function<bool()> is_ready;
  std::function<bool()> is_healthy;
  // format: "json" or "csv". Nothing when there is no such mart. Asked only for names in kOpenMarts.
  std::function<std::optional<std::string>(std::string_view mart, std::string_view format, int limit, int offset)> mart;
};

// Marts that hold no row about one person.
inline constexpr std::string_view kOpenMarts[] = {"mart_loan_overdue_month", "mart_marketing_daily",
                                                  "mart_dpd_bucket",         "mart_dpd_transition",
                                                  "mart_data_quality",       "mart_segment_counts"};
inline constexpr int kMartRowsDefault = 100;
inline constexpr int kMartRowsMax = 1000;
inline constexpr int kMartOffsetMax = 1'000'000;

class Server {
 public:
  Server(const ServerConfig& config, Sources sources);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;  // the one that was bound
  void stop();       // ends live streams and waits for the workers; the second time does nothing

 private:
  struct Running;
  std::unique_ptr<Running> running_;
  int port_ = 0;
};

}  // namespace tellerd::ops
