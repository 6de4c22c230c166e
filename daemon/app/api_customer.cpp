// One customer's story: POST /api/v1/customers/find. A key may be a passport number, so it travels in the body, never
// in an address. An analyst sees names masked; a desk sees the name, and of the telephone its end.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>

#include "app/api.h"
#include "app/customer_answer.h"
#include "app/rows_by_customer.h"
#include "core/text.h"
#include "core/time.h"
#include "gold/customer_rows.h"
#include "ops/sessions.h"
#include "silver/rows.h"
#include "wire/facts.h"

namespace tellerd::app {
namespace {

using deliver::Json;
using ops::Role;

constexpr int kWeeksShown = 53, kFactsShown = 40;
constexpr std::size_t kLookUpsMax = 60;  // a user and a minute: a desk reads people, not lists
constexpr const char* kMembers = "(SELECT id FROM identity WHERE leader = ?1)";  // all that an alias has joined

Json rows_about(store::Database& database, std::string sql, std::int64_t customer) {
  for (auto at = sql.find("{members}"); at != std::string::npos; at = sql.find("{members}"))
    sql.replace(at, 9, kMembers);
  store::Statement rows(database, sql);
  return deliver::json_rows(rows.bind(1, customer));
}

// The newest rows of a history; ?1 of the question is the list of their numbers.
Json newest_rows(Readers::Turn& turn, RowsByCustomer& of, const std::vector<std::int64_t>& ids, const char* sql) {
  const std::string numbers = of.numbers_of(turn, ids, 50);
  store::Statement rows(*turn, sql);
  return deliver::json_rows(rows.bind(1, std::string_view(numbers)));
}

std::vector<std::int64_t> ids_of(store::Database& database, std::int64_t leader) {
  std::vector<std::int64_t> ids;
  store::Statement members(database, "SELECT id FROM identity WHERE leader=?1 ORDER BY id");
  members.bind(1, leader);
  while (members.step()) ids.push_back(members.integer(0));
  return ids;
}

// The customers a key names: as it stands, or after "system:".
std::vector<std::int64_t> customers_named(store::Database& database, const std::string& key) {
  const auto find = [&](std::string_view system, std::string_view wanted) {
    store::Statement rows(database,
                          "SELECT DISTINCT i.leader FROM identity i JOIN system s ON s.id = i.system WHERE i.key = ?1 "
                          "AND (?2 = '' OR s.name = ?2) LIMIT 2");
    std::vector<std::int64_t> found;
    rows.bind_all(wanted, system);
    while (rows.step()) found.push_back(rows.integer(0));
    return found;
  };
  auto found = find("", key);
  const auto colon = key.find(':');
  if (found.empty() && colon != std::string::npos && colon > 0)
    found = find(std::string_view(key).substr(0, colon), std::string_view(key).substr(colon + 1));
  return found;
}

// Bit k is the week k weeks ago; as text, because a browser's numbers end at 53 bits. The oldest week comes first.
std::string weeks_of(const Json& bits) {
  std::string text(kWeeksShown, '0');
  const auto value = bits.is_number() ? bits.get<std::int64_t>() : 0;
  for (int week = 0; week < kWeeksShown; ++week)
    if ((value >> week) & 1) text[static_cast<std::size_t>(kWeeksShown - 1 - week)] = '1';
  return text;
}

Json person(store::Database& database, std::int64_t customer, const ops::Principal& who, Json& mart) {
  Json found = rows_about(database,
                          "SELECT y.name, y.phone, y.language, y.timezone, y.region, y.gender, y.job_type, "
                          "y.education, y.segment, y.status FROM gold_profile p"
                          " JOIN silver_profile y ON y.seq = p.profile_seq WHERE p.customer = ?1",
                          customer);
  if (found.empty()) return Json::object();
  Json one = found[0];
  if (who.is(Role::kDesk)) mart["name"] = one["name"];
  one["phone"] = who.is(Role::kDesk) ? core::masked_end(one["phone"].get<std::string>(), 4) : "";
  one.erase("name");
  return one;
}

// What a kind's row says in the list of recent facts: no text of a message, no name of a host, no note.
std::string_view columns_of(wire::Kind kind) {
  using wire::Kind;
  switch (kind) {
    case Kind::kTransaction:
      return "amount_minor, currency, direction, mcc, city";
    case Kind::kSupportContact:
      return "topic, channel";
    case Kind::kSms:
    case Kind::kHostVisit:
      return "is_competitor";
    case Kind::kLogin:
      return "success, device";
    case Kind::kActivity:
      return "type, minutes, page_views";
    case Kind::kBillPayment:
      return "amount_minor, currency, type, status";
    case Kind::kProductView:
      return "category, dwell_ms";
    case Kind::kOrder:
      return "quantity, amount_minor, currency, status";
    case Kind::kImpression:
      return "noticed, reaction";
    case Kind::kOutcome:
      return "code, amount_minor, promise_date";
    default:
      return "";
  }
}

// Walks one chain, newest first, while there is room.
void walk(store::Database& database, silver::FactRef ref, Json& facts) {
  std::array<std::unique_ptr<store::Statement>, 32> of_kind;
  for (int steps = 0; ref != 0 && steps < kFactsShown; ++steps) {
    const wire::Kind kind = silver::kind_of(ref);
    const auto columns = columns_of(kind);
    if (columns.empty()) return;
    auto& statement = of_kind[static_cast<std::size_t>(kind)];
    if (!statement)
      statement = std::make_unique<store::Statement>(
          database, fmt::format("SELECT prev, state, occurred_us, {} FROM silver_{} WHERE seq = ?", columns,
                                wire::name_of(kind)));
    if (!statement->bind(1, silver::seq_of(ref)).step()) return;  // retention has dropped it, and all before it
    ref = statement->integer(0);
    Json fact{{"kind", wire::name_of(kind)}};
    deliver::put_columns(fact, *statement);
    statement->reset();
    const bool is_alive = fact["state"] != static_cast<int>(silver::RowState::kReplaced);
    fact.erase("prev");
    fact.erase("state");
    if (is_alive) facts.push_back(std::move(fact));
  }
}

Json recent_facts(store::Database& database, std::int64_t customer) {
  Json facts = Json::array();
  store::Statement rows(database, fmt::format("SELECT state FROM gold_customer WHERE id IN {}", kMembers));
  rows.bind(1, customer);
  while (rows.step()) walk(database, gold::CustomerRows::chain_of(rows.text(0)), facts);
  std::stable_sort(facts.begin(), facts.end(), [](const Json& a, const Json& b) {
    return a["occurred_us"].get<std::int64_t>() > b["occurred_us"].get<std::int64_t>();
  });
  if (facts.size() > kFactsShown) facts.erase(facts.begin() + kFactsShown, facts.end());
  return facts;
}

// A mart that a later room brings may not be there yet: then it has no rows.
Json mart_rows(store::Database& database, const std::string& mart, std::int64_t customer, const std::string& order) {
  if (database.integer(fmt::format("SELECT count(*) FROM sqlite_master WHERE type='view' AND name='{}'", mart)) == 0)
    return Json::array();
  return rows_about(
      database,
      fmt::format("SELECT * FROM {} WHERE customer_key IN (SELECT display_key FROM identity WHERE leader = ?1) {}",
                  mart, order),
      customer);
}

Json story(Readers::Turn& turn, HistoriesByCustomer& of, std::int64_t customer, const ops::Principal& who) {
  store::Database& database = *turn;
  store::Statement key_of(database, "SELECT display_key FROM identity WHERE id = ?");
  const bool is_known = key_of.bind(1, customer).step();
  const std::string key = is_known ? std::string(key_of.text(0)) : std::string();
  key_of.reset();
  store::Statement row(database, "SELECT * FROM mart_customer WHERE key = ?");
  Json found = deliver::json_rows(row.bind(1, std::string_view(key)));
  if (found.empty()) return {};
  Json mart = found[0], weeks;
  for (const char* source : {"tx", "sup", "sms", "host"}) {
    const std::string column = std::string(source) + "_weeks";
    weeks[source] = weeks_of(mart[column]);
    mart.erase(column);
  }
  Json answer{{"id", customer}};
  answer["profile"] = person(database, customer, who, mart);
  answer["customer"] = std::move(mart);
  answer["weeks"] = std::move(weeks);
  answer["systems"] = rows_about(database,
                                 "SELECT s.name AS system, count(*) AS keys FROM identity i JOIN system s ON s.id = "
                                 "i.system WHERE i.leader = ?1 GROUP BY 1 ORDER BY 1",
                                 customer);
  const Json churn = churn_of(database, customer);
  answer["churn"] = churn.is_null() ? Json::array() : Json::array({churn});
  const auto ids = ids_of(database, customer);
  answer["tier_history"] =
      newest_rows(turn, of.tiers, ids,
                  "SELECT h.from_us, t.name AS tier, s.name AS combined_segment, r.name AS reason, "
                  "h.cause_seq FROM segment_history h"
                  " LEFT JOIN name_of t ON t.what='tier' AND t.number=h.tier LEFT JOIN name_of s "
                  "ON s.what='combined' AND s.number=h.combined"
                  " LEFT JOIN name_of r ON r.what='reason' AND r.number=h.reason WHERE h.number "
                  "IN (SELECT value FROM json_each(?1)) ORDER BY h.number DESC");
  answer["churn_history"] =
      newest_rows(turn, of.churn, ids,
                  "SELECT from_us, CASE state WHEN 1 THEN 'active' WHEN 2 THEN 'at_risk' WHEN 3 "
                  "THEN 'churned' ELSE 'returned' END AS state, cause_seq"
                  " FROM churn_history WHERE number IN (SELECT value FROM json_each(?1)) ORDER BY number DESC");
  answer["loans"] = rows_about(database,
                               "SELECT loan_name, amount_minor, planned_minor, start_date, dpd, bucket FROM gold_loan "
                               "WHERE customer IN {members} AND loan_seq > 0 ORDER BY start_date DESC",
                               customer);
  answer["instalments"] = mart_rows(database, "mart_loan_payment", customer, "ORDER BY payment_date DESC LIMIT 60");
  answer["offers"] = newest_offers(database, customer, 30);
  answer["outcomes"] = newest_outcomes(database, customer, 30);
  answer["facts"] = recent_facts(database, customer);
  answer["consents"] = rows_about(database,
                                  "SELECT purpose, channel, granted, occurred_us, nullif(valid_to, '') AS valid_to "
                                  "FROM silver_consent WHERE customer IN {members} AND state = 0 ORDER BY occurred_us "
                                  "DESC LIMIT 50",
                                  customer);
  answer["restrictions"] = rows_about(database,
                                      "SELECT type, active, occurred_us, nullif(valid_to, '') AS valid_to FROM "
                                      "silver_restriction WHERE customer IN {members} AND state = 0 ORDER BY "
                                      "occurred_us DESC LIMIT 50",
                                      customer);
  return answer;
}

ops::Reply find(Readers& readers, HistoriesByCustomer& of, ops::RateWindow& look_ups, const ops::Ask& ask) {
  constexpr std::string_view kTakes = "A look-up takes {\"key\": \"key or system:key\"} or {\"id\": internal number}.";
  const Json wanted = Json::parse(ask.body, nullptr, false);
  if (!wanted.is_object() || wanted.size() != 1) return refuse(400, kTakes);
  const bool is_key = wanted.contains("key") && wanted["key"].is_string(),
             is_id = wanted.contains("id") && wanted["id"].is_number_integer();
  if (!is_key && !is_id) return refuse(400, kTakes);
  const auto now = std::chrono::steady_clock::now();
  if (look_ups.is_full(ask.who.user, now)) {
    ops::Reply reply = refuse(429, "Sixty look-ups a minute are the limit.");
    reply.answer.retry_after_s = 60;
    return reply;
  }
  look_ups.count(ask.who.user, now);
  auto turn = readers.take();
  const auto customers =
      is_id ? std::vector<std::int64_t>{wanted["id"].get<std::int64_t>()} : customers_named(*turn, wanted["key"]);
  if (customers.size() > 1) return refuse(409, "Several customers have this key; write system:key.");
  Json answer = customers.empty() ? Json() : story(turn, of, customers[0], ask.who);
  if (answer.is_null()) {
    ops::Reply reply = refuse(404, "No customer has this key.");
    reply.reading = ops::Reading{"look up", "", "nobody found"};
    return reply;
  }
  return tell_privately(answer, {"look up", std::to_string(customers[0]), ""});
}

}  // namespace

std::vector<ops::Resource> customer_resources(Readers& readers, HistoriesByCustomer& histories) {
  auto look_ups = std::make_shared<ops::RateWindow>(kLookUpsMax, std::chrono::seconds(60));
  return {{"POST", "/api/v1/customers/find", ops::roles(Role::kAnalyst, Role::kDesk), false,
           [&readers, look_ups, &histories](const ops::Ask& ask) {
             return in_time([&] { return find(readers, histories, *look_ups, ask); });
           }}};
}

}  // namespace tellerd::app
