// bench offers DATASET: how well acceptance is foretold, and whether the off-policy arithmetic is right, on real data.
// bank_marketing: calls in date order, blocks of a thousand, a block's outcomes known only after it; every column but
// the call's duration (known afterwards) and the macro-economic ones. Coding of columns is the same for any table.
// bandit_men: impressions logged with their true probabilities by two policies.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "core/fault.h"
#include "model/metrics.h"
#include "model/off_policy.h"
#include "model/propensity.h"
#include "tellerctl/bench/benches.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr std::size_t kBlock = 1'000, kRowsFrom = 2'000, kFeatures = 128;
constexpr double kLossAsked = .303, kWithinAsked = .560;

using Cells = std::vector<std::string>;

struct Table {
  std::map<std::string, std::size_t> columns;
  std::vector<Cells> rows;
  const std::string& cell(std::size_t row, const char* column) const { return rows[row][columns.at(column)]; }
};

Table read_table(const std::filesystem::path& file, char separator) {
  std::ifstream in(file);
  const auto split = [separator](const std::string& line) {
    Cells cells;
    std::stringstream rest(line);
    for (std::string cell; std::getline(rest, cell, separator);) {
      std::erase_if(cell, [](char c) { return c == '"' || c == '\r'; });
      cells.push_back(std::move(cell));
    }
    return cells;
  };
  std::string line;
  if (!std::getline(in, line))
    throw core::Fault(core::Exit::kFailed, file.string() + " cannot be read; see --dataset-dir");
  Table table;
  for (const auto& name : split(line)) table.columns.emplace(name, table.columns.size());
  const std::size_t width = table.columns.size();
  while (std::getline(in, line)) {
    table.rows.push_back(split(line));
    if (table.rows.back().size() < width)
      throw core::Fault(core::Exit::kFailed, fmt::format("{}: a short line \"{}\"", file.string(), line));
  }
  return table;
}

// A column and its value are a feature; numbers by half octaves. New ones get the next place, the last place is shared.
class Coder {
 public:
  std::vector<model::Feature> code(const Table& table, std::size_t row, std::span<const char* const> columns) {
    std::vector<model::Feature> features{{0, 1.0}};
    for (const char* column : columns) {
      const std::string& value = table.cell(row, column);
      char* end = nullptr;
      const double number = std::strtod(value.c_str(), &end);
      const bool is_number = !value.empty() && *end == '\0';
      const std::string name =
          is_number ? fmt::format("{}#{}", column, std::lround(std::floor(2 * std::log2(1 + std::fabs(number)))))
                    : fmt::format("{}={}", column, value);
      const auto place = std::min(places_.try_emplace(name, places_.size() + 1).first->second, kFeatures - 1);
      features.push_back({static_cast<std::uint16_t>(place), 1.0});
    }
    return features;
  }

 private:
  std::map<std::string, std::size_t> places_;
};

struct Foretold {
  std::vector<double> model, mean;
  std::vector<char> labels;
};

double within_blocks(const std::vector<double>& scores, const std::vector<char>& labels) {
  double sum = 0;
  std::size_t blocks = 0;
  for (std::size_t at = kRowsFrom; at < labels.size(); at += kBlock) {
    const std::size_t count = std::min(kBlock, labels.size() - at);
    const auto block = std::span(labels).subspan(at, count);
    const auto hits = std::count(block.begin(), block.end(), 1);
    if (hits == 0 || hits == static_cast<std::ptrdiff_t>(count)) continue;
    sum += model::roc_auc(std::span(scores).subspan(at, count), block);
    ++blocks;
  }
  return blocks ? sum / static_cast<double>(blocks) : 0;
}

void add_bank_marketing(Section& section, const std::filesystem::path& folder, bool is_quick) {
  static constexpr const char* kColumns[] = {"age",      "job",   "marital",  "education", "default",
                                             "housing",  "loan",  "contact",  "month",     "day_of_week",
                                             "campaign", "pdays", "previous", "poutcome"};
  Table table = read_table(folder / "bank-additional-full.csv", ';');
  if (is_quick) table.rows.resize(std::min<std::size_t>(table.rows.size(), 10'000));
  Coder coder;
  model::Propensity propensity(kFeatures);
  Foretold foretold;
  const auto started = std::chrono::steady_clock::now();
  for (std::size_t begin = 0; begin < table.rows.size(); begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, table.rows.size());
    std::vector<std::vector<model::Feature>> block;
    for (std::size_t row = begin; row < end; ++row) {
      block.push_back(coder.code(table, row, kColumns));
      foretold.model.push_back(propensity.predicted(block.back()));
      foretold.mean.push_back(propensity.mean());
    }
    for (std::size_t row = begin; row < end; ++row) {
      foretold.labels.push_back(table.cell(row, "y") == "yes");
      propensity.learn(block[row - begin], foretold.labels.back());
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  const auto add = [&](const char* line, const std::vector<double>& scores, bool is_model) {
    const auto of = std::span(scores).subspan(kRowsFrom);
    const auto labels = std::span(foretold.labels).subspan(kRowsFrom);
    Json one{{"line", line},
             {"rows", of.size()},
             {"log_loss", model::log_loss(of, labels)},
             {"auc_within_blocks", within_blocks(scores, foretold.labels)},
             {"auc", model::roc_auc(of, labels)}};
    if (is_model) {
      one["log_loss_asked"] = kLossAsked;
      one["auc_within_blocks_asked"] = kWithinAsked;
      one["health_auc"] = propensity.auc();
      one["us_an_outcome"] = seconds * 1e6 / static_cast<double>(table.rows.size());
      one["is_log_loss_reached"] = one["log_loss"] <= kLossAsked;
      one["is_auc_reached"] = one["auc_within_blocks"] >= kWithinAsked;
    }
    section.lines.push_back(std::move(one));
  };
  add("bank_marketing", foretold.model, true);
  add("running mean", foretold.mean, false);
}

struct Impression {
  std::string item, position;
  double click, probability;
  std::uint64_t user;
};

std::vector<Impression> read_impressions(const std::filesystem::path& file) {
  const Table table = read_table(file, ',');
  std::vector<Impression> impressions;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    std::string user;
    for (const char* column : {"user_feature_0", "user_feature_1", "user_feature_2", "user_feature_3"})
      user += table.cell(row, column);
    impressions.push_back({table.cell(row, "item_id"), table.cell(row, "position"), std::stod(table.cell(row, "click")),
                           std::stod(table.cell(row, "propensity_score")), std::hash<std::string>{}(user)});
  }
  return impressions;
}

Json estimate_line(const char* line, double known, double digits, const model::Estimate& estimate) {
  return {{"line", line},
          {"value", estimate.value},
          {"known", known},
          {"low_95", estimate.low},
          {"high_95", estimate.high},
          {"is_equal", std::fabs(estimate.value - known) <= digits / 2 + 1e-12}};
}

void add_bandit(Section& section, const std::filesystem::path& folder) {
  const auto random = read_impressions(folder / "random" / "men.csv"),
             thompson = read_impressions(folder / "bts" / "men.csv");
  std::map<std::pair<std::string, std::string>, double> shown;  // by the thompson policy: item and position
  std::map<std::string, double> shown_at;
  std::map<std::string, bool> items;
  for (const auto& one : thompson) {
    shown[{one.item, one.position}] += 1;
    shown_at[one.position] += 1;
  }
  for (const auto& one : random) items[one.item] = true;
  std::vector<model::LoggedChoice> from_random, from_thompson;
  for (const auto& one : random)
    from_random.push_back(
        {one.user, one.click, one.probability, shown[{one.item, one.position}] / shown_at[one.position]});
  for (const auto& one : thompson)
    from_thompson.push_back({one.user, one.click, one.probability, 1 / static_cast<double>(items.size())});
  const auto mix = model::evaluate(from_random), uniform = model::evaluate(from_thompson);
  section.lines.push_back(estimate_line("uniform as logged", .0046, .0001, model::on_policy(from_random)));
  section.lines.push_back(estimate_line("thompson as logged", .0069, .0001, model::on_policy(from_thompson)));
  section.lines.push_back(estimate_line("thompson, SNIPS", .00574, .00001, mix.snips));
  section.lines.push_back(estimate_line("thompson, IPS", .00566, .00001, mix.ips));
  section.lines.push_back(estimate_line("uniform, IPS", .00301, .00001, uniform.ips));
}

}  // namespace

Section measure_offers(const Options& options) {
  Section section{"offers",
                  "acceptance foretold before each block of 1,000 calls and learnt after it, beside the running mean; "
                  "off-policy estimates beside the known figures",
                  fmt::format("log_loss at most {}, auc_within_blocks at least {}; estimates equal to the last digit",
                              kLossAsked, kWithinAsked),
                  Json::array()};
  if (options.dataset.empty() || options.dataset == "bank_marketing")
    add_bank_marketing(section, options.dataset_dir / "bank_marketing", options.is_quick);
  if (options.dataset.empty() || options.dataset == "bandit_men")
    add_bandit(section, options.dataset_dir / "bandit_men");
  return section;
}

}  // namespace tellerd::tellerctl::bench
