// A producer that keeps a window of batches on their way, the same towards every server. RETRY_AFTER and GAP are
// obeyed: what is on its way is waited for, then everything after the mark is sent again. Errors: core::Fault(kFailed):
// silence, a refused event, a conflict. Threads: one.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "tellerctl/bench/frames.h"

namespace tellerd::tellerctl::bench {

using Clock = std::chrono::steady_clock;

struct Sent {
  Clock::time_point started, acknowledged;  // first send, last acknowledgement
  std::uint64_t commit_seq = 0;             // what Wait takes
  std::int64_t pushed_back = 0;             // RETRY_AFTER and GAP answers
};

class Pipeline {
 public:
  static constexpr std::size_t kWindow = 96;

  // Waits until somebody answers HELLO.
  Pipeline(const std::string& endpoint, const std::string& producer, std::chrono::milliseconds patience);
  ~Pipeline();
  Sent send(const Frames& frames);  // returns when all of it has been acknowledged
  std::uint64_t mark() const noexcept { return mark_; }

 private:
  struct Socket;
  void say_hello(const std::string& producer, std::chrono::milliseconds patience);

  std::unique_ptr<Socket> socket_;
  std::string endpoint_;
  std::uint64_t mark_ = 0;
};

}  // namespace tellerd::tellerctl::bench
