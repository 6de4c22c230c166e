#include "app/choice_sums.h"

#include <array>
#include <charconv>
#include <set>
#include <string>
#include <vector>

#include "app/api.h"
#include "app/choice_answer.h"
#include "app/contact_gate.h"
#include "decide/choice.h"
#include "decide/pack_files.h"
#include "decide/reason_words.h"
#include "model/off_policy.h"
#include "model/wilson.h"

namespace tellerd::app {
namespace {

using deliver::Json;

constexpr std::size_t kEnough = 30;  // decisions an arm needs before it is compared

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

struct Funnel {
  std::array<std::int64_t, decide::kStages> counts{};
  void add(std::string_view text) {
    for (std::int64_t& count : counts) {
      std::int64_t one = 0;
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), one);
      count += one;
      text.remove_prefix(std::min<std::size_t>(static_cast<std::size_t>(parsed.ptr - text.data()) + 1, text.size()));
    }
  }
  Json json() const {
    Json funnel = Json::object();
    for (std::size_t stage = 0; stage < counts.size(); ++stage)
      funnel[std::string(decide::kStageNames[stage])] = counts[stage];
    return funnel;
  }
};

// Decisions of the branch's day so far. They are numbered as they were made: it is read from the newest back.
Json today(store::Database& database) {
  store::Statement cursor(database, "SELECT zone,now_us FROM cursor");
  if (!cursor.step()) return Json::object();
  const core::Calendar calendar(cursor.text(0).empty() ? "UTC" : std::string(cursor.text(0)));
  const core::Instant since_us = calendar.start_of_day(calendar.day_of(cursor.integer(1)));
  cursor.reset();
  std::int64_t decisions = 0, offers = 0;
  std::set<std::int64_t> customers;
  Funnel funnel;
  store::Statement rows(database, "SELECT at_us,customer,offer,funnel FROM decision ORDER BY number DESC");
  while (rows.step() && rows.integer(0) >= since_us) {
    ++decisions;
    customers.insert(rows.integer(1));
    offers += rows.integer(2) > 0;
    funnel.add(rows.text(3));
  }
  return {{"since_us", since_us},
          {"decisions", decisions},
          {"customers", customers.size()},
          {"offers", offers},
          {"funnel", funnel.json()}};
}

// Of each action: how many were made, presented, accepted; what was foretold for those presented, and what came.
Json brought(store::Database& database) {
  Json rows = rows_of(
      database,
      "WITH contact AS (SELECT t.number, coalesce((SELECT n.level FROM name_of n WHERE n.what='contact_cost_minor' AND "
      "n.name=CASE t.channel WHEN 2 THEN 'message' ELSE 'call' END),0) AS minor FROM offer_template t), "
      "made AS (SELECT o.number, o.expected_revenue_minor, t.action, t.type, t.name_ru, t.queue, c.minor FROM offer o "
      "JOIN offer_template t ON t.number=o.template JOIN contact c ON c.number=o.template WHERE o.number NOT IN "
      "(SELECT h.number FROM held_offer h)) "
      "SELECT m.action, m.type AS offer_type, min(m.name_ru) AS name_ru, m.queue, count(*) AS issued, "
      "count(l.presented_us) AS presented, sum(coalesce(l.label,0)) AS accepted, coalesce(sum(l.attempts),0) AS "
      "attempts, avg(CASE WHEN l.presented_us IS NOT NULL THEN d.p_ppm/1e6 END) AS foretold_share, "
      "coalesce(sum(CASE WHEN l.presented_us IS NOT NULL THEN d.p_ppm/1e6*d.v_minor END),0) AS expected_minor, "
      "coalesce(sum(CASE WHEN l.label=1 THEN CASE WHEN l.amount_minor>0 THEN l.amount_minor ELSE "
      "m.expected_revenue_minor END END),0) AS realised_minor, coalesce(sum(l.attempts*m.minor),0) AS cost_minor FROM "
      "made m LEFT JOIN decision d ON "
      "d.offer=m.number AND d.offer>0 LEFT JOIN offer_label l ON l.number=m.number GROUP BY m.queue, m.action, m.type "
      "ORDER BY issued DESC, m.queue, m.action");
  for (Json& row : rows) {
    const auto presented = row["presented"].get<std::int64_t>();
    const model::Share share = model::wilson(row["accepted"].get<std::int64_t>(), presented);
    row["accepted_share"] =
        presented ? Json{{"share", share.share}, {"low_95", share.low}, {"high_95", share.high}} : Json();
    row["expected_minor"] = static_cast<std::int64_t>(row["expected_minor"].get<double>());
  }
  return rows;
}

// Who gets nothing, and why: in words, with the rules of the contact policy that may say so.
Json silence(store::Database& database) {
  Json rows =
      rows_of(database, "SELECT reasons, customers FROM mart_silence ORDER BY customers DESC, reasons LIMIT 50");
  store::Statement files(database, "SELECT h.files FROM policy_history h JOIN cursor c ON c.pack_seq=h.seq");
  if (!files.step()) return rows;
  const auto pack = decide::parse_pack(decide::deserialise_pack(files.text(0)));
  for (Json& row : rows) {
    const auto reasons = row["reasons"].get<std::string>();
    row["words_ru"] = decide::reason_words(pack.ru, reasons);
    row["words_en"] = decide::reason_words(pack.en, reasons);
    Json rules = Json::array();
    for (const auto& rule : pack.contact.rules)
      if (reasons.find(code_of(rule.cause)) != std::string::npos && rule.effect != decide::Effect::kDownWeight)
        rules.push_back(rule.id);
    row["rules"] = rules;
  }
  return rows;
}

}  // namespace

Json choice_sums(store::Database& reader) {
  Json answer;
  answer["today"] = today(reader);
  answer["brought"] = brought(reader);
  answer["interval"] = "Wilson, 95 %";
  answer["arms"] = arms(reader);
  answer["acceptance"] = rows_of(
      reader, "SELECT * FROM mart_acceptance WHERE positives+negatives>0 ORDER BY positives+negatives DESC, candidate");
  answer["silence"] = silence(reader);
  answer["flips"] =
      rows_of(reader,
              "SELECT count(*) AS decisions, coalesce(sum(flips&1),0) AS p, coalesce(sum(flips>>1&1),0) AS c, "
              "coalesce(sum(flips>>2&1),0) AS v, coalesce(sum(flips>>3&1),0) AS l, coalesce(sum(flips>>4&1),0) AS "
              "f FROM decision WHERE offer>0")
          .at(0);
  answer["optionality"] = optionality(reader);
  answer["actions"] =
      rows_of(reader,
              "SELECT action, arm, count(*) AS decisions, avg(choice_probability) AS choice_probability FROM "
              "mart_decision WHERE action<>'' GROUP BY action, arm ORDER BY 3 DESC, 1, 2 LIMIT 200");
  return answer;
}

}  // namespace tellerd::app
