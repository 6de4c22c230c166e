// verify, rebuild: what is derived, derived again from the log in this process, on read-only files.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/rebuild.h"
#include "core/fault.h"
#include "tellerctl/commands.h"
#include "tellerctl/context.h"
#include "tellerctl/scratch_derivation.h"

namespace tellerd::tellerctl {
namespace {

constexpr bronze::Seq kTooFewToProve = 1000;

void add_verify(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("verify", "Derive everything again from the log and compare row for row");
  command->footer("Example:\n  tellerctl --data /var/lib/tellerd verify");
  command->callback([&context] {
    context.open_store();
    const ScratchFolder scratch;
    ProgressBar bar;
    const auto found = app::verify(context.data, scratch.path() / "teller.db", shown_by(bar));
    bar.clear();
    for (const auto& difference : found.differences) std::cout << "differs: " << difference << "\n";
    std::cout << fmt::format("verified from record {} through {}: {} records, {} rows compared, {} differ\n",
                             found.from, found.through, found.records, found.rows, found.differences.size());
    if (found.records < kTooFewToProve) std::cout << "fewer than 1,000 records: this proves nothing\n";
    if (!found.differences.empty())
      throw core::Fault(core::Exit::kFailed,
                        "what is derived is not what the log gives: stop the daemon and run tellerctl rebuild, and "
                        "keep both files for a report");
  });
}

void add_rebuild(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("rebuild", "Derive everything again from the log into a new file");
  auto into = std::make_shared<std::filesystem::path>();
  command->add_option("file", *into, "The new database; move it to DATA/teller.db while the daemon is stopped")
      ->required();
  command->footer("Example:\n  systemctl stop tellerd && tellerctl rebuild /var/lib/tellerd/teller.new");
  command->callback([&context, into] {
    if (std::filesystem::exists(*into))
      throw core::Fault(core::Exit::kFailed, into->string() + " is there already: name a new file");
    ProgressBar bar;
    const auto records = app::rebuild(context.data, *into, INT64_MAX, 500'000, shown_by(bar));
    bar.clear();
    std::cout << fmt::format("{} records derived into {}\n", records, into->string());
  });
}

}  // namespace

void register_store(CLI::App& app, Context& context) {
  add_verify(app, context);
  add_rebuild(app, context);
}

}  // namespace tellerd::tellerctl
