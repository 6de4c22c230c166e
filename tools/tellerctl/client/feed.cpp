#include "tellerctl/client/feed.h"

#include <nlohmann/json.hpp>
#include <thread>
#include <utility>
#include <zmq.hpp>

#include "core/fault.h"

namespace tellerd::tellerctl {
namespace {

using nlohmann::json;

constexpr int kReplayLimit = 500;
constexpr auto kPause = std::chrono::milliseconds(200);
constexpr auto kQuietAsk = std::chrono::seconds(2);  // a gap before a silence would otherwise stay open

}  // namespace

struct Feed::Socket {
  zmq::context_t context;
  zmq::socket_t sub{context, zmq::socket_type::sub};
};

Feed::Feed(const std::string& feed_endpoint, std::string topic, QueryClient& query, std::uint64_t from_seq)
    : socket_(std::make_unique<Socket>()), topic_(std::move(topic)), query_(query), expected_(from_seq) {
  auto& sub = socket_->sub;
  sub.set(zmq::sockopt::linger, 0);
  sub.set(zmq::sockopt::reconnect_ivl, 50);
  sub.set(zmq::sockopt::heartbeat_ivl, 5000);
  sub.set(zmq::sockopt::heartbeat_timeout, 15000);
  sub.set(zmq::sockopt::subscribe, topic_);
  try {
    sub.connect(feed_endpoint);
  } catch (const zmq::error_t& error) {
    throw core::Fault(core::Exit::kFailed, "cannot use " + feed_endpoint + ": " + error.what());
  }
}

Feed::~Feed() = default;

bool Feed::next(std::string& message, Milliseconds wait) {
  if (ready_.empty()) receive_live(wait);
  if (ready_.empty() && expected_ != 0 && Clock::now() - asked_ > kQuietAsk) fill_from(expected_);
  if (ready_.empty()) return false;
  message = std::move(ready_.front());
  ready_.pop_front();
  return true;
}

void Feed::receive_live(Milliseconds wait) {
  zmq::pollitem_t item{socket_->sub.handle(), 0, ZMQ_POLLIN, 0};
  if (zmq::poll(&item, 1, wait) == 0) return;
  zmq::message_t topic, body;
  if (!socket_->sub.recv(topic, zmq::recv_flags::dontwait) || !topic.more()) return;
  if (!socket_->sub.recv(body, zmq::recv_flags::none) || topic.to_string_view() != topic_) return;
  const json message = json::parse(body.to_string_view(), nullptr, false);
  const std::uint64_t seq = message.is_object() ? message.value("seq", std::uint64_t{0}) : 0;
  if (seq == 0 || seq < expected_) return;  // no message of ours, or one that a replay brought before
  if (expected_ != 0 && seq > expected_ && !fill_from(expected_)) return;  // it will be brought with what is missed
  if (seq < expected_) return;
  expected_ = seq + 1;
  ready_.push_back(body.to_string());
}

void Feed::await_topic() {
  while (!replayed(1, 1)) std::this_thread::sleep_for(kPause);
}

// Nothing when the daemon asks to be asked again: its store is not made yet, or is read for too long.
std::optional<json> Feed::replayed(std::uint64_t from_seq, int limit) {
  json answer = query_.ask("Replay", {{"topic", topic_}, {"from_seq", from_seq}, {"limit", limit}});
  if (answer.value("ok", false)) return answer;
  if (answer.value("code", "") == "RETRY_LATER") return std::nullopt;
  throw core::Fault(core::Exit::kFailed, answer.value("text", "tellerd does not say what was said before"));
}

// Everything the daemon still has from there on; what it no longer has stays a gap.
bool Feed::fill_from(std::uint64_t seq) {
  for (;;) {
    asked_ = Clock::now();
    const auto answer = replayed(seq, kReplayLimit);
    if (!answer) return false;
    const json messages = answer->value("messages", json::array());
    for (const json& message : messages) {
      const std::uint64_t at = message.value("seq", std::uint64_t{0});
      if (at < expected_) continue;
      expected_ = at + 1;
      ready_.push_back(message.dump());
    }
    if (messages.size() < kReplayLimit || expected_ <= seq) return true;
    seq = expected_;
  }
}

}  // namespace tellerd::tellerctl
