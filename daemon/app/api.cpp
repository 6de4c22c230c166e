#include "app/api.h"

#include "core/checksum.h"
#include "core/fault.h"

namespace tellerd::app {
namespace {

using deliver::Json;

std::string cell_of(const Json& value) {
  if (value.is_null()) return {};
  if (!value.is_string()) return value.dump();
  const std::string text = value.get<std::string>();
  const bool is_formula = !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
  std::string quoted = is_formula ? "\"'" : "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

Json rows_of(store::Database& database, const std::string& sql) {
  store::Statement query(database, sql);
  return deliver::json_rows(query);
}

std::string etag_of(std::string_view body) { return '"' + core::hash_hex(body) + '"'; }

ops::Reply tell(const Json& json) {
  ops::Reply reply;
  reply.answer.body = deliver::dump(json);
  reply.answer.etag = etag_of(reply.answer.body);
  return reply;
}

ops::Reply tell_privately(const Json& json, ops::Reading reading) {
  ops::Reply reply;
  reply.answer.body = deliver::dump(json);
  reply.reading = std::move(reading);
  return reply;
}

ops::Reply refuse(int status, std::string_view sentence) { return {ops::problem(status, sentence), {}}; }

ops::Reply in_time(const std::function<ops::Reply()>& answer) {
  try {
    return answer();
  } catch (const core::Fault& slow) {
    if (!is_interrupted(slow)) throw;
    ops::Reply reply =
        refuse(503, "This question takes longer than two seconds; ask for less, or use tellerctl export.");
    reply.answer.retry_after_s = 30;
    return reply;
  }
}

ops::Reply kept_answer(Answers& answers, const std::string& name, std::function<ops::Reply()> make) {
  const auto reply = answers.ask(name, [make = std::move(make)] {
    ops::Reply made = in_time(make);
    const bool may_be_kept = made.answer.status == 200;
    return Answers::Made{std::move(made), may_be_kept};
  });
  if (reply) return *reply;
  ops::Reply soon = refuse(503, "This is still being counted; ask again in a few seconds.");
  soon.answer.retry_after_s = 5;
  return soon;
}

std::string csv_of(const Json& rows) {
  std::string csv;
  for (const auto& row : rows) {
    if (csv.empty()) {
      for (const auto& [name, value] : row.items()) csv += (csv.empty() ? "" : ",") + name;
      csv += "\r\n";
    }
    std::string line;
    for (const auto& [name, value] : row.items()) line += (line.empty() ? "" : ",") + cell_of(value);
    csv += line + "\r\n";
  }
  return csv;
}

}  // namespace tellerd::app
