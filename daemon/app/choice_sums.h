// What choices came to, for the page of offers: today's funnel, what each action brought beside what was foretold, what
// the arms earned, who gets nothing and why. Read from what is stored, without effect on it.
// Threads: the caller's, with a reader.
#pragma once
#include "deliver/json_rows.h"
#include "store/database.h"

namespace tellerd::app {

deliver::Json choice_sums(store::Database& reader);

}  // namespace tellerd::app
