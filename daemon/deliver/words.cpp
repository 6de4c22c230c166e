#include "deliver/words.h"

#include "deliver/json_rows.h"

namespace tellerd::deliver {
Words::Words(store::Database& database)
    : offer_(database,
             "SELECT printf('%016x',o.offer_id) AS offer_id, i.display_key AS customer_key, t.queue, t.action, t.type "
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
  Json json;
  json["topic"] = topic;
  json["seq"] = line.topic_seq;
  json["at_us"] = line.at_us;
  json["what"] = line.what == What::kOffer                                       ? "offer"
                 : line.what == What::kOfferEnd || line.what == What::kOfferDone ? "offer_end"
                                                                                 : topic;
  const bool is_offer = line.what == What::kOffer || line.what == What::kOfferEnd || line.what == What::kOfferDone;
  store::Statement& find = is_offer                      ? offer_
                           : line.what == What::kSegment ? segment_
                           : line.what == What::kChurn   ? churn_
                                                         : overdue_;
  find.bind(1, line.a);
  if (find.step()) put_columns(json, find);
  find.reset();
  if (line.what == What::kOffer) json["state"] = "READY";  // what it was when it left; its end is a line of its own
  if (line.what == What::kOfferDone) json["state"] = "DONE";
  return dump(json);
}

}  // namespace tellerd::deliver
