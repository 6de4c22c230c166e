// tellerctl's side of the feed: a daemon that cannot replay yet is asked again, and nothing is left out by that.
#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/fault.h"
#include "tellerctl/client/feed.h"
#include "unit/ctl_peer.h"

using namespace tellerd;
using namespace tellerd::test;
using namespace tellerd::tellerctl;
using nlohmann::json;

namespace {

// A daemon that says `not_yet` times that it is too early, and then has three messages.
struct Daemon {
  TemporaryFolder folder;
  std::atomic<int> not_yet{0}, asked{0};
  Peer query{endpoint_in(folder.path, "query.sock"), [this](const std::string& frame) { return answer(frame); }};
  zmq::context_t context;
  zmq::socket_t pub{context, zmq::socket_type::pub};

  Daemon() {
    pub.set(zmq::sockopt::linger, 0);
    pub.bind(endpoint_in(folder.path, "feed.sock"));
  }
  std::vector<std::string> answer(const std::string& frame) {
    const json ask = json::parse(frame);
    ++asked;
    json told{{"id", ask["id"]}, {"ok", false}};
    if (ask["topic"] != "offer.marketing") {
      told.update({{"code", "NOT_FOUND"}, {"text", "there is no topic x; there are offer.marketing"}});
    } else if (not_yet > 0) {
      --not_yet;
      told.update({{"code", "RETRY_LATER"}, {"text", "teller.db: cannot open"}});
    } else {
      told.update({{"ok", true}, {"messages", json::array()}});
      for (std::int64_t seq = ask["from_seq"]; seq <= 3; ++seq) told["messages"].push_back({{"seq", seq}});
    }
    return {told.dump()};
  }
  void say(int seq) {
    pub.send(zmq::str_buffer("offer.marketing"), zmq::send_flags::sndmore);
    pub.send(zmq::buffer(json{{"seq", seq}}.dump()), zmq::send_flags::none);
  }
  QueryClient client() { return {endpoint_in(folder.path, "query.sock"), Milliseconds(5000), "the daemon"}; }
  std::string feed() const { return endpoint_in(folder.path, "feed.sock"); }
};

// What is heard until three are, or ten seconds are over; `meanwhile` goes on beside.
std::vector<int> heard(Feed& feed, const std::function<void()>& meanwhile = {}) {
  std::vector<int> seqs;
  std::string message;
  const auto until = Clock::now() + std::chrono::seconds(10);
  while (seqs.size() < 3 && Clock::now() < until) {
    if (meanwhile) meanwhile();
    if (feed.next(message, Milliseconds(50))) seqs.push_back(json::parse(message)["seq"]);
  }
  return seqs;
}

}  // namespace

TEST_SUITE("ctl.feed") {
  TEST_CASE("a daemon whose store is not made yet is asked again, until it is") {
    Daemon daemon;
    daemon.not_yet = 2;
    auto query = daemon.client();
    Feed feed(daemon.feed(), "offer.marketing", query, 1);
    feed.await_topic();
    CHECK(daemon.asked == 3);
    CHECK(heard(feed) == std::vector{1, 2, 3});
  }

  TEST_CASE("a topic that is not there is a fault that names those there are") {
    Daemon daemon;
    auto query = daemon.client();
    Feed feed(daemon.feed(), "offer.nowhere", query, 0);
    CHECK_THROWS_WITH_AS(feed.await_topic(), "there is no topic x; there are offer.marketing", core::Fault);
  }

  TEST_CASE("a live message past a gap that cannot be filled yet waits for what comes before it") {
    Daemon daemon;
    daemon.not_yet = 2;
    auto query = daemon.client();
    Feed feed(daemon.feed(), "offer.marketing", query, 1);
    CHECK(heard(feed, [&] { daemon.say(3); }) == std::vector{1, 2, 3});
  }
}
