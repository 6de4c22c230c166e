// A daemon's endpoint for tests of tellerctl's clients: a ROUTER whose answers are a script.
#pragma once
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>
#include <zmq.hpp>
#include <zmq_addon.hpp>

namespace tellerd::test {

inline std::string endpoint_in(const std::filesystem::path& folder, const char* name) {
  return "ipc://" + (folder / name).string();
}

struct TemporaryFolder {
  std::filesystem::path path;
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "ctl-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
};

// Calls `answer` with each frame; what it returns is sent back in order.
class Peer {
 public:
  using Answer = std::function<std::vector<std::string>(const std::string& frame)>;
  Peer(const std::string& endpoint, Answer answer) : answer_(std::move(answer)) {
    router_.set(zmq::sockopt::linger, 0);
    router_.bind(endpoint);
    thread_ = std::thread([this] { serve(); });
  }
  ~Peer() {
    is_stopping_ = true;
    thread_.join();
  }

 private:
  void serve() {
    while (!is_stopping_) {
      zmq::pollitem_t item{router_.handle(), 0, ZMQ_POLLIN, 0};
      if (zmq::poll(&item, 1, std::chrono::milliseconds(5)) == 0) continue;
      std::vector<zmq::message_t> parts;
      if (!zmq::recv_multipart(router_, std::back_inserter(parts)) || parts.size() != 2) continue;
      for (const std::string& frame : answer_(parts[1].to_string())) {
        router_.send(zmq::buffer(parts[0].to_string()), zmq::send_flags::sndmore);
        router_.send(zmq::buffer(frame), zmq::send_flags::none);
      }
    }
  }

  zmq::context_t context_;
  zmq::socket_t router_{context_, zmq::socket_type::router};
  Answer answer_;
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

}  // namespace tellerd::test
