#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "core/fault.h"
#include "tellerctl/client/feed.h"
#include "tellerctl/client/query_client.h"
#include "unit/ctl_peer.h"

using namespace tellerd;
using namespace tellerd::test;
using namespace tellerd::tellerctl;

TEST_SUITE("tellerctl.connection") {
  // A listener that hangs up on everybody at once, as a daemon does that is being killed.
  class HangsUp {
   public:
    explicit HangsUp(const std::filesystem::path& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      path.string().copy(address.sun_path, sizeof address.sun_path - 1);
      REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
      REQUIRE(::listen(socket_, 16) == 0);
      thread_ = std::thread([this] {
        for (int peer = ::accept(socket_, nullptr, nullptr); peer >= 0; peer = ::accept(socket_, nullptr, nullptr))
          ::close(peer);
      });
    }
    ~HangsUp() {
      ::shutdown(socket_, SHUT_RDWR);
      thread_.join();
      ::close(socket_);
    }

   private:
    int socket_;
    std::thread thread_;
  };

  // Once a disconnect that came while a socket was being replaced stopped the thread behind all sockets for ever.
  TEST_CASE("a connection opened afresh again and again, while it is being hung up on, meets the daemon in the end") {
    const TemporaryFolder folder;
    Connection connection(endpoint_in(folder.path, "s.sock"));
    std::string frame;
    {
      const HangsUp listener(folder.path / "s.sock");
      for (int turn = 0; turn < 400; ++turn) {
        connection.receive(frame, Milliseconds(turn % 3));
        connection.open();
      }
    }
    std::filesystem::remove(folder.path / "s.sock");
    const Peer peer(endpoint_in(folder.path, "s.sock"),
                    [](const std::string& asked) { return std::vector<std::string>{asked + "!"}; });
    // The last one opened may still have met who hangs up: then it is asked again, as every client does.
    auto got = Connection::Got::kGone;
    for (int turn = 0; turn < 3 && got != Connection::Got::kFrame; ++turn) {
      if (turn > 0) connection.open();
      REQUIRE(connection.send("there", Milliseconds(5000)));
      got = connection.receive(frame, Milliseconds(5000));
    }
    CHECK(got == Connection::Got::kFrame);
    CHECK(frame == "there!");
  }

  TEST_CASE("a daemon that goes away is noticed at once") {
    const TemporaryFolder folder;
    Connection connection(endpoint_in(folder.path, "s.sock"));
    std::string frame;
    auto peer = std::make_unique<Peer>(endpoint_in(folder.path, "s.sock"),
                                       [](const std::string&) { return std::vector<std::string>{}; });
    REQUIRE(connection.send("there", Milliseconds(2000)));
    CHECK(connection.receive(frame, Milliseconds(50)) == Connection::Got::kNothing);
    peer.reset();
    CHECK(connection.receive(frame, Milliseconds(2000)) == Connection::Got::kGone);
  }
}

TEST_SUITE("tellerctl.query_client") {
  using nlohmann::json;

  TEST_CASE("a question is asked again until it is answered, and only its own answer counts") {
    const TemporaryFolder folder;
    std::atomic<int> asked{0};
    const Peer peer(endpoint_in(folder.path, "query.sock"),
                    [&asked](const std::string& frame) -> std::vector<std::string> {
                      const json question = json::parse(frame);
                      if (++asked == 1) return {};
                      return {R"({"id":99,"ok":true})", "no JSON",
                              json{{"id", question["id"]}, {"ok", true}, {"verb", question["verb"]}}.dump()};
                    });
    QueryClient client(endpoint_in(folder.path, "query.sock"), Milliseconds(2000), "tellerd on DIR");
    const json answer = client.ask("Customer", {{"key", "C1"}}, Milliseconds(100));
    CHECK(answer["verb"] == "Customer");
    CHECK(answer["id"] == 1);
    CHECK(asked == 2);
  }

  TEST_CASE("a refusal is the daemon's sentence") {
    const TemporaryFolder folder;
    const Peer peer(endpoint_in(folder.path, "query.sock"), [](const std::string& frame) -> std::vector<std::string> {
      return {
          json{{"id", json::parse(frame)["id"]}, {"ok", false}, {"code", "NO_CUSTOMER"}, {"text", "no such customer"}}
              .dump()};
    });
    QueryClient client(endpoint_in(folder.path, "query.sock"), Milliseconds(1000), "tellerd on DIR");
    CHECK_THROWS_WITH(client.ask_ok("Customer", {{"key", "C1"}}), "no such customer");
    CHECK_THROWS_WITH(client.wait_readable(7), "no such customer");
  }

  TEST_CASE("waiting goes on while the daemon says it has not come so far") {
    const TemporaryFolder folder;
    std::atomic<int> asked{0};
    const Peer peer(
        endpoint_in(folder.path, "query.sock"), [&asked](const std::string& frame) -> std::vector<std::string> {
          const json question = json::parse(frame);
          const bool is_right =
              question["verb"] == "Wait" && question["commit_seq"] == 7 && question["stage"] == "readable";
          const bool is_done = ++asked == 4;
          return {json{{"id", question["id"]}, {"ok", is_right && is_done}, {"code", is_right ? "TIMEOUT" : "WRONG"}}
                      .dump()};
        });
    QueryClient client(endpoint_in(folder.path, "query.sock"), Milliseconds(1000), "tellerd on DIR");
    client.wait_readable(7);
    CHECK(asked == 4);
  }

  TEST_CASE("nobody there is a sentence") {
    const TemporaryFolder folder;
    QueryClient client(endpoint_in(folder.path, "query.sock"), Milliseconds(150), "tellerd on DIR");
    CHECK_THROWS_WITH(
        client.ask("Status", json::object()),
        ("no answer from " + endpoint_in(folder.path, "query.sock") + ": is tellerd on DIR running?").c_str());
  }
}

TEST_SUITE("tellerctl.feed") {
  using nlohmann::json;

  // Messages 1 to 9 of the topic can be replayed.
  std::vector<std::string> replay(const std::string& frame) {
    const json question = json::parse(frame);
    json messages = json::array();
    for (int seq = question["from_seq"].get<int>(); seq <= 9; ++seq)
      messages.push_back({{"seq", seq}, {"from", "replay"}});
    return {
        json{{"id", question["id"]}, {"ok", question["topic"] == "offer.marketing"}, {"messages", messages}}.dump()};
  }

  TEST_CASE("a gap is filled through Replay, a repeat is dropped, another topic is not ours") {
    const TemporaryFolder folder;
    const Peer peer(endpoint_in(folder.path, "query.sock"), replay);
    zmq::context_t context;
    zmq::socket_t pub(context, zmq::socket_type::pub);
    pub.bind(endpoint_in(folder.path, "feed.sock"));
    const auto publish = [&pub](const std::string& topic, int seq) {
      pub.send(zmq::buffer(topic), zmq::send_flags::sndmore);
      pub.send(zmq::buffer(json{{"seq", seq}, {"from", "live"}}.dump()), zmq::send_flags::none);
    };
    QueryClient query(endpoint_in(folder.path, "query.sock"), Milliseconds(1000), "tellerd on DIR");
    Feed feed(endpoint_in(folder.path, "feed.sock"), "offer.marketing", query, 7);
    std::vector<std::string> got;
    const auto take = [&feed, &got](std::size_t wanted) {
      std::string message;
      for (int turn = 0; turn < 100 && got.size() < wanted; ++turn) {
        if (!feed.next(message, Milliseconds(20))) continue;
        const json object = json::parse(message);
        got.push_back(object["from"].get<std::string>() + std::to_string(object["seq"].get<int>()));
      }
    };
    take(3);  // what was missed before
    CHECK(got == std::vector<std::string>{"replay7", "replay8", "replay9"});
    publish("offer.marketing2", 5);
    publish("offer.marketing", 9);
    publish("offer.marketing", 10);
    take(4);
    CHECK(got.back() == "live10");
    publish("offer.marketing", 12);  // 11 is not kept any more: the gap stays, the message comes
    take(5);
    CHECK(got.back() == "live12");
    CHECK(got.size() == 5);
  }
}
