// The PUB feed: lines said by the engine go out at once, two frames [topic][JSON]. A listener that fell behind fills
// the gap in a topic's sequence through Replay. The hand-over is bounded: what does not fit is found in teller.db
// later. Threads: is_wanted(), offer() and hand_on() are the engine's;
// pump() the delivery thread's.
#pragma once
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

namespace tellerd::deliver {

class Feed {
 public:
  Feed(zmq::context_t& context, const std::vector<std::string>& endpoints);
  // False when nobody listens to the topic or the hand-over is full: then the words need not be made.
  bool is_wanted(std::string_view topic) const;
  void offer(std::string topic, std::string body);  // goes with the next hand_on()
  void hand_on();                                   // to the thread that sends; once for many lines
  void pump();                                      // sends what waits, counts who subscribes
  void* handle() { return socket_.handle(); }
  int wake_descriptor() const noexcept { return wake_; }  // readable when something waits to be sent
  ~Feed();
  std::uint64_t sent() const noexcept { return sent_.load(); }
  int subscribers() const noexcept { return subscribers_.load(); }

 private:
  static constexpr std::size_t kWaitingMax = 65'536;
  struct Message {
    std::string topic, body;
  };
  zmq::socket_t socket_;
  int wake_ = -1;
  std::vector<Message> offered_;
  mutable std::mutex mutex_;
  std::deque<Message> waiting_;
  std::map<std::string, int> prefixes_;  // how many have subscribed to each
  std::atomic<std::size_t> waiting_count_{0};
  std::atomic<int> subscribers_{0};
  std::atomic<std::uint64_t> sent_{0};
};

}  // namespace tellerd::deliver
