// The addresses under /api/v1 that read the store: what each gives, who may ask. schema/openapi.json describes them.
// Answers are JSON; an answer without personal data carries an ETag. Errors become problem+json: 400 names what is
// taken, 404 what is not there, 503 a question that took longer than two seconds.
// Threads: the HTTP workers'.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "app/kept.h"
#include "app/readers.h"
#include "app/rows_by_customer.h"
#include "deliver/json_rows.h"
#include "deliver/queue_book.h"
#include "ops/resource.h"

namespace tellerd::app {

class Recorder;

// The queues as they stand in memory; no book while there is no engine.
struct LiveQueues {
  std::function<std::shared_ptr<deliver::QueueBook>()> book;
  std::function<core::Instant()> policy_us;  // the time contacts are judged by
};

// What holds no personal data is kept for all who ask.
using Answers = Kept<ops::Reply>;
ops::Reply kept_answer(Answers& answers, const std::string& name, std::function<ops::Reply()> make);

std::vector<ops::Resource> mart_resources(Readers& readers, Answers& answers);
std::vector<ops::Resource> customer_resources(Readers& readers, HistoriesByCustomer& histories);
std::vector<ops::Resource> sum_resources(Readers& readers, Answers& answers);
std::vector<ops::Resource> data_resources(Readers& readers, const Config& config, Recorder& recorder);
std::vector<ops::Resource> policy_resources(Readers& readers);
std::vector<ops::Resource> choice_resources(Readers& readers, Answers& answers, LiveQueues queues);

// What they share.
deliver::Json rows_of(store::Database& database, const std::string& sql);
std::string etag_of(std::string_view body);
ops::Reply tell(const deliver::Json& json);  // with an ETag: may be kept and asked for again
ops::Reply tell_privately(const deliver::Json& json, ops::Reading reading);
ops::Reply refuse(int status, std::string_view sentence);
// Runs the answer; a question that took too long is a 503.
ops::Reply in_time(const std::function<ops::Reply()>& answer);
std::string csv_of(const deliver::Json& rows);  // RFC 4180; a text that a spreadsheet would run gets an apostrophe

}  // namespace tellerd::app
