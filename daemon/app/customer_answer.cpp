#include "app/customer_answer.h"

#include <fmt/core.h>

#include <cstdint>
#include <map>
#include <string>

#include "decide/reason_words.h"

namespace tellerd::app {
namespace {

using deliver::Json;

// Whom the key names: the customer's id to the key as it is shown. A joined customer is found by each of its keys.
std::map<std::int64_t, std::string> named_by(store::Database& reader, std::string_view key) {
  store::Statement find(
      reader,
      "SELECT leader, display_key FROM identity WHERE display_key = ?1 "
      "UNION ALL SELECT i.leader, i.display_key FROM system s JOIN identity i ON i.display_key = substr(?1, "
      "length(s.name) + 2) AND i.system = s.id "
      "WHERE substr(?1, 1, length(s.name) + 1) = s.name || ':' "
      "UNION ALL SELECT i.leader, i.display_key FROM system s JOIN identity i ON i.display_key = s.name || ':' || ?1");
  find.bind(1, key);
  std::map<std::int64_t, std::string> found;
  while (find.step()) found.try_emplace(find.integer(0), find.text(1));
  return found;
}

Json rows(store::Database& reader, const char* sql, std::int64_t leader) {
  store::Statement query(reader, sql);
  return deliver::json_rows(query.bind(1, leader));
}

// The state with its reasons, in codes and in the words of the pack that decides. Null without a transaction ever.
Json churn(store::Database& reader, std::int64_t leader) {
  Json found = rows(reader,
                    "SELECT state, probability, as_of, horizon_weeks, reasons, model FROM mart_churn WHERE "
                    "customer_key = (SELECT display_key FROM identity WHERE id = ?)",
                    leader);
  if (found.empty()) return nullptr;
  Json answer = found[0];
  const std::string codes = answer["reasons"];
  store::Statement files(reader, "SELECT h.files FROM policy_history h JOIN cursor c ON c.pack_seq = h.seq");
  if (codes.empty() || !files.step()) return answer;
  const auto pack = decide::deserialise_pack(files.text(0));
  for (const char* language : {"ru", "en"})
    answer[std::string("reasons_") + language] = decide::reason_words(decide::read_texts(pack, language), codes);
  return answer;
}

}  // namespace

// Each chain is walked as far as it could be shown: a chain alone may hold all that is newest.
Json newest_offers(store::Database& reader, std::int64_t leader, int rows_max) {
  store::Statement query(
      reader,
      "WITH RECURSIVE chain(number, steps) AS (SELECT g.last_offer, 1 FROM identity i JOIN gold_customer g ON g.id = "
      "i.id WHERE i.leader = ?1 AND g.last_offer > 0 UNION ALL SELECT m.prev, c.steps + 1 FROM chain c JOIN offer_made "
      "m ON m.number = c.number WHERE m.prev > 0 AND c.steps < ?2) "
      "SELECT o.* FROM chain c JOIN offer_told o ON o.number = c.number ORDER BY c.number DESC LIMIT ?2");
  Json found = deliver::json_rows(query.bind_all(leader, std::int64_t{rows_max}));
  for (Json& offer : found) offer.erase("number");
  return found;
}

Json find_customer(store::Database& reader, std::string_view key, std::int64_t& leader) {
  const auto found = named_by(reader, key);
  if (found.empty())
    return {{"ok", false}, {"code", "NOT_FOUND"}, {"text", fmt::format("no customer has the key {}", key)}};
  if (found.size() > 1) {
    std::string keys;
    for (const auto& [id, shown] : found) keys += (keys.empty() ? "" : ", ") + shown;
    return {{"ok", false},
            {"code", "AMBIGUOUS"},
            {"text", fmt::format("several customers have the key {}: ask for {}", key, keys)}};
  }
  leader = found.begin()->first;
  return nullptr;
}

Json customer_answer(store::Database& reader, std::string_view key) {
  std::int64_t leader = 0;
  if (const Json problem = find_customer(reader, key, leader); !problem.is_null()) return problem;
  Json answer{{"ok", true}};
  answer["customer"] =
      rows(reader, "SELECT * FROM mart_customer WHERE key = (SELECT display_key FROM identity WHERE id = ?)", leader)
          .at(0);
  answer["churn"] = churn(reader, leader);
  answer["offers"] = newest_offers(reader, leader, 20);
  answer["segment_history"] = rows(reader,
                                   "SELECT * FROM mart_segment_history WHERE customer_key = (SELECT display_key FROM "
                                   "identity WHERE id = ?) ORDER BY from_us DESC LIMIT 20",
                                   leader);
  answer["payments"] = rows(reader,
                            "SELECT * FROM mart_loan_payment WHERE customer_key IN (SELECT display_key FROM identity "
                            "WHERE leader = ?) ORDER BY payment_date DESC LIMIT 60",
                            leader);
  return answer;
}

}  // namespace tellerd::app
