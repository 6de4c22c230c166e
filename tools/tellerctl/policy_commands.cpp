// policy: the rules. copy and check need no daemon.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "app/plan.h"
#include "core/fault.h"
#include "core/time.h"
#include "decide/pack.h"
#include "store/database.h"
#include "tellerctl/client/activate_pack.h"
#include "tellerctl/commands.h"
#include "tellerctl/context.h"
#include "tellerctl/scratch_derivation.h"

namespace tellerd::tellerctl {
namespace {

using nlohmann::json;

constexpr Milliseconds kPatience{5000};

void add_copy(CLI::App& policy) {
  struct Options {
    std::string name;
    std::filesystem::path to;
  };
  auto* command = policy.add_subcommand("copy", "Write a pack of the binary into a folder, to edit it");
  auto options = std::make_shared<Options>();
  command->add_option("name", options->name, "Pack: default or original")->required();
  command->add_option("dir", options->to, "A folder that is new or empty")->required();
  command->footer("Example:\n  tellerctl policy copy default my-rules");
  command->callback([options] {
    decide::copy_pack(options->name, options->to);
    std::cout << "Pack " << options->name << " is in " << options->to.string() << ".\n";
  });
}

void add_check(CLI::App& policy) {
  auto* command = policy.add_subcommand("check", "Read a pack whole and say what is wrong with it");
  auto pack = std::make_shared<std::string>();
  command->add_option("pack", *pack, "Name of a pack or a folder")->required();
  command->footer("Example:\n  tellerctl policy check my-rules");
  command->callback([pack] {
    const auto files = decide::read_pack_files(*pack);
    const auto parsed = decide::parse_pack(files);
    std::cout << "Pack " << parsed.name << " is good; its hash is " << decide::pack_hash(files) << ".\n";
  });
}

void add_activate(CLI::App& policy, Context& context) {
  auto* command = policy.add_subcommand("activate", "Decide by this pack from now on");
  auto pack = std::make_shared<std::string>();
  command->add_option("pack", *pack, "Name of a pack or a folder")->required();
  command->footer(
      "The pack before it decides until gold is derived under the new one; this returns when the new one does.\n"
      "Example:\n  tellerctl policy check my-rules && tellerctl policy activate my-rules");
  command->callback([&context, pack] {
    const auto files = decide::read_pack_files(*pack);
    const auto parsed = decide::parse_pack(files);  // a mistake is told here, with its line
    QueryClient client(context.endpoint("query"), kPatience, context.where());
    ProgressBar bar;
    const std::int64_t since =
        activate_pack(client, files, [&bar](int percent) { bar.show("gold is derived under it", percent, 100); });
    bar.clear();
    std::cout << "Pack " << parsed.name << " (" << decide::pack_hash(files) << ") decides from record " << since
              << " on.\n";
  });
}

void add_history(CLI::App& policy, Context& context) {
  auto* command = policy.add_subcommand("history", "Which packs decided, and since when");
  command->footer("Example:\n  tellerctl policy history");
  command->callback([&context] {
    auto database = context.open_store();
    store::Statement rows(database, "SELECT seq, at_us, name, hash FROM policy_history ORDER BY seq");
    std::cout << "seq\tsince\tpack\thash\n";
    while (rows.step())
      std::cout << rows.integer(0) << "\t" << core::format_instant(rows.integer(1)) << "\t" << rows.text(2) << "\t"
                << rows.text(3) << "\n";
  });
}

std::string words_of(const app::Plan& plan, std::size_t lines_max) {
  std::string text = fmt::format("{} to {}: records {} to {}\n", core::format_instant(plan.from_us),
                                 core::format_instant(plan.to_us), plan.from, plan.through);
  const auto side = [](const char* name, const app::PlanSide& one) {
    return fmt::format("{:<9} {:>9} offers made, {:>9} customers, expected value {:.0f}\n", name, one.contacts,
                       one.customers, one.expected_minor / 100);
  };
  text += side("now", plan.now) + side("planned", plan.planned);
  text += fmt::format("{} customers would have something else\n", plan.moved_customers);
  if (!plan.moves.empty())
    text +=
        fmt::format("{:<36} {:<20} {:>8} {:>8} {:>8} {:>8}\n", "action", "segment", "now", "planned", "gained", "lost");
  for (std::size_t at = 0; at < std::min(lines_max, plan.moves.size()); ++at) {
    const auto& move = plan.moves[at];
    text += fmt::format("{:<36} {:<20} {:>8} {:>8} {:>8} {:>8}\n", move.action, move.segment, move.was, move.would_be,
                        move.gained, move.lost);
  }
  constexpr std::size_t kEnough = 30;
  if (plan.labelled < kEnough)
    return text + fmt::format("off policy: {} outcomes are known, too few to tell\n", plan.labelled);
  const auto estimate = [](const char* name, const model::Estimate& one) {
    return fmt::format("{:<22} {:.2f} ({:.2f} to {:.2f})\n", name, one.value / 100, one.low / 100, one.high / 100);
  };
  return text +
         fmt::format("off policy, value an offer, 95 % by customer ({} outcomes, worth {:.0f})\n", plan.labelled,
                     plan.off_policy.effective) +
         estimate("as it was", plan.logged) + estimate("planned, IPS", plan.off_policy.ips) +
         estimate("planned, SNIPS", plan.off_policy.snips);
}

json document_of(const app::Plan& plan) {
  const auto side = [](const app::PlanSide& one) {
    return json{{"offers", one.contacts}, {"customers", one.customers}, {"expected_minor", one.expected_minor}};
  };
  const auto estimate = [](const model::Estimate& one) {
    return json{{"value_minor", one.value}, {"low_95", one.low}, {"high_95", one.high}};
  };
  json moves = json::array();
  for (const auto& move : plan.moves)
    moves.push_back({{"action", move.action},
                     {"segment", move.segment},
                     {"now", move.was},
                     {"planned", move.would_be},
                     {"gained", move.gained},
                     {"lost", move.lost}});
  return {{"from", plan.from},
          {"through", plan.through},
          {"from_us", plan.from_us},
          {"to_us", plan.to_us},
          {"now", side(plan.now)},
          {"planned", side(plan.planned)},
          {"moved_customers", plan.moved_customers},
          {"moves", moves},
          {"off_policy",
           {{"outcomes", plan.labelled},
            {"effective", plan.off_policy.effective},
            {"as_it_was", estimate(plan.logged)},
            {"ips", estimate(plan.off_policy.ips)},
            {"snips", estimate(plan.off_policy.snips)}}}};
}

void add_plan(CLI::App& policy, Context& context) {
  struct Options {
    std::string pack;
    int days = 14;
    bool is_json = false;
  };
  auto* command = policy.add_subcommand("plan", "What a pack would have done in the last days, before it is activated");
  auto options = std::make_shared<Options>();
  command->add_option("pack", options->pack, "Name of a pack or a folder")->required();
  command->add_option("--days", options->days, "Days of the log to live through again (14)")->check(CLI::Range(1, 400));
  command->add_flag("--json", options->is_json, "As one line of JSON");
  command->footer("Example:\n  tellerctl --data DIR policy plan my-rules --days 28");
  command->callback([&context, options] {
    context.open_store();
    const auto files = decide::read_pack_files(options->pack);
    const ScratchFolder scratch;
    ProgressBar bar;
    const auto plan = app::plan(context.data, scratch.path(), files, options->days, shown_by(bar));
    bar.clear();
    constexpr std::size_t kLinesShown = 40;
    std::cout << (options->is_json ? document_of(plan).dump() + "\n" : words_of(plan, kLinesShown));
  });
}

}  // namespace

void register_policy(CLI::App& app, Context& context) {
  auto* policy = app.add_subcommand("policy", "The rules the daemon decides by");
  policy->require_subcommand(1);
  add_copy(*policy);
  add_check(*policy);
  add_activate(*policy, context);
  add_history(*policy, context);
  add_plan(*policy, context);
}

}  // namespace tellerd::tellerctl
