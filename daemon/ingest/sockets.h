// ZeroMQ server sockets with the options of faults.md 5.4. A tcp endpoint must be loopback.
#pragma once
#include <string>
#include <vector>
#include <zmq.hpp>

namespace tellerd::ingest {

void set_server_options(zmq::socket_t& socket);
// Binds a ROUTER to each endpoint; a stale ipc file of a dead daemon is replaced. Throws core::Fault kConfig.
zmq::socket_t bound_router(zmq::context_t& context, const std::vector<std::string>& endpoints);
void bind_all(zmq::socket_t& socket, const std::vector<std::string>& endpoints);

}  // namespace tellerd::ingest
