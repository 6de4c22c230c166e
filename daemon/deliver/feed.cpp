#include "deliver/feed.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "core/fault.h"
#include "ingest/sockets.h"

namespace tellerd::deliver {

Feed::Feed(zmq::context_t& context, const std::vector<std::string>& endpoints)
    : socket_(context, zmq::socket_type::xpub) {
  ingest::set_server_options(socket_);
  socket_.set(zmq::sockopt::sndhwm, 100'000);
  socket_.set(zmq::sockopt::xpub_verboser, 1);  // every subscription and its end is seen, so they can be counted
  ingest::bind_all(socket_, endpoints);
  wake_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_ < 0) throw core::Fault(core::Exit::kFailed, "the feed gets no descriptor: raise LimitNOFILE");
}

Feed::~Feed() { ::close(wake_); }

bool Feed::is_wanted(std::string_view topic) const {
  if (subscribers_.load() == 0 || waiting_count_.load() >= kWaitingMax) return false;
  const std::lock_guard lock(mutex_);
  return std::any_of(prefixes_.begin(), prefixes_.end(),
                     [&](const auto& prefix) { return topic.starts_with(prefix.first); });
}

void Feed::offer(std::string topic, std::string body) { offered_.push_back({std::move(topic), std::move(body)}); }

void Feed::hand_on() {
  if (offered_.empty()) return;
  bool is_first = false;  // what waits already has woken the one who sends
  {
    const std::lock_guard lock(mutex_);
    is_first = waiting_.empty();
    std::move(offered_.begin(), offered_.end(), std::back_inserter(waiting_));
    waiting_count_.store(waiting_.size());
  }
  offered_.clear();
  if (is_first) eventfd_write(wake_, 1);
}

void Feed::pump() {
  eventfd_t woken = 0;
  eventfd_read(wake_, &woken);
  zmq::message_t subscription;
  while (socket_.recv(subscription, zmq::recv_flags::dontwait)) {
    if (subscription.size() == 0) continue;
    const char first = *subscription.data<char>();
    if (first > 1) continue;
    const int change = first == 1 ? 1 : -1;
    const std::lock_guard lock(mutex_);
    const auto prefix = prefixes_.try_emplace(subscription.to_string().substr(1), 0).first;
    prefix->second += change;
    if (prefix->second <= 0) prefixes_.erase(prefix);
    subscribers_.fetch_add(change);
  }
  std::deque<Message> batch;
  {
    const std::lock_guard lock(mutex_);
    batch.swap(waiting_);
    waiting_count_.store(0);
  }
  for (const auto& message : batch) {
    if (!socket_.send(zmq::buffer(message.topic), zmq::send_flags::sndmore | zmq::send_flags::dontwait)) continue;
    static_cast<void>(socket_.send(zmq::buffer(message.body), zmq::send_flags::dontwait));
    sent_.fetch_add(1);
  }
}

}  // namespace tellerd::deliver
