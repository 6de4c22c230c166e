// bench api: how long the pages' questions take, beside ingest at half its capacity. One connection a question, as the
// daemon closes each; the questions in turn, a few hundred a second.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>
#include <zmq.hpp>

#include "core/fault.h"
#include "ops/accounts.h"
#include "tellerctl/bench/background.h"
#include "tellerctl/bench/bank.h"
#include "tellerctl/bench/benches.h"
#include "tellerctl/bench/figures.h"
#include "tellerctl/client/query_client.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr double kAskedPerS = 100;
constexpr std::size_t kUsers = 16;  // a user may look up sixty customers a minute
constexpr const char* kPassword = "a long enough password";

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class Socket {
 public:
  Socket() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() { ::close(descriptor_); }
  Socket(const Socket&) = delete;
  operator int() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

int free_port() {
  const Socket socket;
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw core::Fault(core::Exit::kFailed, "no port is free");
  return ntohs(address.sin_port);
}

// The whole answer, head and body.
std::string asked(int port, const std::string& request) {
  const Socket socket;
  const sockaddr_in address = loopback(port);
  std::string answer;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::send(socket, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    return answer;
  char buffer[65536];
  for (ssize_t got; (got = ::recv(socket, buffer, sizeof buffer, 0)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(got));
  return answer;
}

struct Question {
  const char* name;
  std::string method, path, body;
};

std::string request_of(const Question& question, const std::string& cookie) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\n", question.method, question.path);
  if (!cookie.empty()) text += "Cookie: " + cookie + "\r\n";
  if (question.method == "POST")
    text +=
        fmt::format("X-Tellerd: 1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", question.body.size());
  return text + "\r\n" + question.body;
}

// The session's cookie.
std::string sign_in(Daemon& daemon, int port, const std::string& user) {
  QueryClient client(daemon.endpoint("query"), Milliseconds{30'000}, "the tellerd of this benchmark");
  client.ask_ok("UserAdd", {{"user", user}, {"role", "analyst"}, {"hash", ops::Accounts::hash_of(user, kPassword)}});
  const std::string answer = asked(
      port, request_of({"", "POST", "/api/v1/session", Json{{"user", user}, {"password", kPassword}}.dump()}, ""));
  const std::string mark = "Set-Cookie: ";
  const auto at = answer.find(mark);
  if (at == std::string::npos) throw core::Fault(core::Exit::kFailed, "signing in failed: " + answer.substr(0, 200));
  const auto begin = at + mark.size();
  return answer.substr(begin, answer.find(';', begin) - begin);
}

std::vector<Question> questions() {
  return {{"status", "GET", "/api/v1/status", ""},
          {"metrics", "GET", "/metrics", ""},
          {"segments", "GET", "/api/v1/marts/mart_segment_counts", ""},
          {"marketing", "GET", "/api/v1/marts/mart_marketing_daily?limit=100", ""},
          {"overdue", "GET", "/api/v1/marts/mart_loan_overdue_month", ""},
          {"customers", "GET", "/api/v1/marts/mart_customer?limit=100", ""},
          {"models", "GET", "/api/v1/marts/mart_model", ""},
          {"offers", "GET", "/api/v1/offers/summary", ""},
          {"choices", "GET", "/api/v1/choices", ""},
          {"moves", "GET", "/api/v1/segments/moves?days=30", ""},
          {"churn", "GET", "/api/v1/churn/summary", ""},
          {"one customer", "POST", "/api/v1/customers/find", ""},
          {"why not", "POST", "/api/v1/choices/ask", ""}};
}

}  // namespace

Section measure_api(const Options& options) {
  const std::int64_t customers = options.customers ? options.customers : options.is_quick ? 20'000 : 100'000;
  const std::int64_t history = options.history ? options.history : customers;
  const std::int64_t burst = options.is_quick ? 100'000 : 500'000;
  const int rounds = options.is_quick ? 100 : 300;
  Section section{
      "api", "questions of the pages, each on a connection of its own, beside ingest",
      "ms_p99 under 20 of every question beside half of ingest's capacity, at least half of which is taken meanwhile",
      Json::array()};
  const Scratch scratch(options.where);
  const int port = free_port();
  Daemon daemon(scratch.path() / "tellerd", options.policy, {"--http", std::to_string(port)});
  TrafficOptions settings;
  settings.customers = customers;
  settings.history = history;
  settings.now_us = wall_now_us();
  Traffic traffic(settings);
  preload(daemon, traffic, customers, history);
  Pipeline pipeline(daemon.endpoint("ingest"), "capacity", kStartPatience);
  const Frames frames =
      encode_frames("capacity", 1, burst, [&](std::int64_t at) { return traffic.event(history + at); });
  const double capacity = time_daemon(daemon, pipeline, frames).events_per_s();
  std::vector<std::string> cookies;
  for (std::size_t user = 0; user < kUsers; ++user)
    cookies.push_back(sign_in(daemon, port, fmt::format("bench{}", user)));
  zmq::context_t context;
  std::int64_t next = history + burst;
  for (const double share : {0.0, 0.5}) {
    Background background(context, daemon.endpoint("ingest"), fmt::format("beside-{}", share), traffic, next,
                          capacity * share);
    auto all = questions();
    std::vector<std::vector<double>> took_ms(all.size());
    auto due = Clock::now();
    for (int round = 0; round < rounds; ++round)
      for (std::size_t at = 0; at < all.size(); ++at) {
        due += std::chrono::microseconds(static_cast<std::int64_t>(1e6 / kAskedPerS));
        while (Clock::now() < due) {
          background.tick();
          std::this_thread::sleep_for(std::chrono::microseconds(100));
        }
        if (all[at].method == "POST") all[at].body = Json{{"id", 1 + round % customers}}.dump();
        const auto started = Clock::now();
        const std::string answer = asked(port, request_of(all[at], cookies[static_cast<std::size_t>(round) % kUsers]));
        took_ms[at].push_back(std::chrono::duration<double, std::milli>(Clock::now() - started).count());
        if (!answer.starts_with("HTTP/1.1 200"))
          throw core::Fault(core::Exit::kFailed, fmt::format("{}: {}", all[at].path, answer.substr(0, 300)));
      }
    next += static_cast<std::int64_t>(capacity * share * 120);
    const bool is_beside = background.rate() >= capacity * share / 2;  // a load that was not there proves nothing
    for (std::size_t at = 0; at < all.size(); ++at) {
      const double p99 = percentile(took_ms[at], .99);
      section.lines.push_back({{"line", fmt::format("{}, {:.0f}/s", all[at].name, capacity * share)},
                               {"events_per_s", background.rate()},
                               {"waits_of_the_producer", background.waits()},
                               {"ms_p50", percentile(took_ms[at], .5)},
                               {"ms_p99", p99},
                               {"is_reached", p99 < 20 && is_beside}});
      say(fmt::format("api beside {:.0f} events/s: {} p50 {:.2f} ms, p99 {:.2f} ms", background.rate(), all[at].name,
                      percentile(took_ms[at], .5), p99));
    }
  }
  return section;
}

}  // namespace tellerd::tellerctl::bench
