// Many desks in one thread, each a DEALER of its own: every desk takes an offer, keeps it for no time, and gives its
// outcome or the offer itself back, at a pace. Errors: core::Fault(kFailed) when the daemon refuses. Threads: one.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "tellerctl/bench/pipeline.h"

namespace tellerd::tellerctl::bench {

struct DeskPace {
  int desks = 200;
  double leases_per_s = 0;   // of all desks together; 0: as fast as answers come
  bool is_disposing = true;  // else each offer is released
};

class DeskCrowd {
 public:
  DeskCrowd(zmq::context_t& context, const std::string& endpoint, const DeskPace& pace);
  ~DeskCrowd();
  DeskCrowd(const DeskCrowd&) = delete;
  // Takes and gives until so many leases have been given back; `between` is called between polls.
  void run(std::int64_t leases, const std::function<void()>& between);
  const std::vector<double>& lease_ms() const noexcept { return lease_ms_; }  // PULL sent until its offer is here
  const std::vector<double>& return_ms() const noexcept { return return_ms_; }
  std::int64_t empty() const noexcept { return empty_; }
  double wall_s() const noexcept { return wall_s_; }

 private:
  enum class Doing { kNothing, kPulling, kReturning };
  struct Desk {
    zmq::socket_t socket;
    Doing doing = Doing::kNothing;
    std::int64_t id = 0;
    Clock::time_point asked, next;
  };
  void hello(Desk& desk, const std::string& name);
  void pull(Desk& desk, Clock::time_point now);
  void take(Desk& desk, const std::string& frame, Clock::time_point now);
  bool hear(Desk& desk);  // all that has come for it

  DeskPace pace_;
  std::deque<Desk> desks_;
  int any_of_them_ = -1;  // epoll over the sockets' descriptors
  std::vector<double> lease_ms_, return_ms_;
  std::int64_t done_ = 0, started_ = 0, empty_ = 0, wanted_ = 0;
  double wall_s_ = 0;
};

}  // namespace tellerd::tellerctl::bench
