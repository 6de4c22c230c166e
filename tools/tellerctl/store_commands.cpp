// verify, rebuild: what is derived, derived again from the log in this process, on read-only files.
#include <fmt/core.h>
#include <stdlib.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/rebuild.h"
#include "core/fault.h"
#include "tellerctl/commands.h"
#include "tellerctl/context.h"

namespace tellerd::tellerctl {
namespace {

constexpr bronze::Seq kTooFewToProve = 1000;

// A folder of its own for the scratch database, gone afterwards.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tellerctl-XXXXXX").string();
    if (!mkdtemp(name.data()))
      throw core::Fault(core::Exit::kFailed,
                        "no scratch folder can be made in " + std::filesystem::temp_directory_path().string());
    folder_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::filesystem::path file() const { return folder_ / "teller.db"; }

 private:
  std::filesystem::path folder_;
};

app::Progress progress_bar() {
  app::Progress progress;
  if (!isatty(STDERR_FILENO)) return progress;
  progress.show = [](bronze::Seq done, bronze::Seq of) {
    const auto tenths = of > 0 ? done * 40 / of : 40;
    fmt::print(stderr, "\r[{:<40}] {} of {} records", std::string(static_cast<std::size_t>(tenths), '='), done, of);
    if (done == of) fmt::print(stderr, "\n");
  };
  return progress;
}

void add_verify(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("verify", "Derive everything again from the log and compare row for row");
  command->footer("Example:\n  tellerctl --data /var/lib/tellerd verify");
  command->callback([&context] {
    context.open_store();
    const ScratchFolder scratch;
    const auto found = app::verify(context.data, scratch.file(), progress_bar());
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
    const auto records = app::rebuild(context.data, *into, INT64_MAX, 500'000, progress_bar());
    std::cout << fmt::format("{} records derived into {}\n", records, into->string());
  });
}

}  // namespace

void register_store(CLI::App& app, Context& context) {
  add_verify(app, context);
  add_rebuild(app, context);
}

}  // namespace tellerd::tellerctl
