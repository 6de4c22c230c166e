// Choices: GET /api/v1/choices, the sums of the page of offers with the queues as they stand; POST
// /api/v1/choices/ask, the decision behind an offer, or how far one action, or every one, comes for a customer now.
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

enum class Asked { kNothing, kOffer, kAction, kGrid };

Asked asked_for(const Json& wanted) {
  const auto has = [&](const char* name) { return wanted.contains(name) && wanted[name].is_string(); };
  if (!wanted.is_object()) return Asked::kNothing;
  if (wanted.size() == 1 && has("offer_id")) return Asked::kOffer;
  if (wanted.size() == 2 && has("key") && has("action")) return Asked::kAction;
  return wanted.size() == 1 && wanted.contains("id") && wanted["id"].is_number_integer() ? Asked::kGrid
                                                                                         : Asked::kNothing;
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
    return refuse(400, "A question is {\"offer_id\": …}, {\"key\": …, \"action\": …} or {\"id\": internal number}.");
  if (const auto now = std::chrono::steady_clock::now(); asks.is_full(ask.who.user, now)) {
    ops::Reply reply = refuse(429, "A hundred and twenty questions a minute are the limit.");
    reply.answer.retry_after_s = 60;
    return reply;
  } else {
    asks.count(ask.who.user, now);
  }
  const auto turn = readers.take();
  const Json answer = asked == Asked::kOffer ? explain_offer(*turn, wanted["offer_id"].get<std::string>())
                      : asked == Asked::kGrid
                          ? decision_grid(*turn, wanted["id"].get<std::int64_t>())
                          : why_not(*turn, wanted["key"].get<std::string>(), wanted["action"].get<std::string>());
  const char* action = asked == Asked::kOffer ? "explain" : asked == Asked::kGrid ? "decision grid" : "why not";
  if (answer.value("ok", false)) return tell_privately(answer, {action, subject_of(*turn, answer), ""});
  ops::Reply reply = refuse(404, answer.value("text", "There is no such thing."));
  reply.reading = ops::Reading{action, "", "nothing found"};
  return reply;
}

}  // namespace

std::vector<ops::Resource> choice_resources(Readers& readers, Answers& answers, LiveQueues queues) {
  auto asks = std::make_shared<ops::RateWindow>(kAsksMax, std::chrono::seconds(60));
  return {{"GET", "/api/v1/choices", ops::kAnyRole, false,
           [&readers, &answers, queues](const ops::Ask&) {
             return kept_answer(answers, "choices", [&readers, queues] { return tell(choices(readers, queues)); });
           }},
          {"POST", "/api/v1/choices/ask", ops::roles(Role::kAnalyst, Role::kDesk), false,
           [&readers, asks](const ops::Ask& ask) { return in_time([&] { return ask_about(readers, *asks, ask); }); }}};
}

}  // namespace tellerd::app
