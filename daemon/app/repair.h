// Answering a refused event: a record that names the quarantined seq and brings bytes, the old ones or a mended event.
#pragma once
#include <string>

#include "app/config.h"
#include "deliver/json_rows.h"

namespace tellerd::app {

// ask: {"seq": …, "event": a JSON event, absent: the same bytes again}. The record's payload goes into `record` and
// null is returned; or a refusal, {"ok": false, "code": …, "text": …}.
deliver::Json repair(const Config& config, const deliver::Json& ask, std::string& record);

}  // namespace tellerd::app
