// The messages of one feed topic in order and without gaps: live ones from the PUB socket, missed ones through Replay.
// A message carries its place as "seq". Errors: core::Fault as QueryClient. Threads: one.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "tellerctl/client/query_client.h"

namespace tellerd::tellerctl {

class Feed {
 public:
  // from_seq 0: from now on.
  Feed(const std::string& feed_endpoint, std::string topic, QueryClient& query, std::uint64_t from_seq);
  ~Feed();
  // Returns when the daemon knows the topic; a Fault names those there are when there is no such.
  void await_topic();
  // The next message as JSON text; false when none came within `wait`.
  bool next(std::string& message, Milliseconds wait);

 private:
  std::optional<nlohmann::json> replayed(std::uint64_t from_seq, int limit);
  void receive_live(Milliseconds wait);
  bool fill_from(std::uint64_t seq);  // false: the daemon cannot say yet

  struct Socket;
  std::unique_ptr<Socket> socket_;
  std::string topic_;
  QueryClient& query_;
  std::uint64_t expected_;  // 0: not known yet
  std::deque<std::string> ready_;
  Clock::time_point asked_{};
};

}  // namespace tellerd::tellerctl
