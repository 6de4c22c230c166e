#include "deliver/feed.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

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

void Feed::offer(std::string topic, std::string body) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(topic), std::move(body)});
    waiting_count_.store(waiting_.size());
  }
  eventfd_write(wake_, 1);
}

void Feed::pump() {
  eventfd_t woken = 0;
  eventfd_read(wake_, &woken);
  zmq::message_t subscription;
  while (socket_.recv(subscription, zmq::recv_flags::dontwait)) {
    if (subscription.size() == 0) continue;
    const char first = *subscription.data<char>();
    if (first == 1) subscribers_.fetch_add(1);
    if (first == 0) subscribers_.fetch_sub(1);
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
