// What is known of one customer, asked by any of its keys: its mart_customer row, offers, stays in segments,
// instalments. Threads: the caller's, with a reader of its own.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "app/readers.h"
#include "app/rows_by_customer.h"
#include "deliver/json_rows.h"
#include "store/database.h"

namespace tellerd::app {

// `key` is a key of any system, or "system:key", which a key that several systems have must be. Without one customer
// the answer is {"ok": false, "code": NOT_FOUND or AMBIGUOUS, "text"}.
// Whom a key names; else that answer, and null when it is well.
deliver::Json find_customer(store::Database& reader, std::string_view key, std::int64_t& leader);
deliver::Json customer_answer(Readers::Turn& turn, RowsByCustomer& tiers, std::string_view key);
// Its mart_churn row, the reasons also in the words of the pack that decides. Null without a transaction ever.
deliver::Json churn_of(store::Database& reader, std::int64_t leader);
// The newest rows of mart_offer about the customer and all whom aliases have joined to it, newest first.
deliver::Json newest_offers(store::Database& reader, std::int64_t leader, std::size_t rows_max);
// What was told of them, newest first.
deliver::Json newest_outcomes(store::Database& reader, std::int64_t leader, std::size_t rows_max);
inline constexpr std::size_t kOffersOfOneMax = 4096;  // so long a list SQLite takes at once
// Numbers of those offers, newest first, as a JSON list: bound for json_each, so that a question's text stays the same.
std::string offers_of(store::Database& reader, std::int64_t leader, std::size_t count_max);

}  // namespace tellerd::app
