#include "deliver/words.h"

#include <fmt/core.h>

#include <utility>

#include "deliver/json_text.h"

namespace tellerd::deliver {
namespace {

bool is_of_offer(What what) { return what == What::kOffer || what == What::kOfferEnd || what == What::kOfferDone; }

constexpr std::size_t kBytesOfALine = 600;

JsonText head_of(const Line& line, const std::string& topic) {
  JsonText json(kBytesOfALine);
  json.open();
  json.put("topic", topic);
  json.put("seq", line.topic_seq);
  json.put("at_us", line.at_us);
  json.put("what", line.what == What::kOffer ? "offer"
                   : is_of_offer(line.what)  ? "offer_end"
                                             : std::string_view(topic));
  return json;
}

std::string end(JsonText&& json) {
  json.end();
  return std::move(json).text();
}

void put_name(JsonText& json, const char* field, const std::optional<std::string_view>& name) {
  if (name)
    json.put(field, *name);
  else
    json.put_null(field);
}

}  // namespace

std::string say(const Line& line, const std::string& topic, const OfferWords& offer) {
  JsonText json = head_of(line, topic);
  json.put("offer_id", fmt::format("{:016x}", offer.offer_id));
  json.put("customer_key", offer.customer_key);
  json.put("queue", offer.queue);
  json.put("action", offer.action);
  json.put("offer_type", offer.offer_type);
  json.put("offer_type_ru", offer.offer_type_ru);
  json.put("combined_segment", offer.combined_segment);
  json.put("expected_revenue_minor", offer.expected_revenue_minor);
  json.put("offer_priority", offer.offer_priority);
  json.put("days_valid", offer.days_valid);
  json.put("created_us", offer.created_us);
  json.put("expires_us", offer.expires_us);
  // What it was when the line left: the end of an offer is a line of its own.
  json.put("state", line.what == What::kOffer       ? std::string_view("READY")
                    : line.what == What::kOfferDone ? std::string_view("DONE")
                                                    : offer.state);
  return end(std::move(json));
}

std::string say(const Line& line, const std::string& topic, const SegmentWords& segment) {
  JsonText json = head_of(line, topic);
  json.put("customer_key", segment.customer_key);
  put_name(json, "tier", segment.tier);
  put_name(json, "combined_segment", segment.combined_segment);
  json.put("from_us", segment.from_us);
  put_name(json, "reason", segment.reason);
  return end(std::move(json));
}

std::string say(const Line& line, const std::string& topic, const ChurnWords& churn) {
  JsonText json = head_of(line, topic);
  json.put("customer_key", churn.customer_key);
  json.put("state", churn.state);
  json.put("from_us", churn.from_us);
  return end(std::move(json));
}

std::string say(const Line& line, const std::string& topic, const OverdueWords& overdue) {
  JsonText json = head_of(line, topic);
  json.put("customer_key", overdue.customer_key);
  json.put("loan_name", overdue.loan_name);
  json.put("dpd", overdue.dpd);
  json.put("dpd_bucket", overdue.dpd_bucket);
  json.put("from_us", overdue.from_us);
  return end(std::move(json));
}

Words::Words(store::Database& database)
    : offer_(database,
             "SELECT o.offer_id, i.display_key AS customer_key, t.queue, t.action, t.type "
             "AS offer_type,"
             " t.name_ru AS offer_type_ru, t.segment AS combined_segment, o.expected_revenue_minor, t.priority AS "
             "offer_priority,"
             " o.days_valid, o.created_us, o.expires_us, o.state FROM offer o JOIN identity i ON i.id=o.customer"
             " JOIN offer_template t ON t.number=o.template WHERE o.number=?"),
      segment_(database,
               "SELECT i.display_key AS customer_key, t.name AS tier, s.name AS combined_segment, h.from_us, r.name AS "
               "reason FROM segment_history h"
               " JOIN identity i ON i.id=h.customer LEFT JOIN name_of t ON t.what='tier' AND t.number=h.tier"
               " LEFT JOIN name_of s ON s.what='combined' AND s.number=h.combined LEFT JOIN name_of r ON "
               "r.what='reason' AND r.number=h.reason"
               " WHERE h.number=?"),
      churn_(database,
             "SELECT i.display_key AS customer_key, CASE h.state WHEN 1 THEN 'active' WHEN 2 THEN 'at_risk' WHEN 3 "
             "THEN 'churned'"
             " WHEN 4 THEN 'returned' END AS state, h.from_us FROM churn_history h JOIN identity i ON i.id=h.customer"
             " WHERE h.number=?"),
      overdue_(database,
               "SELECT i.display_key AS customer_key, h.loan_name, h.dpd, CASE h.bucket WHEN 0 THEN 'current' WHEN 1 "
               "THEN '1-30' WHEN 2 THEN"
               " '31-60' WHEN 3 THEN '61-90' WHEN 4 THEN '91-180' ELSE '>180' END AS dpd_bucket, h.from_us FROM "
               "dpd_history h"
               " JOIN identity i ON i.id=h.customer WHERE h.number=?") {}

std::string Words::say(const Line& line, const std::string& topic) {
  const auto text = [](const store::Statement& row, int column) { return row.text(column); };
  const auto name = [&](const store::Statement& row, int column) {
    return row.is_null(column) ? std::nullopt : std::optional(text(row, column));
  };
  std::string said;
  store::Statement& find = is_of_offer(line.what)        ? offer_
                           : line.what == What::kSegment ? segment_
                           : line.what == What::kChurn   ? churn_
                                                         : overdue_;
  find.bind(1, line.a);
  const bool is_there = find.step();
  if (!is_there) {
    said = end(head_of(line, topic));
  } else if (is_of_offer(line.what)) {
    said = deliver::say(line, topic,
                        OfferWords{find.integer(0), text(find, 1), text(find, 2), text(find, 3), text(find, 4),
                                   text(find, 5), text(find, 6), find.integer(7), find.integer(8), find.integer(9),
                                   find.integer(10), find.integer(11), text(find, 12)});
  } else if (line.what == What::kSegment) {
    said = deliver::say(line, topic,
                        SegmentWords{text(find, 0), name(find, 1), name(find, 2), name(find, 4), find.integer(3)});
  } else if (line.what == What::kChurn) {
    said = deliver::say(line, topic, ChurnWords{text(find, 0), text(find, 1), find.integer(2)});
  } else {
    said = deliver::say(line, topic,
                        OverdueWords{text(find, 0), text(find, 1), find.integer(2), text(find, 3), find.integer(4)});
  }
  find.reset();
  return said;
}

}  // namespace tellerd::deliver
