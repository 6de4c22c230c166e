// train, model: the churn model. list and show read teller.db; train and activate ask the daemon.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>

#include "core/fault.h"
#include "core/time.h"
#include "model/churn_model.h"
#include "store/database.h"
#include "tellerctl/client/query_client.h"
#include "tellerctl/commands.h"
#include "tellerctl/context.h"
#include "tellerctl/words/progress_bar.h"

namespace tellerd::tellerctl {
namespace {

using nlohmann::json;

constexpr Milliseconds kPatience{5000}, kPause{50};
constexpr auto kDerivedPatience = std::chrono::seconds(60);

void wait_readable(QueryClient& client, const json& commit_seq) {
  const auto until = Clock::now() + kDerivedPatience;
  while (!client.ask("Wait", {{"commit_seq", commit_seq}, {"timeout_ms", 1000}}).value("ok", false))
    if (Clock::now() > until)
      throw core::Fault(core::Exit::kFailed, "it is recorded but not derived yet: see tellerctl model list");
}

// Until everybody has the score of the model in force: a large bank takes seconds.
void wait_scored(const Context& context) {
  auto database = context.open_store();
  store::Statement scoring(database, "SELECT f.next_customer, (SELECT max(id) FROM identity) FROM churn_fold f");
  ProgressBar bar;
  auto moved = Clock::now();
  for (std::int64_t before = -1;; std::this_thread::sleep_for(kPause)) {
    scoring.step();
    const std::int64_t next = scoring.integer(0), customers = scoring.integer(1);
    scoring.reset();
    if (next == 0) return;
    bar.show("customers are scored", static_cast<double>(next), static_cast<double>(customers));
    if (next != before) moved = Clock::now();
    before = next;
    if (Clock::now() - moved > kDerivedPatience)
      throw core::Fault(core::Exit::kFailed, "the model scores, but it has stood still at customer " +
                                                 std::to_string(next) + " for a minute: see tellerctl status");
  }
}

void add_train(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("train", "Train a churn model now, and use it when it does better");
  auto is_json = std::make_shared<bool>(false);
  command->add_flag("--json", *is_json, "The result as one line of JSON");
  command->footer("Example:\n  tellerctl train");
  command->callback([&context, is_json] {
    QueryClient client(context.endpoint("query"), kPatience, context.where());
    const auto number = client.ask_ok("Train", json::object()).at("number").get<std::int64_t>();
    json state;
    do {
      std::this_thread::sleep_for(kPause);
      state = client.ask_ok("Training", json::object());
    } while (state.at("number").get<std::int64_t>() == number &&
             (state.at("stage") == "running" || (state.at("stage") == "trained" && state.at("commit_seq") == 0)));
    if (state.at("stage") != "trained") throw core::Fault(core::Exit::kFailed, state.at("text").get<std::string>());
    wait_readable(client, state.at("commit_seq"));
    wait_scored(context);
    state.erase("id");
    state.erase("ok");
    std::cout << (*is_json ? state.dump() : state.at("text").get<std::string>()) << "\n";
  });
}

void add_list(CLI::App& model, Context& context) {
  auto* command = model.add_subcommand("list", "Every model recorded, newest first; * scores now");
  command->footer("Example:\n  tellerctl model list");
  command->callback([&context] {
    auto database = store::Database::open_reader(context.data / "teller.db");
    store::Statement rows(
        database,
        "SELECT is_active, model, trained_us, method, features, state, roc_auc, log_loss, recency_roc_auc, reason, "
        "max(week) FROM mart_model GROUP BY trained_us, model ORDER BY trained_us DESC");
    std::cout << "  model\ttrained\tmethod\tfeatures\tstate\troc_auc\tlog_loss\trecency rule's roc_auc\n";
    while (rows.step()) {
      std::cout << (rows.integer(0) ? "* " : "  ") << rows.text(1) << "\t" << core::format_instant(rows.integer(2));
      for (int column = 3; column < 6; ++column) std::cout << "\t" << rows.text(column);
      for (int column = 6; column < 9; ++column)
        std::cout << "\t" << std::fixed << std::setprecision(4) << rows.real(column);
      std::cout << "\t" << rows.text(9) << "\n";
    }
  });
}

void add_show(CLI::App& model, Context& context) {
  struct Options {
    std::string id;
    std::filesystem::path out;
  };
  auto* command = model.add_subcommand("show", "A model's card: what it learnt from, how good it was, by week");
  auto options = std::make_shared<Options>();
  command->add_option("model", options->id, "Beginning of its id (default: the one that scores)");
  command->add_option("--out", options->out, "Write the whole model into a file, to activate it elsewhere");
  command->footer("Examples:\n  tellerctl model show\n  tellerctl model show 3f2a --out churn.model");
  command->callback([&context, options] {
    auto database = store::Database::open_reader(context.data / "teller.db");
    store::Statement find(
        database,
        "SELECT card, sealed FROM churn_model WHERE state='recorded' AND id LIKE coalesce(nullif(?1,''),"
        "(SELECT nullif(model,'') FROM churn_fold)) || '%' ORDER BY seq DESC LIMIT 1");
    if (!find.bind(1, std::string_view(options->id)).step())
      throw core::Fault(core::Exit::kFailed, options->id.empty()
                                                 ? "no model scores: tellerctl train makes one"
                                                 : "no recorded model has an id that begins with " + options->id);
    if (options->out.empty()) {
      std::cout << json::parse(find.text(0)).dump(2) << "\n";
      return;
    }
    std::ofstream file(options->out, std::ios::binary | std::ios::trunc);
    file << find.text(1);
    file.close();
    if (!file) throw core::Fault(core::Exit::kFailed, options->out.string() + " cannot be written");
    std::cout << "The model is in " << options->out.string() << ".\n";
  });
}

json wanted_model(const std::string& model) {
  if (!std::filesystem::is_regular_file(model)) return {{"model", model}};
  std::ifstream file(model, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  try {
    static_cast<void>(model::ChurnModel(bytes.str()));
  } catch (const core::Fault& refused) {
    throw core::Fault(core::Exit::kFailed, model + ": " + refused.what());
  }
  return {{"sealed", bytes.str()}};
}

void add_activate(CLI::App& model, Context& context) {
  auto* command = model.add_subcommand("activate", "Score by this model from now on; an older one's id rolls back");
  auto wanted = std::make_shared<std::string>();
  command->add_option("model", *wanted, "Beginning of its id, a file that model show --out wrote, or none")->required();
  command->footer(
      "Examples:\n  tellerctl model activate 3f2a\n  tellerctl model activate churn.model\n  tellerctl model activate "
      "none");
  command->callback([&context, wanted] {
    const json ask = wanted_model(*wanted);
    QueryClient client(context.endpoint("query"), kPatience, context.where());
    const json answer = client.ask_ok("ActivateModel", ask);
    wait_readable(client, answer.at("commit_seq"));
    auto database = store::Database::open_reader(context.data / "teller.db");
    store::Statement outcome(database, "SELECT is_accepted, reason FROM churn_activation WHERE seq=?");
    if (outcome.bind(1, answer.at("commit_seq").get<std::int64_t>()).step() && outcome.integer(0) == 0)
      throw core::Fault(core::Exit::kFailed, "not activated: " + std::string(outcome.text(1)));
    wait_scored(context);
    const auto id = answer.at("model").get<std::string>();
    std::cout << (id.empty() ? "No model scores." : "Model " + id + " scores.") << "\n";
  });
}

}  // namespace

void register_models(CLI::App& app, Context& context) {
  add_train(app, context);
  auto* model = app.add_subcommand("model", "The churn models");
  model->require_subcommand(1);
  add_list(*model, context);
  add_show(*model, context);
  add_activate(*model, context);
}

}  // namespace tellerd::tellerctl
