// Traffic at a steady rate, sent in small batches by whoever has the thread: tick() often. A producer that is told to
// wait, or hears nothing for a second, asks how far it was heard, sends again what was not taken, and goes on at its
// rate: what it could not send meanwhile is not made up for, so rate() then is less than was wished. Errors:
// core::Fault(kFailed). Threads: one.
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
  double rate() const;                                   // events taken a second, from the first tick to the last
  std::size_t waits() const noexcept { return waits_; }  // times it was told to wait
  const std::vector<double>& ack_ms() const noexcept { return ack_ms_; }  // of each batch, from its last sending

 private:
  struct Batch {
    std::string bytes;
    std::uint64_t last_seq;
    std::int64_t events;
    Clock::time_point sent;
  };
  void send_due(Clock::time_point now);
  void send(Batch& batch);
  void take_acks();
  void take_through(std::uint64_t seq);
  void ask_from(Clock::time_point when);
  void go_on();
  Traffic& traffic_;
  std::string producer_;
  std::int64_t next_event_, taken_ = 0, due_from_ = 0;
  double events_per_s_;
  zmq::socket_t dealer_;
  wire::BatchBuilder builder_;
  std::uint64_t next_seq_ = 1;
  Clock::time_point began_, last_, on_pace_since_, heard_, ask_at_;
  std::deque<Batch> unanswered_;  // sent and not yet taken, the oldest first
  std::size_t waits_ = 0;
  bool is_asking_ = false;  // it sends HELLO at ask_at_, and until that is answered nothing else
  std::vector<double> ack_ms_;
};

}  // namespace tellerd::tellerctl::bench
