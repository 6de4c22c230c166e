#include "ingest/sockets.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <filesystem>
#include <string_view>

#include "core/fault.h"
#include "core/limits.h"

namespace tellerd::ingest {

void set_server_options(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(core::limits::kFrameBytesMax));
  socket.set(zmq::sockopt::rcvhwm, 256);
  socket.set(zmq::sockopt::sndhwm, core::limits::kPeerFramesMax);
  socket.set(zmq::sockopt::handshake_ivl, 2000);
  socket.set(zmq::sockopt::heartbeat_ivl, 5000);
  socket.set(zmq::sockopt::heartbeat_timeout, 15000);
  socket.set(zmq::sockopt::heartbeat_ttl, 15000);
  socket.set(zmq::sockopt::tcp_keepalive, 1);
  socket.set(zmq::sockopt::backlog, 256);
  socket.set(zmq::sockopt::linger, 0);
}

void bind_all(zmq::socket_t& socket, const std::vector<std::string>& endpoints) {
  for (const auto& endpoint : endpoints) {
    const bool is_ipc = endpoint.starts_with("ipc://");
    if (!is_ipc && !endpoint.starts_with("tcp://127.") && !endpoint.starts_with("tcp://localhost"))
      throw core::Fault(core::Exit::kConfig,
                        fmt::format("{}: only ipc:// and loopback tcp:// endpoints are served without keys", endpoint));
    if (is_ipc) std::filesystem::create_directories(std::filesystem::path(endpoint.substr(6)).parent_path());
    try {
      socket.bind(endpoint);
    } catch (const zmq::error_t& error) {
      throw core::Fault(core::Exit::kConfig, fmt::format("cannot listen on {}: {}", endpoint, error.what()));
    }
  }
}

zmq::socket_t bound_router(zmq::context_t& context, const std::vector<std::string>& endpoints) {
  zmq::socket_t socket(context, zmq::socket_type::router);
  set_server_options(socket);
  socket.set(zmq::sockopt::router_mandatory, 1);
  bind_all(socket, endpoints);
  return socket;
}

}  // namespace tellerd::ingest
