// What is known of one customer, asked by any of its keys: its mart_customer row, offers, stays in segments,
// instalments. Threads: the caller's, with a reader of its own.
#pragma once
#include <string_view>

#include "deliver/json_rows.h"
#include "store/database.h"

namespace tellerd::app {

// `key` is a key of any system, or "system:key", which a key that several systems have must be. Without one customer
// the answer is {"ok": false, "code": NOT_FOUND or AMBIGUOUS, "text"}.
deliver::Json customer_answer(store::Database& reader, std::string_view key);

}  // namespace tellerd::app
