// bench churn DATASET: purchases of real customers go through the daemon as events up to a day T, it trains on what it
// then knows, and its probabilities are judged by the weeks after T, which it never sees.
// What the model costs is measured on invented customers (churn_cost.cpp).
// The dates of a data set are moved by whole days so that T is the last day of a calendar week.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/fault.h"
#include "core/money.h"
#include "decide/pack_files.h"
#include "model/metrics.h"
#include "store/database.h"
#include "tellerctl/bench/bank.h"
#include "tellerctl/bench/benches.h"
#include "tellerctl/bench/churn_daemon.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr int kHorizonWeeks = 13, kFeatureWeeks = 26;

// Of models.md: the best AUC known off line on the same task with its log loss, and the recency rule's AUC.
struct Known {
  const char* until;
  int population_weeks;
  double auc, loss, recency;
};
struct Dataset {
  const char* name;
  const char* currency;
  std::vector<Known> known;
};
const std::vector<Dataset> kDatasets = {
    {"cdnow",
     "USD",
     {{"1997-12-30", 26, .701, .609, .620},
      {"1997-12-30", 13, .710, .620, .577},
      {"1998-03-31", 26, .731, .579, .643},
      {"1998-03-31", 13, .731, .601, .588}}},
    {"grocery", "USD", {{"2007-07-01", 13, .839, .458, .669}, {"2007-09-30", 13, .807, .447, .569}}}};

struct Purchase {
  core::Day day;
  std::string customer;
  std::int64_t amount_minor;
};

// What a customer buys on one day is one purchase. In the order of days.
std::vector<Purchase> read_purchases(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  if (!std::getline(in, line))
    throw core::Fault(core::Exit::kFailed, file.string() + " cannot be read; see --dataset-dir");
  std::map<std::pair<core::Day, std::string>, std::int64_t> sums;
  while (std::getline(in, line)) {
    std::stringstream cells(line);
    std::string customer, date, count, amount;
    std::getline(cells, customer, ',');
    std::getline(cells, date, ',');
    std::getline(cells, count, ',');
    std::getline(cells, amount, ',');
    const auto day = core::parse_date(date.substr(0, 10));
    if (!day) throw core::Fault(core::Exit::kFailed, fmt::format("{}: no date in \"{}\"", file.string(), line));
    sums[{*day, customer}] += amount.empty() ? 0 : std::llround(std::stod(amount) * 100);
  }
  std::vector<Purchase> purchases;
  for (const auto& [key, sum] : sums) purchases.push_back({key.first, key.second, sum});
  return purchases;
}

// The default rules with the horizon and the weeks of the task.
std::filesystem::path write_pack(const std::filesystem::path& folder) {
  decide::copy_pack("default", folder);
  const auto edit = [&](const char* name, std::initializer_list<std::pair<std::string, std::string>> changes) {
    std::ifstream in(folder / name);
    std::stringstream bytes;
    bytes << in.rdbuf();
    std::string text = bytes.str();
    for (const auto& [from, to] : changes) text.replace(text.find(from), from.size(), to);
    std::ofstream(folder / name) << text;
  };
  edit("churn.toml", {{"horizon_weeks = 12", fmt::format("horizon_weeks = {}", kHorizonWeeks)},
                      {"feature_weeks = 12", fmt::format("feature_weeks = {}", kFeatureWeeks)}});
  edit("pack.toml", {{"branch_currency = \"RUB\"", "branch_currency = \"USD\""}});
  return folder;
}

std::uint64_t tell(Daemon& daemon, const std::vector<Purchase>& purchases, core::Day until, int moved_days,
                   const char* currency) {
  wire::Encoder encoder;
  std::vector<std::string> encoded;
  std::string id;
  for (const Purchase& purchase : purchases) {
    if (purchase.day > until) break;
    id = fmt::format("P{}", encoded.size());
    wire::Event event;
    event.id = id;
    event.customer = purchase.customer;
    event.occurred_us = core::Instant{purchase.day + moved_days} * core::kDay + 12 * core::kHour;
    event.body = wire::Transaction{purchase.amount_minor, currency, "debit", 0, "", "", ""};
    encoded.emplace_back(encoder.encode(event));
  }
  wire::Event monday;  // time goes on to the week after T
  monday.id = "monday";
  monday.customer = "nobody";
  monday.occurred_us = core::Instant{until + moved_days + 1} * core::kDay + core::kSecond;
  monday.body = wire::Login{true, "", ""};
  encoded.emplace_back(encoder.encode(monday));
  Pipeline pipeline(daemon.endpoint("ingest"), "purchases", kStartPatience);
  const Sent sent = pipeline.send(
      encode_frames("purchases", 1, static_cast<std::int64_t>(encoded.size()),
                    [&](std::int64_t at) -> std::string_view { return encoded[static_cast<std::size_t>(at)]; }));
  daemon.wait_readable(sent.commit_seq);
  return sent.commit_seq;
}

struct Answer {
  std::vector<double> probabilities, recency;
  std::vector<char> left;
};

Answer answers_of(const std::filesystem::path& database, const std::vector<Purchase>& purchases, core::Day until,
                  int population_weeks) {
  std::map<std::string, std::pair<core::Day, bool>> outcome;  // last purchase up to T, and whether one came after
  for (const Purchase& purchase : purchases) {
    auto& [last, is_back] = outcome.try_emplace(purchase.customer, std::pair{core::Day{-1}, false}).first->second;
    if (purchase.day <= until)
      last = purchase.day;
    else if (purchase.day <= until + 7 * kHorizonWeeks)
      is_back = true;
  }
  Answer answer;
  auto reader = store::Database::open_reader(database);
  store::Statement scores(reader, "SELECT customer_key, probability FROM mart_churn ORDER BY customer_key");
  while (scores.step()) {
    const auto found = outcome.find(std::string(scores.text(0)));
    if (found == outcome.end() || found->second.first < 0 || until - found->second.first >= 7 * population_weeks)
      continue;
    if (scores.is_null(1))
      throw core::Fault(core::Exit::kFailed, fmt::format("{} bought in the last {} weeks and has no probability",
                                                         found->first, population_weeks));
    answer.probabilities.push_back(scores.real(1));
    answer.recency.push_back((until - found->second.first) / 7);
    answer.left.push_back(!found->second.second);
  }
  return answer;
}

Json line_of(const Dataset& dataset, const Known& known, const Answer& answer, double trained_s) {
  const auto metrics = model::metrics_of(answer.probabilities, answer.left);
  const double recency = model::roc_auc(answer.recency, answer.left);
  const bool is_reached = metrics.roc_auc >= known.auc - 0.005 && metrics.roc_auc > recency;
  return {{"line", fmt::format("{} {} {}", dataset.name, known.until,
                               known.population_weeks == kHorizonWeeks ? "active" : "window")},
          {"customers", metrics.rows},
          {"left_share", static_cast<double>(metrics.positives) / static_cast<double>(metrics.rows)},
          {"auc", metrics.roc_auc},
          {"best_known_auc", known.auc},
          {"recency_rule_auc", recency},
          {"log_loss", metrics.log_loss},
          {"best_known_log_loss", known.loss},
          {"lift_10", metrics.lift_10},
          {"training_s", trained_s},
          {"is_auc_reached", is_reached},
          {"is_log_loss_reached", metrics.log_loss <= known.loss}};
}

}  // namespace

Section measure_churn(const Options& options) {
  Section section{
      "churn",
      "purchases told to tellerd up to T, its probabilities judged by the 13 weeks after, against the best "
      "known off line on the same data",
      "auc at least best_known_auc less 0.005 and over the recency rule, log_loss at most the best known's; "
      "training_s under 10, scored_again_s under 15, ack_ratio at most 2, share_of_throughput at most 0.15",
      Json::array()};
  if (options.dataset == "cost" || options.dataset.empty()) add_churn_cost(options, section);
  if (options.dataset == "cost") return section;
  if (options.dataset_dir.empty())
    throw core::Fault(core::Exit::kUsage, "--dataset-dir is missing: the folder with cdnow and grocery in it");
  const Scratch scratch(options.where);
  const auto pack = write_pack(scratch.path() / "pack");
  for (const Dataset& dataset : kDatasets) {
    if (!options.dataset.empty() && options.dataset != dataset.name) continue;
    const auto purchases = read_purchases(options.dataset_dir / dataset.name / "transactions.csv");
    std::string told_until;
    double trained_s = 0;
    for (const Known& known : dataset.known) {
      const core::Day until = *core::parse_date(known.until);
      const auto data = scratch.path() / fmt::format("{}-{}", dataset.name, known.until);
      if (told_until != known.until) {
        told_until = known.until;
        const int moved_days =
            static_cast<int>(7 * (core::week_of_day(until) + 1) - 4 - until);  // to the Sunday of its week
        say(fmt::format("churn: {} until {}", dataset.name, known.until));
        Daemon daemon(data, pack, {"--clock", "event"});
        tell(daemon, purchases, until, moved_days, dataset.currency);
        const auto started = Clock::now();
        const auto state = train_on(daemon);
        trained_s = std::chrono::duration<double>(Clock::now() - started).count();
        say("churn: " + state.at("text").get<std::string>());
        daemon.child().end();
      }
      section.lines.push_back(
          line_of(dataset, known, answers_of(data / "teller.db", purchases, until, known.population_weeks), trained_s));
    }
  }
  return section;
}

}  // namespace tellerd::tellerctl::bench
