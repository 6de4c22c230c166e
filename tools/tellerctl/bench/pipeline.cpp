#include "tellerctl/bench/pipeline.h"

#include <fmt/core.h>

#include <algorithm>
#include <thread>
#include <zmq.hpp>

#include "core/fault.h"
#include "tellerctl/bench/interrupt.h"
#include "wire/batch.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr auto kSilenceMax = std::chrono::seconds(30);
constexpr int kReconnectMs = 2;

core::Fault failed(const std::string& sentence) { return core::Fault(core::Exit::kFailed, sentence); }

// Where one send() stands, in frames.
struct Progress {
  std::size_t next = 0, acknowledged = 0, in_flight = 0;
  bool is_behind = false;  // something was not taken: send again once nothing is on its way
  std::uint32_t pause_ms = 0;
};

void absorb(const wire::Ack& ack, const Frames& frames, Progress& progress, Sent& sent) {
  if (!ack.verdicts.empty())
    throw failed(fmt::format("event {} was refused: {} {}", ack.verdicts[0].seq, wire::name_of(ack.verdicts[0].code),
                             ack.verdicts[0].field));
  switch (ack.code) {
    case wire::AckCode::kHello:
      return;
    case wire::AckCode::kAccepted:
    case wire::AckCode::kDuplicate: {
      const auto done = static_cast<std::size_t>(ack.through_seq + 1 - frames.first_seq);
      const bool is_all = ack.through_seq >= frames.last_seq();
      progress.acknowledged = is_all ? frames.frames.size() : done / static_cast<std::size_t>(Frames::kEventsEach);
      sent.commit_seq = std::max(sent.commit_seq, ack.commit_seq);
      break;
    }
    case wire::AckCode::kRetryAfter:
      progress.pause_ms = std::max(progress.pause_ms, ack.retry_ms);
      [[fallthrough]];
    case wire::AckCode::kGap:
      progress.is_behind = true;
      ++sent.pushed_back;
      break;
    case wire::AckCode::kConflict:
    case wire::AckCode::kInvalid:
      throw failed(fmt::format("{}: {}", wire::name_of(ack.code), ack.text));
  }
  --progress.in_flight;
}

}  // namespace

struct Pipeline::Socket {
  zmq::context_t context;
  zmq::socket_t dealer{context, zmq::socket_type::dealer};

  bool receive(wire::Ack& ack) {
    zmq::message_t message;
    if (!dealer.recv(message, zmq::recv_flags::dontwait)) return false;
    if (!wire::parse_ack(message.to_string_view(), ack)) throw failed("an answer is no acknowledgement");
    return true;
  }
};

Pipeline::Pipeline(const std::string& endpoint, const std::string& producer, std::chrono::milliseconds patience)
    : socket_(std::make_unique<Socket>()), endpoint_(endpoint) {
  auto& dealer = socket_->dealer;
  dealer.set(zmq::sockopt::linger, 0);
  dealer.set(zmq::sockopt::sndhwm, 256);
  dealer.set(zmq::sockopt::rcvhwm, 256);
  dealer.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
  dealer.set(zmq::sockopt::reconnect_ivl_max, kReconnectMs);
  dealer.connect(endpoint);
  say_hello(producer, patience);
}

Pipeline::~Pipeline() = default;

void Pipeline::say_hello(const std::string& producer, std::chrono::milliseconds patience) {
  const std::string hello = wire::build_hello(producer, 1);
  socket_->dealer.send(zmq::buffer(hello), zmq::send_flags::none);
  zmq::pollitem_t item{socket_->dealer.handle(), 0, ZMQ_POLLIN, 0};
  wire::Ack ack;
  if (zmq::poll(&item, 1, patience) == 0 || !socket_->receive(ack) || ack.code != wire::AckCode::kHello)
    throw failed("no answer from " + endpoint_);
  mark_ = ack.through_seq;
}

Sent Pipeline::send(const Frames& frames) {
  auto& dealer = socket_->dealer;
  Sent sent;
  Progress progress;
  sent.started = Clock::now();
  auto heard = sent.started;
  wire::Ack ack;
  while (progress.acknowledged < frames.frames.size()) {
    check_interrupted();
    bool is_full = false;
    while (!is_full && !progress.is_behind && progress.in_flight < kWindow && progress.next < frames.frames.size()) {
      const std::string& frame = frames.frames[progress.next];
      zmq::message_t message(const_cast<char*>(frame.data()), frame.size(), nullptr);  // nothing is copied
      is_full = !dealer.send(message, zmq::send_flags::dontwait);
      if (is_full) break;
      ++progress.next;
      ++progress.in_flight;
    }
    zmq::pollitem_t item{dealer.handle(), 0, static_cast<short>(is_full ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN), 0};
    zmq::poll(&item, 1, std::chrono::milliseconds(1000));
    while (socket_->receive(ack)) {
      heard = Clock::now();
      absorb(ack, frames, progress, sent);
      ack = {};
    }
    if (Clock::now() - heard > kSilenceMax) throw failed("no acknowledgement from " + endpoint_);
    if (!progress.is_behind || progress.in_flight > 0) continue;
    std::this_thread::sleep_for(std::chrono::milliseconds(progress.pause_ms));
    progress = {progress.acknowledged, progress.acknowledged, 0, false, 0};
  }
  sent.acknowledged = Clock::now();
  mark_ = frames.last_seq();
  return sent;
}

}  // namespace tellerd::tellerctl::bench
