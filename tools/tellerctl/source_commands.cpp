// generate, split: source files to try things with. They need neither daemon nor data directory.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "core/time.h"
#include "tellerctl/commands.h"
#include "tellerctl/generate/generate.h"
#include "tellerctl/split/split.h"
#include "tellerctl/words/progress_bar.h"

namespace tellerd::tellerctl {
namespace {

std::string today() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  return core::format_date(static_cast<core::Day>(us / core::kDay));
}

void add_generate(CLI::App& app) {
  auto* command = app.add_subcommand("generate", "Make source files of an invented branch");
  auto options = std::make_shared<GenerateOptions>();
  command->add_option("out", options->out, "A folder that is new, empty or made by generate")->required();
  command->add_option("--clients", options->clients, "How many clients")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--seed", options->seed, "The same seed gives the same files")->capture_default_str();
  command->add_option("--until", options->until, "First day without events, YYYY-MM-DD (default: today)");
  command->add_option("--profile", options->profile, "bank, loans, broker or shop")
      ->check(CLI::IsMember({"bank", "loans", "broker", "shop"}))
      ->capture_default_str();
  command->footer("Example:\n  tellerctl generate source --clients 5000 --seed 1 --until 2026-11-20");
  command->callback([options] {
    if (options->until.empty()) options->until = today();
    ProgressBar bar;
    options->progress = [&bar](double done, std::string_view what) { bar.show(what, done, 1); };
    generate(*options);
    bar.clear();
    std::cout << "Source files of " << options->clients << " clients are in " << options->out.string() << ".\n";
  });
}

void add_split(CLI::App& app) {
  struct Options {
    std::filesystem::path dir;
    int parts = 0;
  };
  auto* command = app.add_subcommand("split", "Cut the loan system's files into cumulative parts");
  auto options = std::make_shared<Options>();
  command->add_option("dir", options->dir, "Folder with clients.json, loans.json and payments.json")->required();
  command->add_option("--parts", options->parts, "How many")->required()->check(CLI::PositiveNumber);
  command->footer("Example:\n  tellerctl split source --parts 5 && tellerctl load source --part 1");
  command->callback([options] {
    split(options->dir, options->parts);
    std::cout << options->parts << " parts are in " << options->dir.string() << ".\n";
  });
}

}  // namespace

void register_sources(CLI::App& app, Context&) {
  add_generate(app);
  add_split(app);
}

}  // namespace tellerd::tellerctl
