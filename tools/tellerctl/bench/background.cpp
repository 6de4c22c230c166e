#include "tellerctl/bench/background.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/fault.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr std::int64_t kBatchEventsMax = 500;
constexpr auto kPause = std::chrono::milliseconds(1);
double seconds(Clock::duration span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

Background::Background(zmq::context_t& context, const std::string& endpoint, std::string producer, Traffic& traffic,
                       std::int64_t first_event, double events_per_s)
    : traffic_(traffic),
      producer_(std::move(producer)),
      next_event_(first_event),
      first_event_(first_event),
      events_per_s_(events_per_s),
      dealer_(context, zmq::socket_type::dealer),
      began_(Clock::now()),
      last_(began_) {
  dealer_.set(zmq::sockopt::linger, 0);
  dealer_.connect(endpoint);
}

double Background::rate() const {
  return static_cast<double>(next_event_ - first_event_) / std::max(seconds(last_ - began_), 1e-9);
}

void Background::tick() {
  const auto now = Clock::now();
  if (events_per_s_ <= 0) return;
  take_acks();
  if (now - last_ < kPause) return;
  last_ = now;
  const auto due = static_cast<std::int64_t>(seconds(now - began_) * events_per_s_) - (next_event_ - first_event_);
  for (std::int64_t left = std::min(due, 20 * kBatchEventsMax); left > 0; left -= kBatchEventsMax) {
    const std::int64_t count = std::min(left, kBatchEventsMax);
    builder_.start();
    for (std::int64_t at = 0; at < count; ++at) builder_.add(traffic_.event(next_event_++));
    dealer_.send(zmq::buffer(builder_.finish(producer_, 1, next_seq_, false)), zmq::send_flags::none);
    sent_.push_back(Clock::now());
    next_seq_ += static_cast<std::uint64_t>(count);
  }
}

// In the order of the batches.
void Background::take_acks() {
  zmq::message_t message;
  wire::Ack ack;
  while (dealer_.recv(message, zmq::recv_flags::dontwait)) {
    if (!wire::parse_ack(message.to_string_view(), ack) || ack.code != wire::AckCode::kAccepted)
      throw core::Fault(core::Exit::kFailed, fmt::format("tellerd does not take {:.0f} events/s: {} {}", events_per_s_,
                                                         wire::name_of(ack.code), ack.text));
    ack_ms_.push_back(seconds(Clock::now() - sent_.front()) * 1000);
    sent_.pop_front();
  }
}

}  // namespace tellerd::tellerctl::bench
