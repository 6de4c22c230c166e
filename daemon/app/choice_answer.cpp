#include "app/choice_answer.h"

#include <fmt/core.h>

#include <array>

#include "app/choice_world.h"
#include "app/customer_answer.h"
#include "decide/reason_words.h"
#include "deliver/queue_record.h"

namespace tellerd::app {
namespace {

using deliver::Json;

Json refusal(const char* code, const std::string& text) { return {{"ok", false}, {"code", code}, {"text", text}}; }

// Codes, and their words in both languages: of the pack that decides now.
void put_words(store::Database& reader, Json& into, const std::string& reasons) {
  into["reasons"] = reasons;
  store::Statement files(reader, "SELECT h.files FROM policy_history h JOIN cursor c ON c.pack_seq=h.seq");
  if (reasons.empty() || !files.step()) return;
  const auto pack = decide::deserialise_pack(files.text(0));
  files.reset();
  for (const char* language : {"ru", "en"})
    into[std::string("reasons_") + language] = decide::reason_words(decide::read_texts(pack, language), reasons);
}

Json funnel_of(const std::string& text) {
  Json funnel = Json::object();
  std::size_t at = 0;
  for (const auto stage : decide::kStageNames) {
    if (at >= text.size()) break;
    const std::size_t end = std::min(text.find(',', at), text.size());
    funnel[std::string(stage)] = std::atoi(text.substr(at, end - at).c_str());
    at = end + 1;
  }
  return funnel;
}

Json flips_of(std::int64_t bits) {
  constexpr std::array<const char*, 5> kFactors{"P", "C", "V", "L", "F"};
  Json factors = Json::array();
  for (std::size_t at = 0; at < kFactors.size(); ++at)
    if (bits >> at & 1) factors.push_back(kFactors[at]);
  return factors;
}

Json scores_of(const decide::Scores& scores) {
  return {{"p", scores.p}, {"c", scores.c}, {"v_minor", scores.v},
          {"l", scores.l}, {"f", scores.f}, {"priority", scores.priority}};
}

}  // namespace

Json explain_offer(store::Database& reader, std::string_view offer_id) {
  const std::int64_t id = deliver::offer_id_of(offer_id);
  store::Statement find(
      reader,
      "WITH found AS MATERIALIZED (SELECT number FROM offer_made WHERE offer_id=?1) "
      "SELECT o.number, o.customer_key, m.decided_seq, o.created_us, o.expires_us, o.queue, o.action, "
      "o.offer_type, t.name_ru, o.combined_segment, o.expected_revenue_minor, o.state, o.policy FROM found f "
      "JOIN offer_told o ON o.number=f.number JOIN offer_made m ON m.number=f.number JOIN offer_template t ON "
      "t.number=m.template");
  const Json rows = id ? deliver::json_rows(find.bind(1, id)) : Json::array();
  if (rows.empty()) return refusal("NOT_FOUND", fmt::format("there is no offer {}", offer_id));
  Json answer{{"ok", true}, {"offer_id", std::string(offer_id)}};
  answer.update(rows[0]);
  const std::int64_t number = answer["number"];
  answer.erase("number");
  store::Statement decided(
      reader, "SELECT * FROM mart_decision WHERE number=(SELECT number FROM decision WHERE offer=?1 AND offer>0)");
  const Json decisions = deliver::json_rows(decided.bind(1, number));
  if (decisions.empty()) {  // a pack that holds every template of a segment
    put_words(reader, answer, fmt::format("SG-01:{}", answer["combined_segment"].get<std::string>()));
    answer["arm"] = "rules";
    answer["choice_probability"] = 1.0;
    return answer;
  }
  Json decision = decisions[0];
  put_words(reader, answer, decision["reasons"].get<std::string>());
  answer["decision_id"] = decision["number"];
  answer["asof_seq"] = decision["seq"];
  for (const char* name : {"arm", "choice_probability", "runner_up", "margin", "candidate"})
    answer[name] = decision[name];
  answer["scores"] = {{"p", decision["p"]}, {"c", decision["c"]}, {"v_minor", decision["v_minor"]},
                      {"l", decision["l"]}, {"f", decision["f"]}, {"priority", decision["priority"]}};
  answer["is_p_drawn"] = decision["is_drawn"].get<std::int64_t>() != 0;
  answer["funnel"] = funnel_of(decision["funnel"].get<std::string>());
  answer["would_flip_without"] = flips_of(decision["flips"].get<std::int64_t>());
  answer["model"] = fmt::format("acceptance@{}", decision["learnt"].get<std::int64_t>());
  return answer;
}

Json why_not(store::Database& reader, std::string_view key, std::string_view action) {
  std::int64_t leader = 0;
  if (const Json problem = find_customer(reader, key, leader); !problem.is_null()) return problem;
  ChoiceWorld world(reader);
  if (!world.chooses())
    return refusal("NO_CHOICE", "the active pack does not choose: every template of the customer's segment is held");
  Json answer{
      {"ok", true}, {"customer_key", std::string(key)}, {"action", std::string(action)}, {"candidates", Json::array()}};
  const auto& candidates = world.chooser->candidates();
  bool is_known = false;
  for (std::size_t at = 0; at < candidates.size(); ++at)
    is_known = is_known || world.chooser->action(at).name == action;
  if (!is_known) return refusal("NOT_FOUND", fmt::format("the active pack has no action {}", action));
  decide::Situation situation;
  if (!world.read(reader, leader, situation)) {
    put_words(reader, answer, std::string(decide::code_of(decide::ChoiceReason::kNoProfile)));
    return answer;
  }
  ContactGate gate = world.gate(situation);
  std::vector<decide::Verdict> verdicts;
  const decide::Choice choice = world.chooser->choose(situation, gate, &verdicts);
  for (std::size_t at = 0; at < candidates.size(); ++at) {
    if (world.chooser->action(at).name != action) continue;
    Json one{{"channel", candidates[at].channel == decide::Channel::kMessage ? "message" : "call"},
             {"is_chosen", choice.winner == static_cast<int>(at)},
             {"lost_at", verdicts[at].lost_at == decide::Stage::kFinal && choice.winner == static_cast<int>(at)
                             ? ""
                             : std::string(decide::kStageNames[static_cast<std::size_t>(verdicts[at].lost_at)])}};
    put_words(reader, one, verdicts[at].reason);
    if (verdicts[at].scores.priority > 0) one["scores"] = scores_of(verdicts[at].scores);
    answer["candidates"].push_back(std::move(one));
  }
  answer["funnel"] = funnel_of([&] {
    std::string text;
    for (const auto count : choice.funnel) text += (text.empty() ? "" : ",") + std::to_string(count);
    return text;
  }());
  answer["arm"] = decide::kArmNames[static_cast<std::size_t>(choice.arm)];
  answer["chosen"] = choice.winner < 0 ? "" : world.chooser->action(static_cast<std::size_t>(choice.winner)).name;
  answer["stands"] = choice.is_kept;
  if (choice.winner < 0) put_words(reader, answer, choice.reasons);
  return answer;
}

Json why_empty(store::Database& reader, std::string_view queue) {
  store::Statement known(reader, "SELECT count(*) FROM offer_template WHERE queue=?1");
  known.bind(1, queue).step();
  const bool is_known = known.integer(0) > 0;
  known.reset();
  if (!is_known) return refusal("NOT_FOUND", fmt::format("no offer was ever made for a queue {}", queue));
  Json answer{{"ok", true}, {"queue", std::string(queue)}};
  store::Statement states(
      reader,
      "SELECT s.state, count(*) AS offers FROM offer_made m JOIN offer_template t ON t.number=m.template "
      "JOIN offer_state s ON s.number=m.number WHERE t.queue=?1 GROUP BY s.state ORDER BY s.state");
  answer["offers"] = deliver::json_rows(states.bind(1, queue));
  Json silences = Json::array();
  store::Statement silent(reader,
                          "SELECT reasons, customers FROM mart_silence ORDER BY customers DESC, reasons LIMIT 50");
  while (silent.step()) {
    Json one{{"customers", silent.integer(1)}};
    put_words(reader, one, std::string(silent.text(0)));
    silences.push_back(std::move(one));
  }
  answer["without_an_offer"] = silences;
  return answer;
}

}  // namespace tellerd::app
