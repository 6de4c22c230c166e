// Which of the HTTP workers wait for their client: for the head of a request, for its body, or for room to send an
// answer. There may be only so many; one more, and whoever has waited longest is cut off, so slow clients never take
// the last worker. CivetWeb keeps its sockets to itself and knows a client only once the head is there: sockets are
// found among our descriptors, and known by their peer's port. That is looked at only when half the places are taken.
// Threads: any.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace tellerd::ops {

class WaitingRoom {
 public:
  explicit WaitingRoom(std::size_t waiting_max) : waiting_max_(waiting_max) {}
  void serve(int own_port);  // the port served, before anybody is cut off
  // A worker begins to wait for this connection's client; `peer_port` is 0 while it is not known.
  void enter(const void* connection, int peer_port);
  void leave(const void* connection, int peer_port);  // it need not wait: what it asked is being answered
  void close(const void* connection, int peer_port);

 private:
  struct Socket {
    int descriptor, peer_port;
  };
  std::vector<Socket> look();  // and notes who has come and gone
  void cut_off_longest(const std::vector<Socket>& sockets, int spared_port);

  const std::size_t waiting_max_;
  std::mutex mutex_;
  int own_port_ = 0;
  std::uint64_t arrivals_ = 0;
  std::set<const void*> waiting_;
  std::set<int> answered_;                // peers whose question is being answered
  std::map<int, std::uint64_t> arrival_;  // by the peer's port; the greatest number once it is cut off
};

}  // namespace tellerd::ops
