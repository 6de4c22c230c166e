#include "ops/waiting_room.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <string>

namespace tellerd::ops {
namespace {

constexpr std::uint64_t kCutOff = std::numeric_limits<std::uint64_t>::max();

int port_of(const sockaddr_in& address) { return ntohs(address.sin_port); }

// The peer's port of a connected socket of ours at `own_port`; 0 for any other descriptor.
int peer_of(int descriptor, int own_port) {
  sockaddr_in own{}, peer{};
  socklen_t own_size = sizeof own, peer_size = sizeof peer;
  const bool is_ours = ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &own_size) == 0 &&
                       own.sin_family == AF_INET && port_of(own) == own_port &&
                       ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0;
  return is_ours ? port_of(peer) : 0;
}

}  // namespace

void WaitingRoom::serve(int own_port) {
  const std::lock_guard held(mutex_);
  own_port_ = own_port;
}

void WaitingRoom::enter(const void* connection, int peer_port) {
  const std::lock_guard held(mutex_);
  waiting_.insert(connection);
  if (peer_port != 0 && answered_.erase(peer_port) > 0) arrival_[peer_port] = ++arrivals_;
  if (waiting_.size() <= waiting_max_ / 2 || own_port_ == 0) return;
  const auto sockets = look();
  const auto leaving = std::count_if(sockets.begin(), sockets.end(),
                                     [&](const Socket& one) { return arrival_[one.peer_port] == kCutOff; });
  if (waiting_.size() > waiting_max_ + static_cast<std::size_t>(leaving)) cut_off_longest(sockets, peer_port);
}

void WaitingRoom::leave(const void* connection, int peer_port) {
  const std::lock_guard held(mutex_);
  waiting_.erase(connection);
  answered_.insert(peer_port);
}

void WaitingRoom::close(const void* connection, int peer_port) {
  const std::lock_guard held(mutex_);
  waiting_.erase(connection);
  answered_.erase(peer_port);
}

std::vector<WaitingRoom::Socket> WaitingRoom::look() {
  std::vector<Socket> sockets;
  std::error_code none;
  for (std::filesystem::directory_iterator at("/proc/self/fd", none), end; !none && at != end; at.increment(none)) {
    const std::string name = at->path().filename().string();
    int descriptor = -1;
    std::from_chars(name.data(), name.data() + name.size(), descriptor);
    if (const int peer = peer_of(descriptor, own_port_)) sockets.push_back({descriptor, peer});
  }
  std::map<int, std::uint64_t> here;
  for (const Socket& socket : sockets) {
    const auto known = arrival_.find(socket.peer_port);
    here[socket.peer_port] = known == arrival_.end() ? ++arrivals_ : known->second;
  }
  arrival_ = std::move(here);
  return sockets;
}

// Its worker's read or write ends at once, and CivetWeb closes it.
void WaitingRoom::cut_off_longest(const std::vector<Socket>& sockets, int spared_port) {
  const Socket* longest = nullptr;
  for (const Socket& socket : sockets) {
    if (socket.peer_port == spared_port || answered_.contains(socket.peer_port) ||
        arrival_[socket.peer_port] == kCutOff)
      continue;
    if (!longest || arrival_[socket.peer_port] < arrival_[longest->peer_port]) longest = &socket;
  }
  if (!longest) return;
  ::shutdown(longest->descriptor, SHUT_RDWR);
  arrival_[longest->peer_port] = kCutOff;
}

}  // namespace tellerd::ops
