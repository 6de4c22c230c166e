// The whole daemon: lock, log, engine, sockets, page; threads started and ended in order; what systemd is told.
// Accepting begins before the engine has read its state: ready means accepting.
// Errors: core::Fault with the exit code; a fault in a thread ends run() with it.
#pragma once
#include <memory>

#include "app/config.h"

namespace tellerd::app {

class Service {
 public:
  explicit Service(const Config& config);  // lock held, sockets bound, nothing running yet
  ~Service();
  int run();  // until SIGTERM or SIGINT; the exit code

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tellerd::app
