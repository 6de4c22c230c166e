// policy: the rules. copy and check need no daemon.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "core/time.h"
#include "decide/pack.h"
#include "store/database.h"
#include "tellerctl/client/query_client.h"
#include "tellerctl/commands.h"
#include "tellerctl/context.h"

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
  command->footer("Example:\n  tellerctl policy check my-rules && tellerctl policy activate my-rules");
  command->callback([&context, pack] {
    const auto files = decide::read_pack_files(*pack);
    const auto parsed = decide::parse_pack(files);  // a mistake is told here, with its line
    QueryClient client(context.endpoint("query"), kPatience, context.where());
    const std::uint64_t since = client.ask_ok("ActivatePack", {{"files", files}}).at("commit_seq");
    client.wait_readable(since);  // what it changes is derived again in that record's turn
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

}  // namespace

void register_policy(CLI::App& app, Context& context) {
  auto* policy = app.add_subcommand("policy", "The rules the daemon decides by");
  policy->require_subcommand(1);
  add_copy(*policy);
  add_check(*policy);
  add_activate(*policy, context);
  add_history(*policy, context);
}

}  // namespace tellerd::tellerctl
