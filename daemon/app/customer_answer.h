// What is known of one customer, asked by any of its keys: its mart_customer row, offers, stays in segments,
// instalments. Threads: the caller's, with a reader of its own.
#pragma once
#include <cstdint>
#include <string_view>

#include "deliver/json_rows.h"
#include "store/database.h"

namespace tellerd::app {

// `key` is a key of any system, or "system:key", which a key that several systems have must be. Without one customer
// the answer is {"ok": false, "code": NOT_FOUND or AMBIGUOUS, "text"}.
// Whom a key names; else that answer, and null when it is well.
deliver::Json find_customer(store::Database& reader, std::string_view key, std::int64_t& leader);
deliver::Json customer_answer(store::Database& reader, std::string_view key);
// The newest rows of mart_offer about the customer and all whom aliases have joined to it, newest first.
deliver::Json newest_offers(store::Database& reader, std::int64_t leader, int rows_max);

}  // namespace tellerd::app
