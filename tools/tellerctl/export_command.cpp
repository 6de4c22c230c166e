// export: a mart as a file for other systems.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include "core/fault.h"
#include "tellerctl/commands.h"
#include "tellerctl/context.h"
#include "tellerctl/marts/export.h"

namespace tellerd::tellerctl {
namespace {

struct Options {
  std::string mart, format = "csv";
  std::filesystem::path out;
};

// The file stands under its name only when it is whole.
void export_to_file(store::Database& database, const std::string& sql, ExportFormat format,
                    const std::filesystem::path& out) {
  const std::filesystem::path unfinished = out.string() + ".unfinished";
  {
    std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
    const std::int64_t count = export_rows(database, sql, format, file);
    file.close();
    if (!file) throw core::Fault(core::Exit::kFailed, unfinished.string() + " cannot be written");
    std::filesystem::rename(unfinished, out);
    std::cout << count << " rows are in " << out.string() << ".\n";
  }
}

}  // namespace

void register_export(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("export", "Hand over a mart as a file");
  auto options = std::make_shared<Options>();
  command->add_option("mart", options->mart, "churn, segments, offers, overdue, marketing, or the name of a mart")
      ->required();
  command->add_option("--format", options->format, "csv or ndjson")
      ->check(CLI::IsMember({"csv", "ndjson"}))
      ->capture_default_str();
  command->add_option("--out", options->out, "File to write (default: standard output)");
  command->footer(
      "Examples:\n  tellerctl export churn --out churn.csv\n  tellerctl export mart_dpd_transition --format ndjson");
  command->callback([&context, options] {
    auto database = context.open_store();
    const std::string sql = export_sql(database, options->mart);
    const auto format = options->format == "csv" ? ExportFormat::kCsv : ExportFormat::kNdjson;
    if (options->out.empty())
      export_rows(database, sql, format, std::cout);
    else
      export_to_file(database, sql, format, options->out);
  });
}

}  // namespace tellerd::tellerctl
