// Data as it comes in: refused events and their answers, and the newest records of the log.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "app/api.h"
#include "app/recorder.h"
#include "app/repair.h"
#include "bronze/log.h"
#include "wire/codec.h"
#include "wire/json.h"

namespace tellerd::app {
namespace {

using deliver::Json;
using ops::Role;

constexpr int kTailMax = 200;

std::int64_t whole_or(const ops::Parameters& parameters, const char* name, std::int64_t otherwise) {
  const auto found = parameters.find(name);
  if (found == parameters.end()) return otherwise;
  std::int64_t value = 0;
  const auto& text = found->second;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() && value >= 0 ? value : -1;
}

std::string text_or_empty(const ops::Parameters& parameters, const char* name) {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

bool has_only(const ops::Parameters& parameters, std::initializer_list<std::string_view> names) {
  return std::all_of(parameters.begin(), parameters.end(),
                     [&](const auto& one) { return std::find(names.begin(), names.end(), one.first) != names.end(); });
}

ops::Reply refused_events(Readers& readers, const ops::Ask& ask) {
  const std::int64_t limit = whole_or(ask.parameters, "limit", 100),
                     before = whole_or(ask.parameters, "before", std::numeric_limits<std::int64_t>::max());
  if (!has_only(ask.parameters, {"limit", "before", "reason", "state"}) || limit < 1 || limit > 1000 || before < 0)
    return refuse(400, "The quarantine takes limit (1 to 1000), before (a seq), reason and state, each once.");
  const std::string reason = text_or_empty(ask.parameters, "reason"), state = text_or_empty(ask.parameters, "state");
  const auto turn = readers.take();
  store::Statement rows(
      *turn,
      "SELECT seq, at_us, producer, producer_seq, kind, reason, field, state, answered_by, length(payload) AS bytes "
      "FROM quarantine"
      " WHERE seq < ?1 AND (?2 = '' OR reason = ?2) AND (?3 = '' OR state = ?3) ORDER BY seq DESC LIMIT ?4");
  return tell(
      {{"rows", deliver::json_rows(rows.bind_all(before, std::string_view(reason), std::string_view(state), limit))}});
}

// The customer a refused event names, by internal number, when it can be read and is known.
std::string subject_of(store::Database& database, const wire::Event& event) {
  store::Statement find(
      database, "SELECT i.leader FROM identity i JOIN system s ON s.id = i.system WHERE i.key = ? AND s.name = ?");
  const bool is_known =
      find.bind_all(event.customer, event.system.empty() ? std::string_view("main") : event.system).step();
  const std::string subject = is_known ? std::to_string(find.integer(0)) : std::string();
  find.reset();
  return subject;
}

ops::Reply refused_event(Readers& readers, const ops::Ask& ask) {
  std::int64_t seq = 0;
  const auto parsed = std::from_chars(ask.rest.data(), ask.rest.data() + ask.rest.size(), seq);
  const auto turn = readers.take();
  store::Statement find(*turn,
                        "SELECT seq, at_us, producer, producer_seq, kind, reason, field, state, answered_by, payload "
                        "FROM quarantine WHERE seq = ?");
  if (parsed.ec != std::errc{} || parsed.ptr != ask.rest.data() + ask.rest.size() || !find.bind(1, seq).step())
    return refuse(404, "No refused event has this number.");
  const std::string payload(find.text(9));
  Json answer = Json::object();
  deliver::put_columns(answer, find);
  find.reset();
  answer.erase("payload");
  answer["bytes"] = payload.size();
  answer["event"] = nullptr;
  std::string subject;
  wire::Decoder decoder;
  const auto aligned = decoder.aligned(payload);
  if (wire::verify_event(aligned)) {
    const wire::Event event = decoder.decode(aligned);
    std::string text;
    wire::append_json(event, text);
    answer["event"] = Json::parse(text, nullptr, false);
    subject = subject_of(*turn, event);
  }
  return tell_privately(answer, {"read refused event", subject, fmt::format("record {}", seq)});
}

ops::Reply answer_event(const Config& config, Recorder& recorder, const ops::Ask& ask) {
  const Json wanted = Json::parse(ask.body, nullptr, false);
  const bool is_whole = wanted.is_object() && wanted.contains("seq") && wanted["seq"].is_number_integer() &&
                        wanted.size() <= 2 &&
                        (wanted.size() == 1 || (wanted.contains("event") && wanted["event"].is_object()));
  if (!is_whole)
    return refuse(400, "An answer takes {\"seq\": …} to try the same bytes again, and \"event\" with it to mend them.");
  std::string record;
  const Json refused = repair(config, wanted, record);
  ops::Reply reply;
  if (refused.is_null()) {
    recorder.submit(wire::Kind::kRepair, std::move(record));
    reply = tell_privately({{"ok", true}}, {});
  } else {
    reply = refuse(refused["code"] == "NOT_FOUND" ? 404 : 400, refused["text"].get<std::string>());
  }
  reply.reading = ops::Reading{wanted.contains("event") ? "repair refused event" : "retry refused event", "",
                               fmt::format("record {}", wanted["seq"].get<std::int64_t>())};
  return reply;
}

// The records after `after`, at most kTailMax, or the newest ones: who sent what kind when, nothing of what it says.
ops::Reply tail(const Config& config, const ops::Ask& ask) {
  const std::int64_t after = whole_or(ask.parameters, "after", 0);
  const std::string kind = text_or_empty(ask.parameters, "kind"), producer = text_or_empty(ask.parameters, "producer");
  const auto number = static_cast<std::int64_t>(wire::kind_named(kind));
  if (!has_only(ask.parameters, {"after", "kind", "producer"}) || after < 0 || (!kind.empty() && number == 0))
    return refuse(400, "The tail takes after (a seq), kind and producer, each once.");
  const auto files = bronze::log_files(config.data / "bronze");
  Json rows = Json::array();
  if (files.empty()) return tell({{"rows", rows}});
  auto database = store::Database::open_reader(files.back());
  database.limit_read_time(2 * core::kSecond);
  store::Statement select(
      database,
      "SELECT r.seq, r.now_us, r.received_us, coalesce(p.name, 'tellerd') AS producer, r.kind & 255 AS kind, (r.kind & "
      "256) <> 0 AS is_backfill, length(r.payload) AS bytes"
      " FROM record r LEFT JOIN producer p ON p.id = r.producer WHERE r.seq > max(?1, (SELECT max(seq) FROM record) - "
      "20000)"
      " AND (?2 = 0 OR r.kind & 255 = ?2) AND (?3 = '' OR p.name = ?3) ORDER BY r.seq DESC LIMIT ?4");
  select.bind_all(after, number, std::string_view(producer), std::int64_t{kTailMax});
  for (auto& row : deliver::json_rows(select)) {
    row["kind"] = wire::name_of(static_cast<wire::Kind>(row["kind"].get<int>()));
    rows.push_back(std::move(row));
  }
  return tell({{"rows", rows}});
}

}  // namespace

std::vector<ops::Resource> data_resources(Readers& readers, const Config& config, Recorder& recorder) {
  const auto may_list = ops::roles(Role::kOperator, Role::kAnalyst);
  const auto may_answer = ops::roles(Role::kOperator);
  return {{"GET", "/api/v1/quarantine", may_list, true,
           [&readers](const ops::Ask& ask) { return in_time([&] { return refused_events(readers, ask); }); }},
          {"GET", "/api/v1/quarantine/", may_answer, false,
           [&readers](const ops::Ask& ask) { return refused_event(readers, ask); }},
          {"POST", "/api/v1/quarantine/answer", may_answer, false,
           [&config, &recorder](const ops::Ask& ask) { return answer_event(config, recorder, ask); }},
          {"GET", "/api/v1/tail", may_list, true,
           [&config](const ops::Ask& ask) { return in_time([&] { return tail(config, ask); }); }}};
}

}  // namespace tellerd::app
