#include "app/replayed.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/fault.h"
#include "core/time.h"
#include "deliver/words.h"
#include "store/database.h"

namespace tellerd::app {
namespace {

using deliver::Json;

constexpr const char* kFromOutbox =
    "SELECT o.topic,o.topic_seq,o.at_us,o.what,o.a,o.count FROM outbox o JOIN topic t ON t.id=o.topic WHERE "
    "t.name=?1 AND o.topic_seq>="
    "coalesce((SELECT max(b.topic_seq) FROM outbox b JOIN topic n ON n.id=b.topic WHERE n.name=?1 AND "
    "b.topic_seq<=?2),0) ORDER BY o.topic_seq LIMIT ?3";
constexpr const char* kFromSegments =
    "SELECT t.id,h.number,h.from_us,3,h.number,1 FROM topic t JOIN segment_history h ON h.number>=?2 WHERE t.name=?1 "
    "ORDER BY h.number LIMIT ?3";
constexpr const char* kFromChurn =
    "SELECT t.id,h.number,h.from_us,4,h.number,1 FROM topic t JOIN churn_history h ON h.number>=?2 WHERE t.name=?1 "
    "ORDER BY h.number LIMIT ?3";

// The first that was said at or after that time: a topic's times grow with its numbers, so the range is halved.
std::int64_t first_since(store::Statement& runs, const std::string& topic, core::Instant from_us) {
  const auto at_or_after = [&](std::int64_t seq) {  // time of the first run that ends at or past it
    runs.bind_all(std::string_view(topic), seq, std::int64_t{2});
    std::int64_t at_us = core::kNever;
    while (runs.step())
      if (runs.integer(1) + runs.integer(5) > seq) {
        at_us = runs.integer(2);
        break;
      }
    runs.reset();
    return at_us;
  };
  std::int64_t low = 1, high = std::int64_t{1} << 40;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (at_or_after(middle) >= from_us)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

Json refusal(const char* code, const std::string& text) { return {{"ok", false}, {"code", code}, {"text", text}}; }

// Topics of queues that no offer has come to yet are there as well. Null when it is well, and before there are rules.
Json missing_topic(store::Database& database, const std::string& topic) {
  if (database.integer("SELECT count(*) FROM offer_template") == 0) return nullptr;
  store::Statement names(
      database,
      "SELECT 'offer.'||queue FROM offer_template UNION SELECT name FROM topic UNION SELECT 'segment' UNION "
      "SELECT 'churn' UNION SELECT 'overdue' ORDER BY 1");
  std::vector<std::string> known;
  while (names.step()) known.emplace_back(names.text(0));
  if (std::find(known.begin(), known.end(), topic) != known.end()) return nullptr;
  return refusal("NOT_FOUND", fmt::format("there is no topic {}; there are {}", topic, fmt::join(known, ", ")));
}

Json messages_of(store::Database& database, const deliver::Desks::Replay& asked) {
  const std::string& topic = asked.topic;
  if (Json problem = missing_topic(database, topic); !problem.is_null()) return problem;
  store::Statement runs(database, topic == "segment" ? kFromSegments : topic == "churn" ? kFromChurn : kFromOutbox);
  const std::int64_t limit = std::clamp<std::int64_t>(asked.limit, 1, 1000);
  const std::int64_t from =
      asked.from_us ? first_since(runs, topic, asked.from_us) : std::max<std::int64_t>(asked.from_seq, 1);
  runs.bind_all(std::string_view(topic), from, limit);
  deliver::Words words(database);
  Json messages = Json::array();
  std::size_t bytes = 0;
  const auto is_full = [&] {
    return static_cast<std::int64_t>(messages.size()) >= limit || (asked.bytes_max && bytes >= asked.bytes_max);
  };
  while (!is_full() && runs.step())
    for (std::int64_t at = 0; at < runs.integer(5) && !is_full(); ++at) {
      const deliver::Line line{static_cast<int>(runs.integer(0)), runs.integer(1) + at, runs.integer(2),
                               static_cast<deliver::What>(runs.integer(3)), runs.integer(4) + at};
      if (line.topic_seq < from) continue;
      const std::string said = words.say(line, topic);
      bytes += said.size();
      messages.push_back(Json::parse(said));
    }
  return {{"ok", true}, {"messages", messages}};
}

}  // namespace

Json replayed(const Config& config, const deliver::Desks::Replay& asked) {
  try {
    auto database = store::Database::open_reader(config.data / "teller.db");
    database.limit_read_time(2 * core::kSecond);
    return messages_of(database, asked);
  } catch (const core::Fault& fault) {
    return refusal("RETRY_LATER", fault.what());
  }
}

}  // namespace tellerd::app
