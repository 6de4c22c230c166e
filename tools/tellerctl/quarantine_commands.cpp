// quarantine: what was refused, and how it is answered. list and show read teller.db, repair and retry ask the daemon.
#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "core/fault.h"
#include "core/time.h"
#include "store/database.h"
#include "tellerctl/client/query_client.h"
#include "tellerctl/commands.h"
#include "tellerctl/context.h"
#include "wire/codec.h"
#include "wire/json.h"

namespace tellerd::tellerctl {
namespace {

using nlohmann::json;

constexpr Milliseconds kPatience{5000};
constexpr const char* kColumns = "seq, at_us, producer, producer_seq, kind, reason, field, state, answered_by, payload";

void add_list(CLI::App& quarantine, Context& context) {
  struct Options {
    std::string reason, state;
    std::int64_t limit = 1000;
  };
  auto* command = quarantine.add_subcommand("list", "What was refused, newest last");
  auto options = std::make_shared<Options>();
  command->add_option("--reason", options->reason, "Only this reason, such as BAD_AMOUNT");
  command->add_option("--state", options->state, "Only this state: open, repaired or \"refused again\"");
  command->add_option("--limit", options->limit, "At most so many, the newest")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->footer("Example:\n  tellerctl quarantine list --reason BAD_AMOUNT");
  command->callback([&context, options] {
    auto database = context.open_store();
    store::Statement rows(database, std::string("SELECT * FROM (SELECT ") + kColumns +
                                        " FROM quarantine WHERE (?1='' OR reason=?1) AND (?2='' OR state=?2)"
                                        " ORDER BY seq DESC LIMIT ?3) ORDER BY seq");
    rows.bind_all(std::string_view(options->reason), std::string_view(options->state), options->limit);
    std::cout << "seq\tat\tproducer\tproducer_seq\tkind\treason\tfield\tstate\n";
    while (rows.step()) {
      std::cout << rows.integer(0) << "\t" << core::format_instant(rows.integer(1));
      for (int column = 2; column <= 7; ++column) {
        std::cout << "\t";
        if (column == 3)
          std::cout << rows.integer(column);
        else
          std::cout << rows.text(column);
      }
      std::cout << "\n";
    }
  });
}

// The event as JSON where its bytes are an event; its size where they are not.
std::string payload_text(std::string_view bytes) {
  wire::Decoder decoder;
  const std::string_view aligned = decoder.aligned(bytes);
  if (!wire::verify_event(aligned)) return std::to_string(bytes.size()) + " bytes that are no event";
  std::string text;
  wire::append_json(decoder.decode(aligned), text);
  return text;
}

void add_show(CLI::App& quarantine, Context& context) {
  auto* command = quarantine.add_subcommand("show", "One refused event whole");
  auto seq = std::make_shared<std::int64_t>(0);
  command->add_option("seq", *seq, "seq of the record, from list")->required();
  command->footer("Example:\n  tellerctl quarantine show 1207");
  command->callback([&context, seq] {
    auto database = context.open_store();
    store::Statement row(database, std::string("SELECT ") + kColumns + " FROM quarantine WHERE seq=?");
    if (!row.bind(1, *seq).step())
      throw core::Fault(core::Exit::kFailed, "nothing with seq " + std::to_string(*seq) + " is in quarantine");
    std::cout << "seq: " << *seq << "\nat: " << core::format_instant(row.integer(1)) << "\nproducer: " << row.text(2)
              << " (" << row.integer(3) << ")\nkind: " << row.text(4) << "\nreason: " << row.text(5)
              << "\nfield: " << row.text(6) << "\nstate: " << row.text(7) << "\n";
    if (!row.is_null(8)) std::cout << "answered by: " << row.integer(8) << "\n";
    std::cout << "event: " << payload_text(row.text(9)) << "\n";
  });
}

void answer(const Context& context, const json& arguments) {
  QueryClient client(context.endpoint("query"), kPatience, context.where());
  const std::uint64_t answered_by = client.ask_ok("Repair", arguments).at("commit_seq");
  client.wait_readable(answered_by);
  const auto seq = arguments.at("seq").get<std::int64_t>();
  auto database = context.open_store();
  store::Statement again(database, "SELECT reason, field FROM quarantine WHERE seq=?");
  if (again.bind(1, static_cast<std::int64_t>(answered_by)).step())
    throw core::Fault(core::Exit::kFailed, "seq " + std::to_string(seq) + " is refused again, as " +
                                               std::to_string(answered_by) + ": " + std::string(again.text(0)) + " (" +
                                               std::string(again.text(1)) + ")");
  std::cout << "seq " << seq << " is repaired by record " << answered_by << ".\n";
}

void add_repair(CLI::App& quarantine, Context& context) {
  struct Options {
    std::int64_t seq = 0;
    std::string event;
  };
  auto* command = quarantine.add_subcommand("repair", "Give the event as it should have been");
  auto options = std::make_shared<Options>();
  command->add_option("seq", options->seq, "seq of the record, from list")->required();
  command->add_option("--event", options->event, "The event as a JSON object (default: from standard input)");
  command->footer(
      "Example:\n  tellerctl quarantine repair 1207 --event '{\"kind\":\"sms\",\"id\":\"s1\",\"customer\":\"C1\","
      "\"occurred_at\":\"2026-11-20T10:00:00Z\",\"sender\":\"900\",\"text\":\"...\"}'");
  command->callback([&context, options] {
    if (options->event.empty())
      options->event.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
    const json event = json::parse(options->event, nullptr, false);
    if (!event.is_object()) throw core::Fault(core::Exit::kFailed, "the event is no JSON object");
    answer(context, {{"seq", options->seq}, {"event", event}});
  });
}

void add_retry(CLI::App& quarantine, Context& context) {
  auto* command = quarantine.add_subcommand("retry", "Take the event again as it came: its reference may be there now");
  auto seq = std::make_shared<std::int64_t>(0);
  command->add_option("seq", *seq, "seq of the record, from list")->required();
  command->footer("Example:\n  tellerctl quarantine retry 1207");
  command->callback([&context, seq] { answer(context, {{"seq", *seq}}); });
}

}  // namespace

void register_quarantine(CLI::App& app, Context& context) {
  auto* quarantine = app.add_subcommand("quarantine", "Events that were refused");
  quarantine->require_subcommand(1);
  add_list(*quarantine, context);
  add_show(*quarantine, context);
  add_repair(*quarantine, context);
  add_retry(*quarantine, context);
}

}  // namespace tellerd::tellerctl
