// status, customer, explain, why-not, why-empty, clock: questions to the running daemon.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "core/fault.h"
#include "tellerctl/client/query_client.h"
#include "tellerctl/commands.h"
#include "tellerctl/context.h"
#include "tellerctl/words/daemon_words.h"

namespace tellerd::tellerctl {
namespace {

using nlohmann::json;

constexpr Milliseconds kPatience{2000};
constexpr Milliseconds kPollPause{20};

json status_when_ready(const Context& context, double wait_s) {
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(wait_s));
  for (;;) {
    const auto left = std::chrono::duration_cast<Milliseconds>(until - Clock::now());
    QueryClient client(context.endpoint("query"), std::max(left, Milliseconds(0)), context.where());
    const json answer = client.ask("Status", json::object());
    const json status = answer.value("status", json::object());
    if (answer.value("ok", false) && status.value("ready", false)) return status;
    if (Clock::now() > until) throw core::Fault(core::Exit::kFailed, context.where() + " answers but is not ready");
    std::this_thread::sleep_for(kPollPause);
  }
}

void add_status(CLI::App& app, Context& context) {
  struct Options {
    double wait_s = 0;
    bool is_json = false;
  };
  auto* command = app.add_subcommand("status", "How the daemon is");
  auto options = std::make_shared<Options>();
  auto* wait = command->add_option("--wait", options->wait_s, "Seconds to wait until it is ready; prints nothing")
                   ->check(CLI::NonNegativeNumber);
  command->add_flag("--json", options->is_json, "The whole status document as one line of JSON");
  command->footer("Examples:\n  tellerctl --data DIR status\n  tellerctl --data DIR status --wait 20");
  command->callback([&context, options, wait] {
    if (wait->count() > 0) {
      const json status = status_when_ready(context, options->wait_s);
      if (options->is_json) std::cout << status.dump() << "\n";
      return;
    }
    QueryClient client(context.endpoint("query"), kPatience, context.where());
    const json status = client.ask_ok("Status", json::object()).value("status", json::object());
    std::cout << (options->is_json ? status.dump() + "\n" : status_words(status));
  });
}

void add_customer(CLI::App& app, Context& context) {
  struct Options {
    std::string key;
    bool is_json = false;
  };
  auto* command = app.add_subcommand("customer", "What is known about one customer");
  auto options = std::make_shared<Options>();
  command->add_option("key", options->key, "Key of the customer, or system:key")->required();
  command->add_flag("--json", options->is_json, "As one line of JSON");
  command->footer("Examples:\n  tellerctl customer CLIENT_000001\n  tellerctl customer loans:17 --json");
  command->callback([&context, options] {
    QueryClient client(context.endpoint("query"), kPatience, context.where());
    json answer = client.ask_ok("Customer", {{"key", options->key}});
    answer.erase("id");
    answer.erase("ok");
    std::cout << (options->is_json ? answer.dump() + "\n" : customer_words(answer));
  });
}

void add_question(CLI::App& app, Context& context, const char* name, const char* says, const char* verb,
                  std::initializer_list<std::pair<const char*, const char*>> asked, const char* example) {
  struct Options {
    std::vector<std::string> given;
    std::int64_t decision = 0;
    std::string language = "en";
    bool is_json = false;
  };
  auto* command = app.add_subcommand(name, says);
  auto options = std::make_shared<Options>();
  const std::vector<std::pair<const char*, const char*>> fields(asked);
  options->given.resize(fields.size());
  const bool is_explain = std::string_view(verb) == "Explain";
  for (std::size_t at = 0; at < fields.size(); ++at)
    command->add_option(fields[at].first, options->given[at], fields[at].second)->required(!is_explain);
  if (is_explain || std::string_view(verb) == "WhyNot")
    command->add_option("--decision", options->decision, "A stored decision, by its number in mart_decision")
        ->check(CLI::PositiveNumber);
  command->add_option("--lang", options->language, "Words in ru or en")->check(CLI::IsMember({"ru", "en"}));
  command->add_flag("--json", options->is_json, "As one line of JSON");
  command->footer(std::string("Example:\n  tellerctl ") + example);
  command->callback([&context, options, fields, verb, is_explain] {
    json ask = json::object();
    if (is_explain && options->given[0].empty() == (options->decision == 0))
      throw CLI::ValidationError("name an offer, or a decision with --decision");
    for (std::size_t at = 0; at < fields.size(); ++at) ask[fields[at].first] = options->given[at];
    if (options->decision) ask["decision"] = options->decision;
    QueryClient client(context.endpoint("query"), kPatience, context.where());
    json answer = client.ask_ok(verb, ask);
    answer.erase("id");
    answer.erase("ok");
    std::cout << (options->is_json ? answer.dump() + "\n" : choice_words(answer, options->language));
  });
}

void add_clock(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("clock", "Time that went wrong");
  command->require_subcommand(1);
  auto* accept =
      command->add_subcommand("accept", "Follow the wall clock again after a step the daemon did not follow");
  accept->footer("Example:\n  tellerctl clock accept");
  accept->callback([&context] {
    QueryClient client(context.endpoint("query"), kPatience, context.where());
    client.ask_ok("ClockAccept", json::object());
    std::cout << "The wall clock is followed again.\n";
  });
}

}  // namespace

void register_daemon(CLI::App& app, Context& context) {
  add_status(app, context);
  add_customer(app, context);
  add_question(app, context, "explain", "Why this offer", "Explain", {{"offer_id", "Id of the offer, sixteen digits"}},
               "explain 1f0c5e0b8d3a2c47");
  add_question(app, context, "why-not", "Why this customer does not get that action, now or then", "WhyNot",
               {{"key", "Key of the customer, or system:key"}, {"action", "Short name of the action"}},
               "why-not CLIENT_000001 travel_card --lang ru");
  add_question(app, context, "why-empty", "Why a queue has nothing: its offers by state, and who gets none by reason",
               "WhyEmpty", {{"queue", "Name of the queue"}}, "why-empty marketing");
  add_clock(app, context);
}

}  // namespace tellerd::tellerctl
