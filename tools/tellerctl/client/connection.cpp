#include "tellerctl/client/connection.h"

#include <utility>
#include <zmq.hpp>

#include "core/fault.h"

namespace tellerd::tellerctl {
namespace {

constexpr int kReconnectMs = 5;  // a daemon that starts is met within ten milliseconds
constexpr std::int64_t kAnswerBytesMax = 64 << 20;

}  // namespace

struct Connection::Sockets {
  zmq::context_t context;
  zmq::socket_t dealer, monitor;
  int opened = 0;

  ~Sockets() { close(); }
  // libzmq writes its events from the thread behind all sockets, and waits there for a reader: the events are turned
  // off while there still is one, or a disconnect at this very moment would stop that thread for ever.
  void close() noexcept {
    if (dealer) zmq_socket_monitor(dealer.handle(), nullptr, 0);
    monitor.close();
    dealer.close();
  }
};

Connection::Connection(std::string endpoint) : endpoint_(std::move(endpoint)), sockets_(std::make_unique<Sockets>()) {
  open();
}

Connection::~Connection() = default;

void Connection::open() {
  sockets_->close();
  auto& dealer = sockets_->dealer;
  dealer = zmq::socket_t(sockets_->context, zmq::socket_type::dealer);
  dealer.set(zmq::sockopt::linger, 0);  // nothing is worth waiting for: what counts has been acknowledged
  dealer.set(zmq::sockopt::immediate, true);
  dealer.set(zmq::sockopt::sndhwm, 256);
  dealer.set(zmq::sockopt::rcvhwm, 256);
  dealer.set(zmq::sockopt::maxmsgsize, kAnswerBytesMax);
  dealer.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
  dealer.set(zmq::sockopt::reconnect_ivl_max, kReconnectMs);
  dealer.set(zmq::sockopt::handshake_ivl, 2000);
  dealer.set(zmq::sockopt::heartbeat_ivl, 5000);
  dealer.set(zmq::sockopt::heartbeat_timeout, 15000);
  dealer.set(zmq::sockopt::heartbeat_ttl, 15000);
  const std::string watch = "inproc://watch-" + std::to_string(++sockets_->opened);
  try {
    if (zmq_socket_monitor(dealer.handle(), watch.c_str(), ZMQ_EVENT_DISCONNECTED) != 0) throw zmq::error_t();
    sockets_->monitor = zmq::socket_t(sockets_->context, zmq::socket_type::pair);
    sockets_->monitor.set(zmq::sockopt::linger, 0);
    sockets_->monitor.connect(watch);
    dealer.connect(endpoint_);
  } catch (const zmq::error_t& error) {
    throw core::Fault(core::Exit::kFailed, "cannot use " + endpoint_ + ": " + error.what());
  }
}

bool Connection::send(std::string_view frame, Milliseconds wait) {
  zmq::pollitem_t item{sockets_->dealer.handle(), 0, ZMQ_POLLOUT, 0};
  if (zmq::poll(&item, 1, wait) == 0) return false;
  return sockets_->dealer.send(zmq::buffer(frame), zmq::send_flags::dontwait).has_value();
}

Connection::Got Connection::receive(std::string& frame, Milliseconds wait) {
  zmq::pollitem_t items[] = {{sockets_->dealer.handle(), 0, ZMQ_POLLIN, 0},
                             {sockets_->monitor.handle(), 0, ZMQ_POLLIN, 0}};
  if (zmq::poll(items, 2, wait) == 0) return Got::kNothing;
  zmq::message_t message;
  if (sockets_->dealer.recv(message, zmq::recv_flags::dontwait)) {
    frame.assign(message.data<char>(), message.size());
    return Got::kFrame;
  }
  return items[1].revents != 0 ? Got::kGone : Got::kNothing;
}

}  // namespace tellerd::tellerctl
