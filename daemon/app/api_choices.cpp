// Choices: GET /api/v1/choices, what the arms earned, what was learnt, who gets nothing and why; POST
// /api/v1/choices/ask, the decision behind an offer, or how far one action, or every one, comes for a customer now.
#include <fmt/core.h>

#include <array>
#include <chrono>
#include <memory>

#include "app/api.h"
#include "app/choice_answer.h"
#include "app/customer_answer.h"
#include "decide/choice.h"
#include "decide/reason_words.h"
#include "model/off_policy.h"
#include "ops/sessions.h"

namespace tellerd::app {
namespace {

using deliver::Json;
using ops::Role;

constexpr std::size_t kAsksMax = 120;  // a user and a minute
constexpr std::size_t kEnough = 30;    // decisions an arm needs before it is compared

Json estimate(const model::Estimate& one) {
  return {{"value_minor", one.value}, {"low_95", one.low}, {"high_95", one.high}};
}

// Accepted worth a decision by arm, customers apart; no contact earns nothing by itself.
Json arms(store::Database& database) {
  std::array<std::vector<model::LoggedChoice>, decide::kArmNames.size()> by_arm;
  store::Statement rows(
      database,
      "SELECT d.arm,d.customer,CASE WHEN l.label=1 THEN d.v_minor ELSE 0 END FROM decision d LEFT JOIN "
      "acceptance_label l ON l.offer=d.offer AND d.offer>0 WHERE d.offer>0 OR d.arm=2 ORDER BY d.number");
  while (rows.step())
    by_arm[static_cast<std::size_t>(rows.integer(0))].push_back(
        {static_cast<std::uint64_t>(rows.integer(1)), static_cast<double>(rows.integer(2)), 1, 1});
  Json told = Json::array();
  const auto& rule = by_arm[static_cast<std::size_t>(decide::Arm::kRule)];
  for (std::size_t arm = 0; arm < by_arm.size(); ++arm) {
    Json one{{"arm", std::string(decide::kArmNames[arm])},
             {"decisions", by_arm[arm].size()},
             {"is_enough", by_arm[arm].size() >= kEnough}};
    if (by_arm[arm].size() >= kEnough) one["value"] = estimate(model::on_policy(by_arm[arm]));
    if (arm != 0 && by_arm[arm].size() >= kEnough && rule.size() >= kEnough)
      one["lift_of_rule"] = estimate(model::lift(rule, by_arm[arm]));
    told.push_back(std::move(one));
  }
  return told;
}

Json choices(store::Database& database) {
  Json answer;
  answer["arms"] = arms(database);
  answer["acceptance"] =
      rows_of(database,
              "SELECT * FROM mart_acceptance WHERE positives+negatives>0 ORDER BY positives+negatives DESC, candidate");
  Json silence =
      rows_of(database, "SELECT reasons, customers FROM mart_silence ORDER BY customers DESC, reasons LIMIT 50");
  store::Statement files(database, "SELECT h.files FROM policy_history h JOIN cursor c ON c.pack_seq=h.seq");
  if (files.step()) {
    const auto pack = decide::deserialise_pack(files.text(0));
    for (const char* language : {"ru", "en"}) {
      const auto texts = decide::read_texts(pack, language);
      for (auto& row : silence)
        row[std::string("words_") + language] = decide::reason_words(texts, row["reasons"].get<std::string>());
    }
  }
  answer["silence"] = silence;
  answer["flips"] =
      rows_of(database,
              "SELECT count(*) AS decisions, coalesce(sum(flips&1),0) AS p, coalesce(sum(flips>>1&1),0) AS c, "
              "coalesce(sum(flips>>2&1),0) AS v, coalesce(sum(flips>>3&1),0) AS l, coalesce(sum(flips>>4&1),0) AS "
              "f FROM decision WHERE offer>0")
          .at(0);
  answer["actions"] =
      rows_of(database,
              "SELECT action, arm, count(*) AS decisions, avg(choice_probability) AS choice_probability FROM "
              "mart_decision WHERE action<>'' GROUP BY action, arm ORDER BY 3 DESC, 1, 2 LIMIT 200");
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

std::vector<ops::Resource> choice_resources(Readers& readers) {
  auto asks = std::make_shared<ops::RateWindow>(kAsksMax, std::chrono::seconds(60));
  return {{"GET", "/api/v1/choices", ops::kAnyRole, false,
           [&readers](const ops::Ask&) { return in_time([&] { return tell(choices(*readers.take())); }); }},
          {"POST", "/api/v1/choices/ask", ops::roles(Role::kAnalyst, Role::kDesk), false,
           [&readers, asks](const ops::Ask& ask) { return in_time([&] { return ask_about(readers, *asks, ask); }); }}};
}

}  // namespace tellerd::app
