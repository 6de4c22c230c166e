// A server with made-up sources and a client that sends exactly the bytes it is told to.
#pragma once
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "ops/server.h"

namespace tellerd::ops::test {

using Clock = std::chrono::steady_clock;

class Peer {
 public:
  explicit Peer(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  ~Peer() { ::close(socket_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  bool is_connected() const { return is_connected_; }
  bool send(const std::string& bytes) const {
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  // Until the peer closes, the text holds `until`, or the time is over.
  std::string receive(const std::string& until = "", int ms_max = 8000) {
    const auto end = Clock::now() + std::chrono::milliseconds(ms_max);
    std::string text;
    while (until.empty() || text.find(until) == std::string::npos) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
      pollfd waiting{socket_, POLLIN, 0};
      if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) <= 0) break;
      char buffer[65536];
      const auto got = ::recv(socket_, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  int socket_;
  bool is_connected_ = false;
};

struct Fake {
  std::atomic<bool> is_ready{true}, is_healthy{true}, is_broken{false}, is_audit_broken{false};
  std::atomic<int> count{0};
  std::string recorded;  // a line a reading

  Sources sources() {
    Sources s;
    s.status_json = [this] {
      if (is_broken) throw std::runtime_error("secret of the inside");
      return "{\"now_us\":" + std::to_string(++count) + "}";
    };
    s.metrics_text = [] { return std::string("tellerd_up 1\n"); };
    s.is_ready = [this] { return is_ready.load(); };
    s.is_healthy = [this] { return is_healthy.load(); };
    s.who = [](const Request& request) {
      const auto cookie = request.value("Cookie");
      return cookie == "as=analyst" ? Principal{"ann", Role::kAnalyst}
             : cookie == "as=desk"  ? Principal{"dan", Role::kDesk}
                                    : Principal{};
    };
    s.record = [this](const Principal& who, const Reading& reading, std::string_view result) {
      if (is_audit_broken) throw std::runtime_error("no room for the audit log");
      recorded += who.user + "|" + reading.action + "|" + reading.subjects + "|" + std::string(result) + "\n";
    };
    s.resources = {
        {"GET", "/api/v1/sums", kEverybody, true,
         [](const Ask& ask) {
           Reply reply;
           for (const auto& [name, value] : ask.parameters) reply.answer.body += name + "=" + value + ";";
           reply.answer.etag = "\"sums\"";
           return reply;
         }},
        {"GET", "/api/v1/things/", roles(Role::kOperator, Role::kAnalyst, Role::kDesk), false,
         [](const Ask& ask) {
           Reply reply;
           reply.answer.body = ask.who.user + " asked for " + std::string(ask.rest);
           return reply;
         }},
        {"POST", "/api/v1/customers/find", roles(Role::kAnalyst), false,
         [](const Ask& ask) {
           Reply reply;
           reply.answer.body = "the story of " + std::string(ask.body);
           reply.reading = Reading{"look up", "17", ""};
           return reply;
         }},
    };
    return s;
  }
};

inline ServerConfig any_port() {
  ServerConfig config;
  config.port = 0;
  config.host_names = {"teller.branch.example"};
  return config;
}

struct Reply {
  int status = 0;
  std::string head, body;
  bool has(const std::string& line) const { return head.find("\r\n" + line + "\r\n") != std::string::npos; }
};

inline Reply parsed(const std::string& text) {
  Reply reply;
  const auto blank = text.find("\r\n\r\n");
  if (blank == std::string::npos || text.rfind("HTTP/1.1 ", 0) != 0) return reply;
  reply.status = std::stoi(text.substr(9, 3));
  reply.head = text.substr(0, blank + 2);
  reply.body = text.substr(blank + 4);
  return reply;
}

inline Reply reply_to(const Server& server, const std::string& bytes) {
  Peer peer(server.port());
  REQUIRE(peer.is_connected());
  peer.send(bytes);
  return parsed(peer.receive());
}

inline Reply get(const Server& server, const std::string& path, const std::string& more = "") {
  return reply_to(server, "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + more + "\r\n");
}

inline bool is_problem(const Reply& reply, int status) {
  const auto json = nlohmann::json::parse(reply.body, nullptr, false);
  return reply.status == status && reply.has("Content-Type: application/problem+json; charset=utf-8") &&
         json.is_object() && json["status"] == status && json["type"] == "about:blank" &&
         json["title"].get<std::string>().size() > 2 && json["detail"].get<std::string>().size() > 10;
}

// The fixed headers of every answer; returns the first one missing or forbidden, "" when all is well.
inline std::string header_fault(const Reply& reply) {
  for (const char* line :
       {"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer", "Cross-Origin-Opener-Policy: same-origin",
        "Cross-Origin-Resource-Policy: same-origin", "Connection: close"}) {
    if (!reply.has(line)) return std::string("missing ") + line;
  }
  std::string lower = reply.head;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const char* name : {"\r\nserver:", "access-control-", "x-powered-by", "civetweb", "strict-transport"}) {
    if (lower.find(name) != std::string::npos) return std::string("forbidden ") + name;
  }
  if (lower.find("\r\ndate: ") == std::string::npos) return "missing date";
  if (reply.status != 304 && lower.find("; charset=utf-8\r\n") == std::string::npos) return "missing charset";
  return "";
}

}  // namespace tellerd::ops::test
