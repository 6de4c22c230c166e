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
      events_per_s_(events_per_s),
      dealer_(context, zmq::socket_type::dealer),
      began_(Clock::now()),
      last_(began_),
      on_pace_since_(began_) {
  dealer_.set(zmq::sockopt::linger, 0);
  dealer_.connect(endpoint);
}

double Background::rate() const { return static_cast<double>(taken_) / std::max(seconds(last_ - began_), 1e-9); }

void Background::tick() {
  const auto now = Clock::now();
  if (events_per_s_ <= 0) return;
  take_acks();
  if (now - last_ < kPause) return;
  last_ = now;
  if (is_waiting_)
    send_again_when_due(now);
  else
    send_due(now);
}

void Background::send_due(Clock::time_point now) {
  const auto due = static_cast<std::int64_t>(seconds(now - on_pace_since_) * events_per_s_) - due_from_;
  for (std::int64_t left = std::min(due, 20 * kBatchEventsMax); left > 0; left -= kBatchEventsMax) {
    const std::int64_t count = std::min(left, kBatchEventsMax);
    builder_.start();
    for (std::int64_t at = 0; at < count; ++at) builder_.add(traffic_.event(next_event_++));
    send(unanswered_.emplace_back(Batch{std::string(builder_.finish(producer_, 1, next_seq_, false)), count, now}));
    next_seq_ += static_cast<std::uint64_t>(count);
    due_from_ += count;
  }
}

void Background::send(Batch& batch) {
  dealer_.send(zmq::buffer(batch.bytes), zmq::send_flags::none);
  batch.sent = Clock::now();
  ++in_flight_;
}

// In the order of the batches. What follows one that was not taken is a gap, and goes again after it.
void Background::take_acks() {
  zmq::message_t message;
  wire::Ack ack;
  while (dealer_.recv(message, zmq::recv_flags::dontwait)) {
    if (!wire::parse_ack(message.to_string_view(), ack))
      throw core::Fault(core::Exit::kFailed, "an answer is no acknowledgement");
    --in_flight_;
    if (ack.code == wire::AckCode::kAccepted) {
      ack_ms_.push_back(seconds(Clock::now() - unanswered_.front().sent) * 1000);
      taken_ += unanswered_.front().events;
      unanswered_.pop_front();
    } else if (ack.code == wire::AckCode::kRetryAfter) {
      waits_ += !is_waiting_;
      is_waiting_ = true;
      wait_until_ = std::max(wait_until_, Clock::now() + std::chrono::milliseconds(ack.retry_ms));
    } else if (ack.code != wire::AckCode::kGap || !is_waiting_) {
      throw core::Fault(core::Exit::kFailed, fmt::format("tellerd does not take what is sent beside: {} {}",
                                                         wire::name_of(ack.code), ack.text));
    }
  }
}

void Background::send_again_when_due(Clock::time_point now) {
  if (in_flight_ > 0 || now < wait_until_) return;
  is_waiting_ = false;
  for (Batch& batch : unanswered_) send(batch);
  on_pace_since_ = now;
  due_from_ = 0;
}

}  // namespace tellerd::tellerctl::bench
