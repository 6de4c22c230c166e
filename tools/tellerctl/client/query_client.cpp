#include "tellerctl/client/query_client.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/fault.h"

namespace tellerd::tellerctl {
namespace {

using nlohmann::json;

constexpr Milliseconds kConnectWait{100};
constexpr Milliseconds kWaitTurn{1000};  // the daemon answers a Wait at least so often
constexpr Milliseconds kWaitSlack{2000};

}  // namespace

QueryClient::QueryClient(const std::string& endpoint, Milliseconds patience, std::string where)
    : connection_(endpoint), patience_(patience), where_(std::move(where)) {}

json QueryClient::ask(std::string_view verb, const json& arguments, Milliseconds within) {
  json question = arguments.is_object() ? arguments : json::object();
  question["id"] = ++last_id_;
  question["verb"] = verb;
  const std::string text = question.dump(-1, ' ', false, json::error_handler_t::replace);
  const auto asked = Clock::now();
  std::string frame;
  do {
    const bool is_sent = connection_.send(text, kConnectWait);
    const auto until = Clock::now() + within;
    for (auto left = within; is_sent && left > Milliseconds(0);
         left = std::chrono::duration_cast<Milliseconds>(until - Clock::now())) {
      const auto got = connection_.receive(frame, left);
      if (got == Connection::Got::kNothing) continue;
      if (got == Connection::Got::kGone) break;
      json answer = json::parse(frame, nullptr, false);
      if (answer.is_object() && answer.value("id", json()) == last_id_) return answer;
    }
    if (is_sent) connection_.open();
  } while (Clock::now() - asked < patience_);
  throw core::Fault(core::Exit::kFailed, "no answer from " + connection_.endpoint() + ": is " + where_ + " running?");
}

json QueryClient::ask_ok(std::string_view verb, const json& arguments) {
  json answer = ask(verb, arguments);
  if (answer.value("ok", false)) return answer;
  throw core::Fault(core::Exit::kFailed,
                    answer.value("text", answer.value("code", "tellerd refused without a reason")));
}

void QueryClient::wait_for(std::uint64_t commit_seq, std::string_view stage) {
  const json arguments{{"commit_seq", commit_seq}, {"stage", stage}, {"timeout_ms", kWaitTurn.count()}};
  for (;;) {
    const json answer = ask("Wait", arguments, kWaitTurn + kWaitSlack);
    if (answer.value("ok", false)) return;
    if (answer.value("code", "") != "TIMEOUT")
      throw core::Fault(core::Exit::kFailed, answer.value("text", "tellerd cannot say when it has derived everything"));
  }
}

}  // namespace tellerd::tellerctl
