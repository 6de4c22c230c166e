// A DEALER connection to one endpoint of the daemon, with the client options of faults.md 5.4: nothing is queued while
// nobody listens, and a daemon that goes away is noticed at once. What was on its way then is forgotten: the caller
// asks again. Errors: core::Fault when the endpoint cannot be used at all. Threads: one.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace tellerd::tellerctl {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

class Connection {
 public:
  enum class Got { kFrame, kNothing, kGone };

  explicit Connection(std::string endpoint);
  ~Connection();
  void open();                                           // afresh: answers to what was sent before no longer come
  bool send(std::string_view frame, Milliseconds wait);  // false: nobody was there to take it
  Got receive(std::string& frame, Milliseconds wait);
  const std::string& endpoint() const noexcept { return endpoint_; }

 private:
  struct Sockets;
  std::string endpoint_;
  std::unique_ptr<Sockets> sockets_;
};

}  // namespace tellerd::tellerctl
