// Choices: GET /api/v1/choices, the sums of the page of offers with the queues as they stand; POST
// /api/v1/choices/ask, the decision behind an offer, or how far one action, or every one, comes for a customer: now, or
// in a decision that is stored.
#include <chrono>
#include <memory>

#include "app/api.h"
#include "app/choice_answer.h"
#include "app/choice_sums.h"
#include "app/contact_limits.h"
#include "app/customer_answer.h"
#include "decide/pack_files.h"
#include "ops/sessions.h"

namespace tellerd::app {
namespace {

using deliver::Json;
using ops::Role;

constexpr std::size_t kAsksMax = 120;  // a user and a minute

// With the queues as they stand now, when there are any.
Json choices(Readers& readers, const LiveQueues& queues) {
  auto turn = readers.take(kSumUs);
  Json answer = choice_sums(*turn);
  answer["queues"] = Json::array();
  const auto book = queues.book();
  if (!book) return answer;
  store::Statement files(*turn, "SELECT h.files FROM policy_history h JOIN cursor c ON c.pack_seq=h.seq");
  std::vector<decide::ContactRule> rules;
  if (files.step()) rules = decide::parse_pack(decide::deserialise_pack(files.text(0))).contact.rules;
  answer["queues"] = contact_limits(*book, queues.policy_us(), rules);
  return answer;
}

enum class Asked { kNothing, kOffer, kDecision, kAction, kGrid };

Asked asked_for(const Json& wanted) {
  if (!wanted.is_object()) return Asked::kNothing;
  const auto has_text = [&](const char* name) { return wanted.contains(name) && wanted[name].is_string(); };
  const auto has_number = [&](const char* name) { return wanted.contains(name) && wanted[name].is_number_integer(); };
  const bool is_stored = has_number("decision");
  const std::size_t others = wanted.size() - (is_stored ? 1 : 0);
  if (others == 0) return is_stored ? Asked::kDecision : Asked::kNothing;
  if (others == 1 && has_text("offer_id")) return is_stored ? Asked::kNothing : Asked::kOffer;
  if (others == 2 && has_text("key") && has_text("action")) return Asked::kAction;
  return others == 1 && has_number("id") ? Asked::kGrid : Asked::kNothing;
}

struct Told {
  const char* action;  // what the audit log calls it
  Json answer;
};
Told answer_of(store::Database& reader, Asked asked, const Json& wanted) {
  const std::int64_t decision = wanted.value("decision", std::int64_t{0});
  const bool is_stored = wanted.contains("decision");
  switch (asked) {
    case Asked::kOffer:
      return {"explain", explain_offer(reader, wanted["offer_id"].get<std::string>())};
    case Asked::kDecision:
      return {"explain", explain_decision(reader, decision)};
    case Asked::kAction: {
      const std::string key = wanted["key"], action = wanted["action"];
      return {"why not", is_stored ? why_not_then(reader, key, action, decision) : why_not(reader, key, action)};
    }
    case Asked::kGrid: {
      const std::int64_t leader = wanted["id"];
      return {"decision grid",
              is_stored ? decision_grid_then(reader, leader, decision) : decision_grid(reader, leader)};
    }
    case Asked::kNothing:
      break;
  }
  return {"", Json::object()};
}

// The customer an answer is about, by internal number.
std::string subject_of(store::Database& database, const Json& answer) {
  std::int64_t leader = 0;
  const bool is_known = find_customer(database, answer.value("customer_key", ""), leader).is_null();
  return is_known ? std::to_string(leader) : std::string();
}

ops::Reply ask_about(Readers& readers, ops::RateWindow& asks, const ops::Ask& ask) {
  const Json wanted = Json::parse(ask.body, nullptr, false);
  const Asked asked = asked_for(wanted);
  if (asked == Asked::kNothing)
    return refuse(400,
                  "A question is {\"offer_id\": …}, {\"decision\": number}, {\"key\": …, \"action\": …} or {\"id\": "
                  "internal number}; the last two may name a decision.");
  if (const auto now = std::chrono::steady_clock::now(); asks.is_full(ask.who.user, now)) {
    ops::Reply reply = refuse(429, "A hundred and twenty questions a minute are the limit.");
    reply.answer.retry_after_s = 60;
    return reply;
  } else {
    asks.count(ask.who.user, now);
  }
  const auto turn = readers.take();
  const auto [action, answer] = answer_of(*turn, asked, wanted);
  if (answer.value("ok", false)) return tell_privately(answer, {action, subject_of(*turn, answer), ""});
  ops::Reply reply = refuse(404, answer.value("text", "There is no such thing."));
  reply.reading = ops::Reading{action, "", "nothing found"};
  return reply;
}

}  // namespace

std::vector<ops::Resource> choice_resources(Readers& readers, Answers& answers, LiveQueues queues) {
  auto asks = std::make_shared<ops::RateWindow>(kAsksMax, std::chrono::seconds(60));
  return {{"GET", "/api/v1/choices", ops::kEverybody, false,
           [&readers, &answers, queues](const ops::Ask&) {
             return kept_answer(answers, "choices", [&readers, queues] { return tell(choices(readers, queues)); });
           }},
          {"POST", "/api/v1/choices/ask", ops::roles(Role::kAnalyst, Role::kDesk), false,
           [&readers, asks](const ops::Ask& ask) { return in_time([&] { return ask_about(readers, *asks, ask); }); }}};
}

}  // namespace tellerd::app
