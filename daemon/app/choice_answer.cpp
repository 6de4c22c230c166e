#include "app/choice_answer.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "app/choice_world.h"
#include "app/customer_answer.h"
#include "app/kept_packs.h"
#include "decide/decision_book.h"
#include "decide/reason_words.h"
#include "deliver/queue_record.h"

namespace tellerd::app {
namespace {

using deliver::Json;

// Not of the choice: of what becomes of what was chosen.
constexpr std::string_view kOutsideHours = "SU-08", kQueueFull = "SU-13";

Json refusal(const char* code, const std::string& text) { return {{"ok", false}, {"code", code}, {"text", text}}; }

void put_words(const decide::Pack& pack, Json& into, const std::string& reasons) {
  into["reasons"] = reasons;
  if (reasons.empty()) return;
  into["reasons_ru"] = decide::reason_words(pack.ru, reasons);
  into["reasons_en"] = decide::reason_words(pack.en, reasons);
}

// Codes, and their words in both languages: of the pack that decides now.
void put_words(store::Database& reader, Json& into, const std::string& reasons) {
  into["reasons"] = reasons;
  if (reasons.empty()) return;
  if (const auto pack = active_pack(reader)) put_words(*pack, into, reasons);
}

std::string_view channel_name(decide::Channel channel) {
  return channel == decide::Channel::kMessage ? "message" : "call";
}

std::string_view lost_at(const decide::Verdict& verdict, bool is_chosen) {
  return is_chosen ? std::string_view() : decide::kStageNames[static_cast<std::size_t>(verdict.lost_at)];
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
  return {{"p", scores.p},
          {"c", scores.c},
          {"v_minor", scores.v},
          {"l", scores.l},
          {"f", scores.f},
          {"contact_weight", scores.w},
          {"priority", scores.priority}};
}

void put_decision(store::Database& reader, Json& answer, const Json& decision) {
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
}

// A customer's choice made again in memory, with a verdict for each candidate.
struct Judged {
  decide::Choice choice;
  std::vector<decide::Verdict> verdicts;
};

Judged judge(ChoiceWorld& world, const decide::Situation& situation) {
  Judged judged;
  ContactGate gate = world.gate(situation);
  judged.choice = world.chooser->choose(situation, gate, &judged.verdicts);
  return judged;
}

Json candidate_json(const ChoiceWorld& world, const decide::Situation& situation, const Judged& judged,
                    std::size_t at) {
  const decide::Verdict& verdict = judged.verdicts[at];
  const bool is_chosen = judged.choice.winner == static_cast<int>(at);
  Json one{{"channel", channel_name(world.chooser->candidates()[at].channel)},
           {"is_chosen", is_chosen},
           {"lost_at", lost_at(verdict, is_chosen)}};
  const auto hit = world.rules_hit(situation, at);
  std::string reasons = is_chosen ? judged.choice.reasons : verdict.reason;
  if (is_chosen && hit.is_outside_hours) reasons += (reasons.empty() ? "" : " ") + std::string(kOutsideHours);
  put_words(*world.pack, one, reasons);
  if (verdict.scores.priority > 0) one["scores"] = scores_of(verdict.scores);
  one["contact_rules"] = hit.names;
  return one;
}

// What is common to answers about the choice of now.
void put_choice(const ChoiceWorld& world, const Judged& judged, Json& answer) {
  const decide::Choice& choice = judged.choice;
  Json funnel = Json::object();
  for (std::size_t stage = 0; stage < decide::kStages; ++stage)
    funnel[std::string(decide::kStageNames[stage])] = choice.funnel[stage];
  answer["funnel"] = funnel;
  answer["arm"] = decide::kArmNames[static_cast<std::size_t>(choice.arm)];
  answer["chosen"] = choice.winner < 0 ? "" : world.chooser->action(static_cast<std::size_t>(choice.winner)).name;
  answer["stands"] = choice.is_kept;
  if (choice.winner < 0) put_words(*world.pack, answer, choice.reasons);
}

std::string_view purpose_name(decide::Purpose purpose) {
  switch (purpose) {
    case decide::Purpose::kCollection:
      return "collection";
    case decide::Purpose::kService:
      return "service";
    case decide::Purpose::kMarketing:
    case decide::Purpose::kAll:
      break;
  }
  return "marketing";
}

void put_action(const decide::Action& action, Json& into) {
  into["action"] = action.name;
  into["offer_type"] = action.type;
  into["name_ru"] = action.name_ru;
  into["issue"] = action.issue;
  into["group"] = action.group;
  into["purpose"] = purpose_name(action.purpose);
}

}  // namespace

Json explain_offer(store::Database& reader, std::string_view offer_id) {
  const std::int64_t id = deliver::offer_id_of(offer_id);
  store::Statement find(
      reader,
      "WITH found AS MATERIALIZED (SELECT number FROM queue_item WHERE offer_id=?1 UNION ALL "  // by its index
      "SELECT number FROM offer_made WHERE offer_id=?1 LIMIT 1) "
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
    std::string segment = answer["combined_segment"];
    std::replace(segment.begin(), segment.end(), ' ', '_');
    put_words(reader, answer, "SG-01:" + segment);
    answer["arm"] = "rules";
    answer["choice_probability"] = 1.0;
    return answer;
  }
  put_decision(reader, answer, decisions[0]);
  if (answer["state"] == "QUEUE_FULL")
    put_words(reader, answer, fmt::format("{} {}", answer["reasons"].get<std::string>(), kQueueFull));
  return answer;
}

Json explain_decision(store::Database& reader, std::int64_t number) {
  store::Statement decided(reader, "SELECT * FROM mart_decision WHERE number=?1");
  const Json decisions = deliver::json_rows(decided.bind(1, number));
  if (decisions.empty()) return refusal("NOT_FOUND", fmt::format("there is no decision {}", number));
  Json answer{{"ok", true}};
  for (const char* name : {"customer_key", "at_us", "action", "offer_id", "policy"}) answer[name] = decisions[0][name];
  put_decision(reader, answer, decisions[0]);
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
  const Judged judged = judge(world, situation);
  for (std::size_t at = 0; at < candidates.size(); ++at)
    if (world.chooser->action(at).name == action)
      answer["candidates"].push_back(candidate_json(world, situation, judged, at));
  put_choice(world, judged, answer);
  return answer;
}

Json decision_grid(store::Database& reader, std::int64_t leader) {
  store::Statement key(reader,
                       "SELECT display_key,(SELECT now_us FROM cursor) FROM identity WHERE id=?1 AND leader=?1");
  if (!key.bind(1, leader).step()) return refusal("NOT_FOUND", "no customer has this number");
  Json answer{{"ok", true},
              {"id", leader},
              {"customer_key", std::string(key.text(0))},
              {"asof_us", key.integer(1)},
              {"candidates", Json::array()}};
  key.reset();
  ChoiceWorld world(reader);
  answer["is_chosen_among"] = world.chooses();
  if (!world.chooses()) return answer;
  decide::Situation situation;
  if (!world.read(reader, leader, situation)) {
    put_words(*world.pack, answer, std::string(decide::code_of(decide::ChoiceReason::kNoProfile)));
    return answer;
  }
  const Judged judged = judge(world, situation);
  for (std::size_t at = 0; at < judged.verdicts.size(); ++at) {
    Json one = candidate_json(world, situation, judged, at);
    put_action(world.chooser->action(at), one);
    answer["candidates"].push_back(std::move(one));
  }
  put_choice(world, judged, answer);
  return answer;
}

namespace {

// A stored decision with what the pack that made it said of each candidate.
struct Then {
  std::shared_ptr<const decide::Pack> pack;
  std::vector<decide::Verdict> verdicts;
  decide::Columns columns;
  std::string chosen, reasons;
  decide::Channel channel{};
  Json told;  // what is common to answers about it
};

// What went wrong, or null.
Json read_then(store::Database& reader, std::int64_t number, std::int64_t leader, Then& then) {
  store::Statement find(
      reader,
      "SELECT d.policy,d.situation,d.seq,d.at_us,d.funnel,d.arm,d.reasons,coalesce(t.action,''),coalesce(t.channel,0) "
      "FROM decision d JOIN identity i ON i.id=d.customer LEFT JOIN offer_template t ON t.number=d.template WHERE "
      "d.number=?1 AND i.leader=?2");
  if (!find.bind(1, number).bind(2, leader).step())
    return refusal("NOT_FOUND", fmt::format("there is no decision {} for this customer", number));
  then.pack = pack_of(reader, find.integer(0));
  if (!then.pack || !then.pack->catalogue) return refusal("NOT_FOUND", "the pack that decided is not kept any more");
  then.chosen = find.text(7);
  then.reasons = find.text(6);
  then.channel = static_cast<decide::Channel>(find.integer(8));
  std::string_view bytes = find.text(1);
  then.columns = decide::take_situation(bytes);
  then.verdicts = decide::read_verdicts(bytes, then.chosen);
  then.told = {{"decision_id", number},
               {"asof_seq", find.integer(2)},
               {"at_us", find.integer(3)},
               {"funnel", funnel_of(std::string(find.text(4)))},
               {"arm", decide::kArmNames[static_cast<std::size_t>(find.integer(5))]},
               {"chosen", then.chosen}};
  if (then.chosen.empty()) put_words(*then.pack, then.told, then.reasons);
  find.reset();
  return nullptr;
}

// The candidates of the action, or of every one.
Json candidates_then(const Then& then, std::string_view action) {
  Json told = Json::array();
  std::size_t at = 0;
  for (const decide::Action& one : then.pack->catalogue->actions)
    for (const decide::Channel channel : one.channels) {
      if (at == then.verdicts.size()) return told;
      const decide::Verdict& verdict = then.verdicts[at++];
      if (!action.empty() && one.name != action) continue;
      const bool is_chosen = one.name == then.chosen && channel == then.channel;
      Json row{{"channel", channel_name(channel)}, {"is_chosen", is_chosen}, {"lost_at", lost_at(verdict, is_chosen)}};
      put_words(*then.pack, row, is_chosen ? then.reasons : verdict.reason);
      if (verdict.scores.priority > 0) row["scores"] = scores_of(verdict.scores);
      if (action.empty()) put_action(one, row);
      told.push_back(std::move(row));
    }
  return told;
}

}  // namespace

Json why_not_then(store::Database& reader, std::string_view key, std::string_view action, std::int64_t number) {
  std::int64_t leader = 0;
  if (const Json problem = find_customer(reader, key, leader); !problem.is_null()) return problem;
  Then then;
  if (const Json problem = read_then(reader, number, leader, then); !problem.is_null()) return problem;
  Json answer{{"ok", true},
              {"customer_key", std::string(key)},
              {"action", std::string(action)},
              {"candidates", candidates_then(then, action)}};
  if (action.empty() || answer["candidates"].empty())
    return refusal("NOT_FOUND", fmt::format("the pack that decided has no action {}", action));
  answer.update(then.told);
  const auto names = decide::choice_columns();
  for (std::size_t column = 0; column < then.columns.numbers.size(); ++column)
    answer["columns"][names[column]] = then.columns.numbers[column];
  answer["columns"]["priority_category"] = then.columns.category;
  return answer;
}

Json decision_grid_then(store::Database& reader, std::int64_t leader, std::int64_t number) {
  Then then;
  if (const Json problem = read_then(reader, number, leader, then); !problem.is_null()) return problem;
  store::Statement key(reader, "SELECT display_key FROM identity WHERE id=?1");
  if (!key.bind(1, leader).step()) return refusal("NOT_FOUND", "no customer has this number");
  Json answer{{"ok", true},
              {"id", leader},
              {"customer_key", std::string(key.text(0))},
              {"asof_us", then.told["at_us"]},
              {"is_chosen_among", true},
              {"candidates", candidates_then(then, {})}};
  for (const char* name : {"decision_id", "asof_seq", "funnel", "arm", "chosen", "reasons", "reasons_ru", "reasons_en"})
    if (then.told.contains(name)) answer[name] = then.told[name];
  return answer;
}

Json optionality(store::Database& reader) {
  constexpr int kFew = 4;
  std::int64_t none = 0, one = 0, few = 0, more = 0;
  store::Statement rows(reader, "SELECT funnel,count(*) FROM decision GROUP BY funnel");
  while (rows.step()) {
    const int left = funnel_of(std::string(rows.text(0))).value("arbitration", 0);
    (left == 0 ? none : left == 1 ? one : left <= kFew ? few : more) += rows.integer(1);
  }
  return {{"none", none}, {"one", one}, {"two_to_four", few}, {"more", more}};
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
  answer["optionality"] = optionality(reader);
  return answer;
}

}  // namespace tellerd::app
