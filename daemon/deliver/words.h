// A line of the outbox as the JSON that subscribers get: from what it points at, in memory now or in teller.db at a
// replay. Threads: any; Words is one thread's (it owns prepared statements of its database).
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "deliver/outbox.h"
#include "store/database.h"

namespace tellerd::deliver {

// Views live until the line is said.
struct OfferWords {
  std::int64_t offer_id = 0;
  std::string_view customer_key, queue, action, offer_type, offer_type_ru, combined_segment;
  std::int64_t expected_revenue_minor = 0, offer_priority = 0, days_valid = 0;
  core::Instant created_us = 0, expires_us = 0;
  std::string_view state;  // of an end: how it ended; else not read
};
struct SegmentWords {
  std::string_view customer_key;
  std::optional<std::string_view> tier, combined_segment, reason;
  core::Instant from_us = 0;
};
struct ChurnWords {
  std::string_view customer_key, state;
  core::Instant from_us = 0;
};
struct OverdueWords {
  std::string_view customer_key, loan_name;
  std::int64_t dpd = 0;
  std::string_view dpd_bucket;
  core::Instant from_us = 0;
};
std::string say(const Line& line, const std::string& topic, const OfferWords& offer);
std::string say(const Line& line, const std::string& topic, const SegmentWords& segment);
std::string say(const Line& line, const std::string& topic, const ChurnWords& churn);
std::string say(const Line& line, const std::string& topic, const OverdueWords& overdue);

class Words {
 public:
  explicit Words(store::Database& database);
  std::string say(const Line& line, const std::string& topic);

 private:
  store::Statement offer_, segment_, churn_, overdue_;
};

}  // namespace tellerd::deliver
