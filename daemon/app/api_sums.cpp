// Sums that are no mart because they are made for one chart: moves between segments, offers by action and state, churn.
#include <fmt/core.h>

#include <map>
#include <sstream>
#include <unordered_map>

#include "app/api.h"
#include "app/kept_packs.h"
#include "core/time.h"

namespace tellerd::app {
namespace {

using deliver::Json;

bool has_mart(store::Database& database, const std::string& mart) {
  return database.integer(fmt::format("SELECT count(*) FROM sqlite_master WHERE type='view' AND name='{}'", mart)) > 0;
}

// One pass over the history: a customer's move is from the segment of the row before it.
Json moves(store::Database& database, int days) {
  const std::int64_t since_us = database.integer("SELECT now_us FROM cursor") - days * core::kDay;
  std::unordered_map<std::int64_t, int> segment_of;
  std::map<std::pair<int, int>, std::int64_t> counts;
  store::Statement history(database, "SELECT customer, from_us, combined FROM segment_history ORDER BY number");
  while (history.step()) {
    const int now = static_cast<int>(history.integer(2));
    const auto [before, is_first] = segment_of.try_emplace(history.integer(0), now);
    if (!is_first && before->second != now && history.integer(1) >= since_us) ++counts[{before->second, now}];
    before->second = now;
  }
  std::map<int, std::string> names;
  store::Statement name_rows(database, "SELECT number, name FROM name_of WHERE what = 'combined'");
  while (name_rows.step()) names[static_cast<int>(name_rows.integer(0))] = name_rows.text(1);
  Json rows = Json::array();
  for (const auto& [pair, count] : counts)
    if (names.contains(pair.first) && names.contains(pair.second))
      rows.push_back({{"from", names[pair.first]}, {"to", names[pair.second]}, {"customers", count}});
  return {{"days", days}, {"rows", rows}};
}

Json offers(store::Database& database) {
  return {{"rows", rows_of(database,
                           "SELECT queue, action, offer_type, combined_segment, state, count(*) AS offers, "
                           "sum(expected_revenue_minor) AS expected_revenue_minor"
                           " FROM mart_offer GROUP BY queue, offer_type, combined_segment, state")}};
}

// What packs call their offers in Russian; the type is the English name. And what the active one calls the rest.
Json offer_names(store::Database& database) {
  Json answer{{"rows", rows_of(database,
                               "SELECT action, type AS offer_type, max(name_ru) AS name_ru FROM offer_template WHERE "
                               "name_ru<>'' GROUP BY action, type ORDER BY action, type")}};
  const auto pack = active_pack(database);
  answer["policy"] = pack ? pack->hash : "";
  for (const char* language : {"ru", "en"})
    for (const char* section : {"tiers", "segments", "categories"}) {
      Json& names = answer[language][section] = Json::object();
      if (!pack) continue;
      const decide::Texts& texts = language == std::string_view("ru") ? pack->ru : pack->en;
      for (const auto& [name, words] : texts.sections.at(section)) names[name] = words;
    }
  return answer;
}

// How many customers each code speaks for: "CH-02:14 CH-03" names two.
Json reason_counts(store::Database& database) {
  std::map<std::string, std::int64_t> counts;
  store::Statement rows(database, "SELECT reasons, count(*) FROM mart_churn WHERE reasons <> '' GROUP BY reasons");
  while (rows.step()) {
    std::istringstream codes{std::string(rows.text(0))};
    for (std::string code; codes >> code;) counts[code.substr(0, code.find(':'))] += rows.integer(1);
  }
  Json found = Json::array();
  for (const auto& [code, customers] : counts) found.push_back({{"reasons", code}, {"customers", customers}});
  return found;
}

Json churn(store::Database& database) {
  Json answer;
  answer["states"] = rows_of(database, "SELECT state, count(*) AS customers FROM mart_churn GROUP BY state");
  answer["models"] = rows_of(database,
                             "SELECT model, max(as_of) AS as_of, max(horizon_weeks) AS horizon_weeks, count(*) AS "
                             "customers FROM mart_churn GROUP BY model");
  answer["probability"] = rows_of(database,
                                  "SELECT min(CAST(probability * 10 AS INTEGER), 9) AS tenth, count(*) AS customers "
                                  "FROM mart_churn WHERE probability IS NOT NULL GROUP BY 1 ORDER BY 1");
  answer["reasons"] = reason_counts(database);
  answer["has_outcomes"] = has_mart(database, "mart_offer_outcome");
  return answer;
}

ops::Reply moves_within(Readers& readers, Answers& answers, const ops::Ask& ask) {
  int days = 7;
  for (const auto& [name, value] : ask.parameters) {
    const auto number = name == "days" ? ops::number_within(value, 1, 400) : std::nullopt;
    if (!number) return refuse(400, "Moves take days (1 to 400).");
    days = *number;
  }
  return kept_answer(answers, fmt::format("moves {}", days),
                     [&readers, days] { return tell(moves(*readers.take(kSumUs), days)); });
}

}  // namespace

std::vector<ops::Resource> sum_resources(Readers& readers, Answers& answers) {
  const auto sum = [&readers, &answers](const char* path, Json (*make)(store::Database&)) {
    return ops::Resource{"GET", path, ops::kEverybody, false, [&readers, &answers, path, make](const ops::Ask&) {
                           return kept_answer(answers, path,
                                              [&readers, make] { return tell(make(*readers.take(kSumUs))); });
                         }};
  };
  return {{"GET", "/api/v1/segments/moves", ops::kEverybody, true,
           [&readers, &answers](const ops::Ask& ask) { return moves_within(readers, answers, ask); }},
          sum("/api/v1/offers/summary", offers),
          sum("/api/v1/churn/summary", churn),
          {"GET", "/api/v1/offer_names", ops::kEverybody, false,
           [&readers](const ops::Ask&) { return in_time([&] { return tell(offer_names(*readers.take())); }); }}};
}

}  // namespace tellerd::app
