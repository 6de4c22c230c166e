#include "app/customer_answer.h"

#include <fmt/core.h>

#include <cstdint>
#include <map>
#include <string>

#include "app/kept_packs.h"
#include "decide/reason_words.h"

namespace tellerd::app {
namespace {

using deliver::Json;

// Whom the key names: the customer's id to the key as it is shown. A joined customer is found by each of its keys.
std::map<std::int64_t, std::string> named_by(store::Database& reader, std::string_view key) {
  store::Statement find(
      reader,
      "SELECT leader, display_key FROM identity WHERE display_key = ?1 "
      "UNION ALL SELECT i.leader, i.display_key FROM system s CROSS JOIN identity i ON i.display_key = substr(?1, "
      "length(s.name) + 2) AND i.system = s.id "
      "WHERE substr(?1, 1, length(s.name) + 1) = s.name || ':' "
      "UNION ALL SELECT i.leader, i.display_key FROM system s CROSS JOIN identity i ON i.display_key = s.name || ':' "
      "|| ?1");
  find.bind(1, key);
  std::map<std::int64_t, std::string> found;
  while (find.step()) found.try_emplace(find.integer(0), find.text(1));
  return found;
}

Json rows(store::Database& reader, const char* sql, std::int64_t leader) {
  store::Statement query(reader, sql);
  return deliver::json_rows(query.bind(1, leader));
}

}  // namespace

Json churn_of(store::Database& reader, std::int64_t leader) {
  Json found = rows(reader,
                    "SELECT state, probability, as_of, horizon_weeks, reasons, model FROM mart_churn WHERE "
                    "customer_key = (SELECT display_key FROM identity WHERE id = ?)",
                    leader);
  if (found.empty()) return nullptr;
  Json answer = found[0];
  const std::string codes = answer["reasons"];
  const auto pack = codes.empty() ? nullptr : active_pack(reader);
  if (!pack) return answer;
  answer["reasons_ru"] = decide::reason_words(pack->ru, codes);
  answer["reasons_en"] = decide::reason_words(pack->en, codes);
  return answer;
}

// Each chain is walked as far as it could be shown: a chain alone may hold all that is newest.
std::string offers_of(store::Database& reader, std::int64_t leader, std::size_t count_max) {
  store::Statement chain(
      reader,
      "WITH RECURSIVE chain(number, steps) AS (SELECT g.last_offer, 1 FROM identity i JOIN gold_customer g ON g.id = "
      "i.id WHERE i.leader = ?1 AND g.last_offer > 0 UNION ALL SELECT m.prev, c.steps + 1 FROM chain c JOIN offer_made "
      "m ON m.number = c.number WHERE m.prev > 0 AND c.steps < ?2) "
      "SELECT number FROM chain ORDER BY number DESC LIMIT ?2");
  chain.bind_all(leader, static_cast<std::int64_t>(count_max));
  std::string numbers = "[";
  while (chain.step()) numbers += fmt::format("{}{}", numbers.size() == 1 ? "" : ",", chain.integer(0));
  return numbers + "]";
}

Json newest_offers(store::Database& reader, std::int64_t leader, std::size_t rows_max) {
  store::Statement query(
      reader, "SELECT * FROM offer_told WHERE number IN (SELECT value FROM json_each(?1)) ORDER BY number DESC");
  const std::string offers = offers_of(reader, leader, rows_max);
  Json found = deliver::json_rows(query.bind(1, std::string_view(offers)));
  for (Json& offer : found) offer.erase("number");
  return found;
}

// As mart_offer_outcome tells them. The numbers stand in the text: only so are labels of these offers alone worked out.
Json newest_outcomes(store::Database& reader, std::int64_t leader, std::size_t rows_max) {
  constexpr std::size_t kOffersMax = 500;
  const std::string list = offers_of(reader, leader, kOffersMax), numbers = list.substr(1, list.size() - 2);
  if (numbers.empty()) return Json::array();
  store::Statement query(
      reader,
      fmt::format("SELECT printf('%016x', o.offer_id) AS offer_id, t.queue, t.action, t.type AS offer_type, y.code, "
                  "c.presented, y.occurred_us, y.desk, y.amount_minor, nullif(y.promise_date, '') AS promise_date, "
                  "y.version > 0 AS is_corrected, l.label, l.label_reason FROM offer_fact f JOIN silver_outcome y ON "
                  "y.seq = f.seq JOIN offer_made o ON o.number = f.number JOIN offer_template t ON t.number = "
                  "o.template LEFT JOIN outcome_code c ON c.code = y.code LEFT JOIN offer_label l ON l.number = "
                  "f.number AND l.number IN ({0}) WHERE f.what = 1 AND f.number IN ({0}) ORDER BY y.occurred_us DESC, "
                  "y.seq DESC LIMIT ?1",
                  numbers));
  return deliver::json_rows(query.bind(1, static_cast<std::int64_t>(rows_max)));
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

Json customer_answer(Readers::Turn& turn, RowsByCustomer& tiers, std::string_view key) {
  store::Database& reader = *turn;
  std::int64_t leader = 0;
  if (const Json problem = find_customer(reader, key, leader); !problem.is_null()) return problem;
  Json answer{{"ok", true}};
  answer["customer"] =
      rows(reader, "SELECT * FROM mart_customer WHERE key = (SELECT display_key FROM identity WHERE id = ?)", leader)
          .at(0);
  answer["churn"] = churn_of(reader, leader);
  answer["offers"] = newest_offers(reader, leader, 20);
  store::Statement stays(
      reader,
      "SELECT (SELECT display_key FROM identity WHERE id = h.customer) AS customer_key, h.from_us, "
      "lead(h.from_us) OVER (ORDER BY h.number) AS to_us, t.name AS tier, s.name AS combined_segment, "
      "r.name AS reason, h.cause_seq FROM segment_history h LEFT JOIN name_of t ON t.what = 'tier' AND "
      "t.number = h.tier LEFT JOIN name_of s ON s.what = 'combined' AND s.number = h.combined LEFT JOIN "
      "name_of r ON r.what = 'reason' AND r.number = h.reason WHERE h.number IN (SELECT value FROM json_each(?1)) "
      "ORDER BY h.number "
      "DESC");
  const std::string numbers = tiers.numbers_of(turn, {leader}, 20);
  answer["segment_history"] = deliver::json_rows(stays.bind(1, std::string_view(numbers)));
  answer["payments"] = rows(reader,
                            "SELECT * FROM mart_loan_payment WHERE customer_key IN (SELECT display_key FROM identity "
                            "WHERE leader = ?) ORDER BY payment_date DESC LIMIT 60",
                            leader);
  return answer;
}

}  // namespace tellerd::app
