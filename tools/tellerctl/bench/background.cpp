#include "tellerctl/bench/background.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/fault.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr std::int64_t kBatchEventsMax = 500;
constexpr std::uint64_t kIncarnation = 1;
constexpr auto kPause = std::chrono::milliseconds(1);
constexpr auto kSilence = std::chrono::seconds(1);
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
  if (!is_asking_ && !unanswered_.empty() && now - heard_ > kSilence) ask_from(now);
  if (!is_asking_) return send_due(now);
  if (now < ask_at_) return;
  const std::string hello = wire::build_hello(producer_, kIncarnation);
  dealer_.send(zmq::buffer(hello), zmq::send_flags::none);
  ask_at_ = now + kSilence;
}

void Background::send_due(Clock::time_point now) {
  const auto due = static_cast<std::int64_t>(seconds(now - on_pace_since_) * events_per_s_) - due_from_;
  for (std::int64_t left = std::min(due, 20 * kBatchEventsMax); left > 0; left -= kBatchEventsMax) {
    const std::int64_t count = std::min(left, kBatchEventsMax);
    builder_.start();
    for (std::int64_t at = 0; at < count; ++at) builder_.add(traffic_.event(next_event_++));
    if (unanswered_.empty()) heard_ = now;
    const std::uint64_t first_seq = std::exchange(next_seq_, next_seq_ + static_cast<std::uint64_t>(count));
    const auto frame = builder_.finish(producer_, kIncarnation, first_seq, false);
    send(unanswered_.emplace_back(Batch{std::string(frame), next_seq_ - 1, count, now}));
    due_from_ += count;
  }
}

void Background::send(Batch& batch) {
  dealer_.send(zmq::buffer(batch.bytes), zmq::send_flags::none);
  batch.sent = Clock::now();
}

void Background::take_acks() {
  zmq::message_t message;
  wire::Ack ack;
  while (dealer_.recv(message, zmq::recv_flags::dontwait)) {
    if (!wire::parse_ack(message.to_string_view(), ack))
      throw core::Fault(core::Exit::kFailed, "an answer is no acknowledgement");
    heard_ = Clock::now();
    take_through(ack.through_seq);
    switch (ack.code) {
      case wire::AckCode::kAccepted:
      case wire::AckCode::kDuplicate:
        break;
      case wire::AckCode::kRetryAfter:
        waits_ += !is_asking_;
        [[fallthrough]];
      case wire::AckCode::kGap:  // follows a batch that was not taken, whose own answer may be lost
        ask_from(heard_ + std::chrono::milliseconds(ack.retry_ms));
        break;
      case wire::AckCode::kHello:
        go_on();
        break;
      default:
        throw core::Fault(core::Exit::kFailed, fmt::format("tellerd does not take what is sent beside: {} {}",
                                                           wire::name_of(ack.code), ack.text));
    }
  }
}

void Background::take_through(std::uint64_t seq) {
  for (; !unanswered_.empty() && unanswered_.front().last_seq <= seq; unanswered_.pop_front()) {
    ack_ms_.push_back(seconds(heard_ - unanswered_.front().sent) * 1000);
    taken_ += unanswered_.front().events;
  }
}

// Answers come in the order of what was sent, so the one to HELLO is the last of those to batches before it.
void Background::ask_from(Clock::time_point when) {
  ask_at_ = is_asking_ ? std::max(ask_at_, when) : when;
  is_asking_ = true;
}

void Background::go_on() {
  if (!std::exchange(is_asking_, false)) return;  // it was asked twice
  for (Batch& batch : unanswered_) send(batch);
  on_pace_since_ = heard_;
  due_from_ = 0;
}

}  // namespace tellerd::tellerctl::bench
