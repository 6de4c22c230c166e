// export: a mart as a file, or a table in another database, for other systems; once, or again and again.
#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "core/fault.h"
#include "decide/reason_words.h"
#include "tellerctl/commands.h"
#include "tellerctl/context.h"
#include "tellerctl/marts/dialler.h"
#include "tellerctl/marts/export.h"
#include "tellerctl/marts/postgres_sink.h"

namespace tellerd::tellerctl {
namespace {

struct Options {
  std::string mart, format = "csv", to, table, language;
  std::filesystem::path out;
  ChurnChoice churn;
  std::int64_t every_s = 0;  // 0: once
  bool is_churn() const { return mart == "churn"; }
};

// The file stands under its name only when it is whole.
void export_to_file(store::Database& database, const std::string& sql, ExportFormat format,
                    const std::filesystem::path& out, const Rewording* rewording, const RowFilter& keeps) {
  const std::filesystem::path unfinished = out.string() + ".unfinished";
  {
    std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
    const std::int64_t count = export_rows(database, sql, format, file, rewording, keeps);
    file.close();
    if (!file) throw core::Fault(core::Exit::kFailed, unfinished.string() + " cannot be written");
    std::filesystem::rename(unfinished, out);
    std::cout << count << " rows are in " << out.string() << ".\n";
  }
}

// Reasons in the words of the pack that decides.
Rewording reasons_in_words(store::Database& database, const std::string& language) {
  store::Statement files(database, "SELECT h.files FROM policy_history h JOIN cursor c ON c.pack_seq = h.seq");
  if (!files.step()) throw core::Fault(core::Exit::kFailed, "no pack is active, so there are no words yet");
  const auto texts =
      std::make_shared<decide::Texts>(decide::read_texts(decide::deserialise_pack(files.text(0)), language));
  return {"reasons", [texts](std::string_view codes) {
            std::string line;
            for (const std::string& words : decide::reason_words(*texts, codes))
              line += (line.empty() ? "" : "; ") + words;
            return line;
          }};
}

// Leads that the contact policy lets be called, by the offer that is their first column.
RowFilter leads_that_may_be_called(store::Database& database) {
  return [forbidden = not_for_the_dialler(database)](const store::Statement& row) {
    return !forbidden.contains(std::string(row.text(0)));
  };
}

void export_once(Context& context, const Options& options) {
  auto database = context.open_store();
  const bool is_chosen = options.churn.top > 0 || options.churn.probability_min >= 0 || !options.language.empty();
  if (is_chosen && !options.is_churn())
    throw core::Fault(core::Exit::kFailed, "--top, --min-probability and --lang are for churn alone");
  const std::string sql = options.is_churn() ? churn_sql(options.churn) : export_sql(database, options.mart);
  const auto rewording = options.language.empty() ? Rewording{} : reasons_in_words(database, options.language);
  const Rewording* in_words = options.language.empty() ? nullptr : &rewording;
  const bool is_for_a_dialler = options.mart == "vicidial";
  if (is_for_a_dialler && !options.to.empty())
    throw core::Fault(core::Exit::kFailed, "vicidial is a file for its lead loader: leave out --to");
  if (!options.to.empty()) {
    const SinkTable table{options.table.empty() ? options.mart : options.table, options.is_churn() ? "customer" : ""};
    const std::int64_t count = export_to_postgres(database, sql, options.to, table, in_words);
    std::cout << count << " rows are in the table " << table.name << ".\n";
    return;
  }
  const auto format = options.format == "csv" ? ExportFormat::kCsv : ExportFormat::kNdjson;
  const RowFilter keeps = is_for_a_dialler ? leads_that_may_be_called(database) : RowFilter();
  if (options.out.empty())
    export_rows(database, sql, format, std::cout, in_words, keeps);
  else
    export_to_file(database, sql, format, options.out, in_words, keeps);
}

// On schedule: what fails is said, and tried again when its time comes.
void run(Context& context, const Options& options) {
  if (options.every_s == 0) return export_once(context, options);
  if (options.out.empty() && options.to.empty())
    throw CLI::ValidationError("--every", "it needs --out or --to: what is to be kept up to date");
  auto next = std::chrono::steady_clock::now();
  for (;;) {
    try {
      export_once(context, options);
    } catch (const core::Fault& trouble) {
      std::cerr << "tellerctl: " << trouble.what() << "; again in " << options.every_s << " s\n";
    }
    std::cout.flush();
    next += std::chrono::seconds(options.every_s);
    std::this_thread::sleep_until(next);
  }
}

}  // namespace

void register_export(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("export", "Hand over a mart as a file, or as a table of another database");
  auto options = std::make_shared<Options>();
  command
      ->add_option("mart", options->mart,
                   "churn, segments, offers, overdue, marketing, vicidial, or the name of a mart")
      ->required();
  command->add_option("--format", options->format, "csv or ndjson")
      ->check(CLI::IsMember({"csv", "ndjson"}))
      ->capture_default_str();
  command->add_option("--out", options->out, "File to write (default: standard output)");
  command->add_option("--to", options->to, "postgresql://user@host/database: into a table there, in one transaction")
      ->excludes("--out");
  command->add_option("--table", options->table, "Name of that table (default: the mart's)")->needs("--to");
  command->add_option("--top", options->churn.top, "churn: only the so many most likely to leave")
      ->check(CLI::PositiveNumber);
  command->add_option("--min-probability", options->churn.probability_min, "churn: only from this probability on")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--lang", options->language, "churn: reasons in words, ru or en, instead of codes")
      ->check(CLI::IsMember({"ru", "en"}));
  command
      ->add_option("--every", options->every_s,
                   "Again after so long (30m, 24h, 7d), until it is ended; needs --out or --to")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}},
                                CLI::AsNumberWithUnit::UNIT_REQUIRED, "TIME"))
      ->check(CLI::PositiveNumber);
  command->footer(
      "Examples:\n  tellerctl export churn --top 500 --lang ru --out churn.csv\n  tellerctl export mart_dpd_transition "
      "--format "
      "ndjson\n  tellerctl export churn --to postgresql://crm@127.0.0.1/crm --every 24h");
  command->callback([&context, options] { run(context, *options); });
}

}  // namespace tellerd::tellerctl
