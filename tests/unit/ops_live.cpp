// What holds a connection: live streams and slow clients.
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "unit/ops_peer.h"

using namespace tellerd::ops;
using namespace tellerd::ops::test;

TEST_SUITE("ops.live") {
  TEST_CASE("a live stream brings the document each second, and its number is bounded") {
    Fake fake;
    ServerConfig config = any_port();
    config.threads = 8;  // a quarter: two streams
    const Server server(config, fake.sources());
    const std::string ask = "GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    Peer first(server.port());
    first.send(ask);
    const auto begin = Clock::now();
    const auto text = first.receive("\"now_us\":3}\n\n");
    const auto took = Clock::now() - begin;
    CHECK(text.find("\r\n\r\nevent: status\ndata: {\"now_us\":1}\n\nevent: status\ndata: {\"now_us\":2}\n\n") !=
          std::string::npos);
    CHECK(took > std::chrono::milliseconds(1800));
    CHECK(took < std::chrono::milliseconds(4000));
    CHECK(text.find("\r\nContent-Type: text/event-stream; charset=utf-8\r\n") != std::string::npos);
    CHECK(text.find("\r\nCache-Control: no-store\r\n") != std::string::npos);

    Peer second(server.port());
    second.send(ask);
    CHECK(second.receive("data: ").find("HTTP/1.1 200") == 0);
    const auto third = reply_to(server, ask);
    CHECK(is_problem(third, 503));
    CHECK(third.has("Retry-After: 30"));
    CHECK(header_fault(third) == "");
  }

  TEST_CASE("the place of a live client that went away is free again within seconds") {
    Fake fake;
    ServerConfig config = any_port();
    config.threads = 4;
    const Server server(config, fake.sources());
    const std::string ask = "GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    {
      Peer gone(server.port());
      gone.send(ask);
      CHECK(gone.receive("data: ").find("HTTP/1.1 200") == 0);
      CHECK(reply_to(server, ask).status == 503);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3500));
    Peer next(server.port());
    next.send(ask);
    CHECK(next.receive("data: ").find("HTTP/1.1 200") == 0);
  }

  TEST_CASE("a document that did not change is not sent again, a beat is") {
    Fake fake;
    Sources sources = fake.sources();
    sources.status_json = [] { return std::string("{\n}"); };
    const Server server(any_port(), sources);
    Peer peer(server.port());
    peer.send("GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    CHECK(peer.receive("data: {}\n\n").find("event: status\ndata: {\ndata: }\n\nevent: beat\ndata: {}\n\n") !=
          std::string::npos);
  }

  TEST_CASE("a document that cannot be made leaves the stream open and says so in a comment") {
    Fake fake;
    fake.is_broken = true;
    const Server server(any_port(), fake.sources());
    Peer peer(server.port());
    peer.send("GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    CHECK(peer.receive("\n\n: ").find("secret") == std::string::npos);
    fake.is_broken = false;
    CHECK(peer.receive("\"now_us\":1}\n\n").find("event: status") != std::string::npos);
  }

  TEST_CASE("eight clients that send a byte now and then do not keep others from an answer") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    std::vector<std::unique_ptr<Peer>> slow;
    for (int i = 0; i < 8; ++i) {
      slow.push_back(std::make_unique<Peer>(server.port()));
      slow.back()->send("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ");
    }
    std::atomic<bool> is_done{false};
    std::thread drip([&] {
      while (!is_done) {
        for (auto& peer : slow) peer->send("a");
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
      }
    });
    const auto begin = Clock::now();
    const auto reply = get(server, "/healthz");
    const auto took = Clock::now() - begin;
    is_done = true;
    drip.join();
    CHECK(reply.status == 200);
    CHECK(took < std::chrono::seconds(5));
  }

  TEST_CASE("two hundred clients that drip heads, bodies or never read leave workers free, whoever comes first") {
    Fake fake;
    const Server server(any_port(), fake.sources());  // 32 workers
    std::vector<std::unique_ptr<Peer>> slow;
    std::atomic<bool> is_done{false};
    std::mutex mutex;
    const auto add = [&](const std::string& bytes) {
      auto peer = std::make_unique<Peer>(server.port());
      peer->send(bytes);
      const std::lock_guard lock(mutex);
      slow.push_back(std::move(peer));
    };
    std::thread drip([&] {
      while (!is_done) {
        {
          const std::lock_guard lock(mutex);
          for (auto& peer : slow) peer->send("a");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    });
    // On a busy machine a request may come in the moment in which the workers are cleared; a browser asks again too.
    const auto is_answered = [&] {
      for (int tries = 0; tries < 3; ++tries)
        if (get(server, "/healthz").status == 200) return true;
      return false;
    };
    for (int i = 0; i < 100; ++i) {
      add("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ");
      add("POST /api/v1/customers/find HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Tellerd: 1\r\nContent-Length: 60000\r\n\r\na");
      if (i % 10 != 9) continue;
      const auto begin = Clock::now();
      CHECK(is_answered());
      CHECK(Clock::now() - begin < std::chrono::seconds(2));
    }
    is_done = true;
    drip.join();
  }

  TEST_CASE("a body that drips does not hold a worker") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    std::vector<std::unique_ptr<Peer>> slow;
    for (int i = 0; i < 8; ++i) {
      slow.push_back(std::make_unique<Peer>(server.port()));
      slow.back()->send("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Tellerd: 1\r\nContent-Length: 60000\r\n\r\na");
    }
    for (auto& peer : slow) CHECK(parsed(peer->receive("\r\n\r\n", 2000)).status == 405);
    const auto begin = Clock::now();
    CHECK(get(server, "/healthz").status == 200);
    CHECK(Clock::now() - begin < std::chrono::seconds(1));
  }

  TEST_CASE("stop ends live streams at once, and the second stop does nothing") {
    Fake fake;
    Server server(any_port(), fake.sources());
    Peer live(server.port());
    live.send("GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    live.receive("data: ");
    const auto begin = Clock::now();
    server.stop();
    CHECK(Clock::now() - begin < std::chrono::seconds(1));
    CHECK(!Peer(server.port()).is_connected());
    server.stop();
  }
}
