// The pages and their API over HTTP on loopback: assets from the binary, the status document, a live stream, metrics,
// health, and the resources that other rooms bring. What a resource shows about a customer is recorded first.
// Errors: the constructor throws core::Fault (kConfig: not a loopback address; kFailed: the port is taken).
// Threads: CivetWeb's workers call the Sources; a source that throws becomes a 500, never the end of the process.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ops/resource.h"

namespace tellerd::ops {

struct ServerConfig {
  std::string host = "127.0.0.1";       // 127.x.y.z or localhost, unless there is a certificate
  int port = 8099;                      // 0: any free port
  std::vector<std::string> host_names;  // Host values allowed besides host, 127.0.0.1 and localhost; without port
  std::string allow = "127.0.0.0/8";    // networks that may connect, by commas
  std::string certificate;              // PEM file with its key: TLS and nothing else; host may then be any address
  bool is_behind_tls = false;           // a proxy speaks TLS with the browsers
  int threads = 32;                     // a quarter of them may be held by live streams
};

// All callable from any thread, cheap; the JSON is made by the caller.
struct Sources {
  std::function<std::string()> status_json;
  std::function<std::string()> metrics_text;
  std::function<bool()> is_ready;
  std::function<bool()> is_healthy;
  std::vector<Resource> resources;               // everything else under /api/v1
  std::function<Principal(const Request&)> who;  // absent: nobody can sign in
  std::function<void(const Principal&, const Reading&, std::string_view result)> record;  // absent: no reading is shown
};

class Server {
 public:
  Server(const ServerConfig& config, Sources sources);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  struct Running;    // server.cpp's own
  int port() const;  // the one that was bound
  void stop();       // ends live streams and waits for the workers; the second time does nothing

 private:
  std::unique_ptr<Running> running_;
  int port_ = 0;
};

}  // namespace tellerd::ops
