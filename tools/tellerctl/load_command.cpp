// load: source files into the running daemon.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/fault.h"
#include "tellerctl/client/query_client.h"
#include "tellerctl/commands.h"
#include "tellerctl/context.h"
#include "tellerctl/load/loader.h"
#include "tellerctl/load/plan.h"
#include "tellerctl/load/report.h"
#include "tellerctl/words/progress_bar.h"

namespace tellerd::tellerctl {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<fs::path> paths;
  LoadOptions load;
  double retry_s = 5;
  std::uint64_t part = 0;
  bool is_all = false;
};

class LoadRun {
 public:
  LoadRun(const Context& context, Options options)
      : options_(prepared(context, std::move(options))),
        query_(context.endpoint("query"), options_.load.patience, context.where()),
        loader_(in_branch_time(), [this](const FileReport& so_far, std::size_t done, std::size_t total) {
          bar_.show(so_far.file.filename().string(), static_cast<double>(done), static_cast<double>(total),
                    progress_line(so_far, done, total));
        }) {}

  void run() {
    if (options_.part > 0 || options_.is_all)
      load_parts();
    else
      load_files(files_of(options_.paths));
    query_.wait_readable(commit_seq_);
  }

 private:
  static Options prepared(const Context& context, Options options) {
    options.load.endpoint = context.endpoint("ingest");
    options.load.where = context.where();
    options.load.patience = Milliseconds(static_cast<std::int64_t>(options.retry_s * 1000));
    return options;
  }
  // Dates without an offset are those of the branch, and the daemon knows which branch it is.
  LoadOptions in_branch_time() {
    LoadOptions load = options_.load;
    const auto status = query_.ask_ok("Status", nlohmann::json::object()).value("status", nlohmann::json::object());
    load.timezone = status.value("timezone", "UTC");
    return load;
  }

  void load_files(const std::vector<fs::path>& files) {
    for (const fs::path& file : files) {
      const FileReport report = loader_.load(file, &file != &files.back());
      bar_.clear();
      commit_seq_ = std::max(commit_seq_, report.commit_seq);
      std::cout << summary_line(report) << std::endl;
    }
  }

  void load_parts() {
    if (options_.paths.size() != 1) throw core::Fault(core::Exit::kFailed, "name one folder of parts");
    const auto parts = parts_of(options_.paths.front());
    const std::uint64_t next = loader_.last_part() + 1;
    const std::string comes_next = "part " + std::to_string(next) + " comes next";
    if (!options_.is_all && options_.part != next)
      throw core::Fault(core::Exit::kFailed,
                        "part " + std::to_string(options_.part) + " was not loaded: " + comes_next);
    const std::uint64_t last = options_.is_all && !parts.empty() ? parts.rbegin()->first : options_.part;
    for (std::uint64_t part = next; part <= last; ++part) {
      const auto found = parts.find(part);
      if (found == parts.end())
        throw core::Fault(core::Exit::kFailed, comes_next + ", but " + options_.paths.front().string() +
                                                   " has no part_" + std::to_string(part));
      load_files(files_of({found->second}));
      commit_seq_ = std::max(commit_seq_, loader_.note_part(part));
    }
    if (next > last) std::cout << "All parts were loaded before; " << comes_next << ".\n";
  }

  Options options_;
  QueryClient query_;
  ProgressBar bar_;
  Loader loader_;
  std::uint64_t commit_seq_ = 0;
};

}  // namespace

void register_load(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("load", "Hand in files of events; returns when the marts show them");
  auto options = std::make_shared<Options>();
  command->add_option("path", options->paths, "Files or folders: CSV, JSON arrays, JSON lines")->required();
  command->add_option("--kind", options->load.kind, "Kind of event of rows that do not say");
  command->add_option("--system", options->load.system,
                      "Whose customer keys these are (default: the source's, or main)");
  command->add_option("--map", options->load.map, "TOML file: column = \"field\"")->check(CLI::ExistingFile);
  auto* part =
      command->add_option("--part", options->part, "Load this part of a folder of parts")->check(CLI::PositiveNumber);
  command->add_flag("--all", options->is_all, "Load all parts that are missing, in order")->excludes(part);
  command->add_option("--retry", options->retry_s, "Seconds to wait for a daemon that is away (5)")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--backfill", options->load.is_backfill,
                    "History: decide nothing until the end, then each customer once");
  command->footer(
      "Rows that cannot be understood are kept in quarantine and do not fail the load.\n"
      "Examples:\n"
      "  tellerctl load source/                        all known files of a folder\n"
      "  tellerctl load bank_transactions.csv --retry 60\n"
      "  tellerctl load parts/ --part 3\n"
      "  tellerctl load cards.csv --kind transaction --system way4 --map columns.toml");
  command->callback([&context, options] { LoadRun(context, *options).run(); });
}

}  // namespace tellerd::tellerctl
