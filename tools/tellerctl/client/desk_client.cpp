#include "tellerctl/client/desk_client.h"

#include <fmt/core.h>
#include <sodium.h>

#include <utility>

#include "core/fault.h"

namespace tellerd::tellerctl {
namespace {

constexpr Milliseconds kConnectWait{100}, kAnswerWait{2000};

std::string random_session() {
  std::uint64_t number = 0;
  randombytes_buf(&number, sizeof number);
  return fmt::format("{:016x}", number);
}

Milliseconds left_until(Clock::time_point until) {
  return std::max(Milliseconds(0), std::chrono::duration_cast<Milliseconds>(until - Clock::now()));
}

}  // namespace

DeskClient::DeskClient(const std::string& endpoint, std::string client, Milliseconds patience, std::string where)
    : connection_(endpoint),
      client_(std::move(client)),
      session_(random_session()),
      where_(std::move(where)),
      patience_(patience) {}

DeskClient::Json DeskClient::hello() { return ask("HELLO", {{"client", client_}, {"session", session_}}); }

DeskClient::Json DeskClient::ask(std::string_view verb, Json words) {
  const std::int64_t id = ++last_id_;
  words["id"] = id;
  words["verb"] = verb;
  const std::string question = words.dump(-1, ' ', false, Json::error_handler_t::replace);
  const Milliseconds within = kAnswerWait + Milliseconds(words.value("wait_ms", 0));
  const auto give_up = Clock::now() + patience_ + within;
  while (Clock::now() < give_up) {
    if (!connection_.send(question, kConnectWait)) continue;
    const auto until = Clock::now() + within;
    for (Json answer; hear(answer, left_until(until));) {
      if (answer.value("id", Json()) != id) continue;
      if (answer.value("code", "") != "UNKNOWN_SESSION") return answer;
      hello();  // our leases still stand; the question is asked again
      break;
    }
  }
  throw core::Fault(core::Exit::kFailed,
                    fmt::format("no answer from {}: is {} running?", connection_.endpoint(), where_));
}

bool DeskClient::hear(Json& message, Milliseconds wait) {
  std::string frame;
  for (const auto until = Clock::now() + wait;;) {
    const auto got = connection_.receive(frame, left_until(until));
    if (got == Connection::Got::kGone) connection_.open();
    if (got != Connection::Got::kFrame) return false;
    message = Json::parse(frame, nullptr, false);
    if (!message.is_object()) continue;
    if (!message.contains("push")) return true;
    if (message["push"] == "WITHDRAW")
      connection_.send(
          Json{{"id", ++last_id_}, {"verb", "ACK"}, {"offer_id", message["offer_id"]}, {"epoch", message["epoch"]}}
              .dump(),
          kConnectWait);
    if (listener_) listener_(message);
  }
}

void DeskClient::listen(Milliseconds wait) {
  Json stray;
  while (hear(stray, wait)) wait = Milliseconds(0);
}

}  // namespace tellerd::tellerctl
