// Traffic at a steady rate, sent in small batches by whoever has the thread: tick() often. RETRY_AFTER is an error: the
// rate is one the daemon takes. Errors: core::Fault(kFailed). Threads: one.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "tellerctl/bench/pipeline.h"
#include "tellerctl/bench/traffic.h"
#include "wire/batch.h"

namespace tellerd::tellerctl::bench {

class Background {
 public:
  Background(zmq::context_t& context, const std::string& endpoint, std::string producer, Traffic& traffic,
             std::int64_t first_event, double events_per_s);
  void tick();
  double rate() const;                                                    // what has really been sent a second
  const std::vector<double>& ack_ms() const noexcept { return ack_ms_; }  // of each batch

 private:
  void take_acks();
  Traffic& traffic_;
  std::string producer_;
  std::int64_t next_event_, first_event_;
  double events_per_s_;
  zmq::socket_t dealer_;
  wire::BatchBuilder builder_;
  std::uint64_t next_seq_ = 1;
  Clock::time_point began_, last_;
  std::deque<Clock::time_point> sent_;
  std::vector<double> ack_ms_;
};

}  // namespace tellerd::tellerctl::bench
