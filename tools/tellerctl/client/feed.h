// The messages of one feed topic in order and without gaps: live ones from the PUB socket, missed ones through Replay.
// A message carries its place as "seq". Errors: core::Fault as QueryClient. Threads: one.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "tellerctl/client/query_client.h"

namespace tellerd::tellerctl {

class Feed {
 public:
  // from_seq 0: from now on.
  Feed(const std::string& feed_endpoint, std::string topic, QueryClient& query, std::uint64_t from_seq);
  ~Feed();
  // The next message as JSON text; false when none came within `wait`.
  bool next(std::string& message, Milliseconds wait);

 private:
  void receive_live(Milliseconds wait);
  void fill_from(std::uint64_t seq);

  struct Socket;
  std::unique_ptr<Socket> socket_;
  std::string topic_;
  QueryClient& query_;
  std::uint64_t expected_;  // 0: not known yet
  std::deque<std::string> ready_;
  Clock::time_point asked_{};
};

}  // namespace tellerd::tellerctl
