#include "tellerctl/bench/desk_crowd.h"

#include <fmt/core.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/fault.h"
#include "tellerctl/bench/interrupt.h"

namespace tellerd::tellerctl::bench {
namespace {

using nlohmann::json;
constexpr auto kSilenceMax = std::chrono::seconds(20);

// What stands after `"name":` up to a comma, a bracket or a quote: desks cost the machine that is measured, so an
// answer is not parsed where a look at it will do.
std::string_view member(std::string_view frame, std::string_view name) {
  const std::string key = fmt::format("\"{}\":", name);
  const std::size_t at = frame.find(key);
  if (at == std::string_view::npos) return {};
  frame.remove_prefix(at + key.size());
  if (frame.starts_with('"')) frame.remove_prefix(1);
  return frame.substr(0, frame.find_first_of(",]}\""));
}

double ms_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

}  // namespace

DeskCrowd::DeskCrowd(zmq::context_t& context, const std::string& endpoint, const DeskPace& pace) : pace_(pace) {
  any_of_them_ = epoll_create1(EPOLL_CLOEXEC);
  if (any_of_them_ < 0) throw core::Fault(core::Exit::kFailed, std::string("epoll: ") + std::strerror(errno));
  static std::int64_t crowds = 0;
  ++crowds;
  for (int number = 0; number < pace.desks; ++number) {
    Desk& desk = desks_.emplace_back();
    desk.socket = zmq::socket_t(context, zmq::socket_type::dealer);
    desk.socket.set(zmq::sockopt::linger, 0);
    desk.socket.connect(endpoint);
    hello(desk, fmt::format("bench-{}-{}", crowds, number));
  }
  for (Desk& desk : desks_) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &desk;
    if (epoll_ctl(any_of_them_, EPOLL_CTL_ADD, desk.socket.get(zmq::sockopt::fd), &event) != 0)
      throw core::Fault(core::Exit::kFailed, std::string("epoll: ") + std::strerror(errno));
  }
}

DeskCrowd::~DeskCrowd() { close(any_of_them_); }

void DeskCrowd::hello(Desk& desk, const std::string& name) {
  desk.socket.send(zmq::buffer(fmt::format(R"({{"id":0,"verb":"HELLO","client":"{}","session":"1"}})", name)),
                   zmq::send_flags::none);
  zmq::pollitem_t item{desk.socket.handle(), 0, ZMQ_POLLIN, 0};
  zmq::message_t answer;
  if (zmq::poll(&item, 1, kSilenceMax) == 0 || !desk.socket.recv(answer) ||
      !json::parse(answer.to_string_view()).value("ok", false))
    throw core::Fault(core::Exit::kFailed, "the daemon does not take a desk: " + answer.to_string());
}

void DeskCrowd::pull(Desk& desk, Clock::time_point now) {
  ++started_;
  desk.doing = Doing::kPulling;
  desk.asked = now;
  desk.socket.send(
      zmq::buffer(fmt::format(R"({{"id":{},"verb":"PULL","queue":"marketing","credit":1,"wait_ms":2000}})", ++desk.id)),
      zmq::send_flags::none);
}

void DeskCrowd::take(Desk& desk, const std::string& frame, Clock::time_point now) {
  if (frame.starts_with(R"({"push")") || member(frame, "id") != std::to_string(desk.id)) return;
  // Beside ingest an offer may end under its lease: that desk has been told, and goes on.
  const bool is_withdrawn = desk.doing == Doing::kReturning && member(frame, "code") == "STALE_LEASE";
  if (member(frame, "ok") != "true" && !is_withdrawn)
    throw core::Fault(core::Exit::kFailed, "a desk was refused: " + frame.substr(0, 200));
  if (desk.doing == Doing::kReturning) {
    return_ms_.push_back(ms_between(desk.asked, now));
    desk.doing = Doing::kNothing;
    ++done_;
    return;
  }
  const std::string_view offer = member(frame, "offer_id");
  if (offer.empty()) {
    ++empty_;
    --started_;
    desk.doing = Doing::kNothing;
    return;
  }
  lease_ms_.push_back(ms_between(desk.asked, now));
  desk.doing = Doing::kReturning;
  desk.asked = now;
  desk.socket.send(zmq::buffer(fmt::format(R"({{"id":{},"verb":"{}","offer_id":"{}","epoch":{}{}}})", ++desk.id,
                                           pace_.is_disposing ? "DISPOSE" : "RELEASE", offer, member(frame, "epoch"),
                                           pace_.is_disposing ? R"(,"code":"NOT_INTERESTED")" : "")),
                   zmq::send_flags::none);
}

// A socket's descriptor speaks once of what may have come, also when it was a send that found it: so after each.
bool DeskCrowd::hear(Desk& desk) {
  bool has_heard = false;
  zmq::message_t message;
  while (desk.socket.recv(message, zmq::recv_flags::dontwait)) {
    has_heard = true;
    take(desk, message.to_string(), Clock::now());
  }
  return has_heard;
}

void DeskCrowd::run(std::int64_t leases, const std::function<void()>& between) {
  const auto began = Clock::now();
  auto heard = began;
  wanted_ = started_ + leases;
  const std::int64_t until = done_ + leases;
  const auto turn =
      pace_.leases_per_s > 0
          ? std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(pace_.desks / pace_.leases_per_s))
          : Clock::duration(0);
  for (std::size_t at = 0; at < desks_.size(); ++at)
    desks_[at].next = began + turn * static_cast<int>(at) / pace_.desks;  // evenly spread
  std::array<epoll_event, 64> events;
  while (done_ < until) {
    check_interrupted();
    auto now = Clock::now();
    for (Desk& desk : desks_) {
      if (desk.doing != Doing::kNothing || desk.next > now || started_ >= wanted_) continue;
      pull(desk, now);
      desk.next = std::max(desk.next + turn, now - turn);
      if (hear(desk)) heard = now;
    }
    const int ready = epoll_wait(any_of_them_, events.data(), events.size(), 1);
    now = Clock::now();
    for (int at = 0; at < ready; ++at)
      if (hear(*static_cast<Desk*>(events[static_cast<std::size_t>(at)].data.ptr))) heard = now;
    if (now - heard > kSilenceMax)
      throw core::Fault(core::Exit::kFailed,
                        fmt::format("no desk has had an answer for 20 s; {} of {} leases are done", done_, until));
    if (between) between();
  }
  wall_s_ = std::chrono::duration<double>(Clock::now() - began).count();
}

}  // namespace tellerd::tellerctl::bench
