// Why this offer, why not that action, why nothing: answered from what is stored, without any effect on it. What is
// asked about now is decided again in the asker's own memory, as of the last flush. Threads: the caller's, with a
// reader.
#pragma once
#include <string_view>

#include "deliver/json_rows.h"
#include "store/database.h"

namespace tellerd::app {

// A stored decision whole, in codes and words: by the offer's id in hex.
deliver::Json explain_offer(store::Database& reader, std::string_view offer_id);
// Of a silence too: by its number in mart_decision.
deliver::Json explain_decision(store::Database& reader, std::int64_t decision);
// How far each channel of the action comes for the customer now, and what is chosen instead.
deliver::Json why_not(store::Database& reader, std::string_view key, std::string_view action);
// The same of every action over every channel: the customer by internal number.
deliver::Json decision_grid(store::Database& reader, std::int64_t leader);
// The same of a stored decision, by its number: as it was then, by the pack that decided.
deliver::Json why_not_then(store::Database& reader, std::string_view key, std::string_view action,
                           std::int64_t decision);
deliver::Json decision_grid_then(store::Database& reader, std::int64_t leader, std::int64_t decision);
// How much choice there is: stored decisions by how many candidates were left for arbitration. One that had a single
// candidate left was no choice.
deliver::Json optionality(store::Database& reader);
// What waits in a queue and why the rest does not: offers by state, and customers without one by reason.
deliver::Json why_empty(store::Database& reader, std::string_view queue);

}  // namespace tellerd::app
