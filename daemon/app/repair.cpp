#include "app/repair.h"

#include <fmt/core.h>

#include "store/database.h"
#include "wire/codec.h"
#include "wire/json.h"

namespace tellerd::app {
namespace {

using deliver::Json;

Json refusal(const char* code, const std::string& text) { return {{"ok", false}, {"code", code}, {"text", text}}; }

}  // namespace

Json repair(const Config& config, const Json& ask, std::string& record) {
  const std::int64_t seq = ask.value("seq", std::int64_t{0});
  auto database = store::Database::open_reader(config.data / "teller.db");
  store::Statement find(database, "SELECT payload FROM quarantine WHERE seq=?");
  if (!find.bind(1, seq).step()) return refusal("NOT_FOUND", fmt::format("record {} is not in quarantine", seq));
  std::string payload(reinterpret_cast<const char*>(&seq), sizeof seq);
  if (ask.contains("event")) {
    const core::Calendar calendar(config.timezone);
    wire::EventReader events(calendar);
    const std::string text = deliver::dump(ask["event"]);
    const auto read = events.read(text);
    if (const auto* refused = std::get_if<wire::Refusal>(&read))
      return refusal("BAD_EVENT",
                     fmt::format("{}: {} ({})", wire::name_of(refused->code), refused->words, refused->field));
    wire::Encoder encoder;
    payload += encoder.encode(*std::get<const wire::Event*>(read));
  } else {
    payload += find.text(0);
  }
  find.reset();
  record = std::move(payload);
  return {};
}

}  // namespace tellerd::app
