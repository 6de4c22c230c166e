// bench: measurements, each beside its floor.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <vector>

#include "core/fault.h"
#include "tellerctl/bench/benches.h"
#include "tellerctl/bench/floor_server.h"
#include "tellerctl/bench/interrupt.h"
#include "tellerctl/commands.h"
#include "tellerctl/context.h"

namespace tellerd::tellerctl {
namespace {

using Measure = bench::Section (*)(const bench::Options&);

struct Given {
  bench::Options options;
  std::string json;
};

struct Named {
  const char* name;
  const char* says;
  Measure measure;
};

constexpr Named kMeasures[] = {
    {"ingest", "Sustained events a second beside a floor that only receives, verifies, inserts and syncs",
     bench::measure_ingest},
    {"versus", "The same events in PostgreSQL, in turn", bench::measure_versus},
    {"latency", "Event sent until its offer is received, beside the floor and fdatasync", bench::measure_latency},
    {"restart", "Start after kill -9 until accepting, and until all is replayed", bench::measure_restart},
    {"memory", "Resident memory, and the cost of an event in a small and a large bank", bench::measure_memory},
    {"queue", "Leases, from few and from many waiting offers, and beside ingest; withdrawals", bench::measure_queue},
    {"choose", "Decisions of a pack that chooses, on one core", bench::measure_choose},
    {"api", "Questions of the pages, alone and beside ingest", bench::measure_api},
};

// On the disk of the data, beside it: a benchmark never writes into a data directory.
std::filesystem::path scratch_place(const Context& context) {
  const auto beside = std::filesystem::absolute(context.data).parent_path();
  return access(beside.c_str(), W_OK) == 0 ? beside : std::filesystem::temp_directory_path();
}

// A signal shows as whatever call it interrupted; the sentence is about the signal.
bench::Section measured(const Named& one, const bench::Options& options) {
  try {
    return one.measure(options);
  } catch (...) {
    bench::check_interrupted();
    throw;
  }
}

void run(const Context& context, const Given& given, const std::vector<Named>& measures) {
  bench::notice_signals();
  bench::Options options = given.options;
  if (options.where.empty()) options.where = scratch_place(context);
  const bool is_json_shown = given.json == "-";
  std::ostream& people = is_json_shown ? std::cerr : std::cout;
  bench::Json document = bench::machine(options.where);
  document["is_quick"] = options.is_quick;
  for (const auto& [name, value] : document.items())
    people << name << ": " << (value.is_string() ? value.get<std::string>() : value.dump()) << "\n";
  for (const Named& one : measures) {
    const bench::Section section = measured(one, options);
    people << bench::table(section) << std::flush;
    if (measures.size() == 1)
      document.update(bench::document(section));
    else
      document[one.name] = bench::document(section);
  }
  if (is_json_shown) std::cout << document.dump(2) << "\n";
  if (given.json.empty() || is_json_shown) return;
  std::ofstream file(given.json);
  file << document.dump(2) << "\n";
  if (!file.flush()) throw core::Fault(core::Exit::kFailed, given.json + " cannot be written");
}

void add_options(CLI::App& command, Given& given) {
  auto& options = given.options;
  command.add_flag("--quick", options.is_quick, "Small sizes: all measurements together within 50 s");
  command.add_option("--json", given.json, "Also as JSON, to a file or, without one, to standard output")
      ->expected(0, 1)
      ->default_str("-");
  command.add_option("--dir", options.where, "Where the scratch folder is made (default: beside the data)");
  command.add_option("--policy", options.policy, "Rules of the measured tellerd: a name or a folder");
  command.add_option("--customers", options.customers, "Customers in the bank")->check(CLI::PositiveNumber);
  command.add_option("--events", options.events, "Events of a timed round")->check(CLI::PositiveNumber);
  command.add_option("--history", options.history, "Facts in the store before the clock starts")
      ->check(CLI::PositiveNumber);
  command.add_option("--rounds", options.rounds, "Rounds in turn")->check(CLI::Range(1, 100));
  command.add_option("--skew", options.skew, "Customers drawn evenly or by the cube of a uniform draw")
      ->check(CLI::IsMember({"uniform", "skewed"}));
  command.add_option("--ids", options.ids, "Ids of facts")->check(CLI::IsMember({"seq", "uuid"}));
}

void add_floor_server(CLI::App& bench_command) {
  struct Place {
    std::filesystem::path folder;
    std::string endpoint;
  };
  auto* command = bench_command.add_subcommand("floor-server", "The floor as a process");
  command->group("");  // the benchmark's own business
  auto place = std::make_shared<Place>();
  command->add_option("--dir", place->folder)->required();
  command->add_option("--endpoint", place->endpoint)->required();
  command->callback([place] { bench::run_floor_server(place->folder, place->endpoint); });
}

}  // namespace

void register_bench(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("bench", "Measure this machine, each figure beside its floor");
  command->require_subcommand(1);
  command->footer("Examples:\n  tellerctl bench ingest --quick\n  tellerctl bench all --json figures.json");
  for (const Named& one : kMeasures) {
    auto* measure = command->add_subcommand(one.name, one.says);
    auto given = std::make_shared<Given>();
    add_options(*measure, *given);
    measure->callback([&context, given, one] { run(context, *given, {one}); });
  }
  auto* all = command->add_subcommand("all", "Every measurement in turn");
  auto given = std::make_shared<Given>();
  add_options(*all, *given);
  all->callback([&context, given] { run(context, *given, {std::begin(kMeasures), std::end(kMeasures)}); });
  auto* churn = command->add_subcommand("churn", "The churn model on real purchases, beside the best known off line");
  auto of_churn = std::make_shared<Given>();
  add_options(*churn, *of_churn);
  churn->add_option("dataset", of_churn->options.dataset, "cdnow, grocery, or cost (default: all three)")
      ->check(CLI::IsMember({"cdnow", "grocery", "cost"}));
  churn->add_option("--dataset-dir", of_churn->options.dataset_dir,
                    "Folder with cdnow/transactions.csv and grocery/transactions.csv");
  churn->callback([&context, of_churn] { run(context, *of_churn, {{"churn", "", bench::measure_churn}}); });
  auto* quarter = command->add_subcommand("quarter", "A simulated quarter: the learning policy, rules only and random");
  auto of_quarter = std::make_shared<Given>();
  add_options(*quarter, *of_quarter);
  quarter->callback([&context, of_quarter] { run(context, *of_quarter, {{"quarter", "", bench::measure_quarter}}); });
  auto* offers = command->add_subcommand("offers", "Acceptance foretold, and off-policy estimates, on real data");
  auto of_offers = std::make_shared<Given>();
  add_options(*offers, *of_offers);
  offers->add_option("dataset", of_offers->options.dataset, "bank_marketing or bandit_men (default: both)")
      ->check(CLI::IsMember({"bank_marketing", "bandit_men"}));
  offers->add_option("--dataset-dir", of_offers->options.dataset_dir, "Folder with bank_marketing/ and bandit_men/")
      ->required();
  offers->callback([&context, of_offers] { run(context, *of_offers, {{"offers", "", bench::measure_offers}}); });
  add_floor_server(*command);
}

}  // namespace tellerd::tellerctl
