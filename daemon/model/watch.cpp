#include "model/watch.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "model/churn_features.h"

namespace tellerd::model {
namespace {

using Json = nlohmann::json;

// Single weeks' bits come and go with chance: what speaks of customers are the sums over them, where there are any.
std::set<std::size_t> columns_watched(const ChurnModel& model, const Json& document) {
  const int first = model.scope().is_full ? first_summed_column(model.scope()) : 0;
  std::set<std::size_t> columns;
  const auto add = [&](int column) {
    if (column >= first) columns.insert(static_cast<std::size_t>(column));
  };
  if (!model.has_labels()) {  // BG/NBD looks at recency and visits alone
    const auto names = document.at("features").get<std::vector<std::string>>();
    for (std::size_t at = 0; at < names.size(); ++at)
      if (names[at] == "tx_recency" || names[at] == "tx_visits") columns.insert(at);
    return columns;
  }
  for (const int column : document.at("used").get<std::vector<int>>()) add(column);
  return columns;
}

void add_alarm(std::string& alarms, const char* alarm) { alarms.append(alarms.empty() ? "" : " ").append(alarm); }

}  // namespace

Drift drift_of(const ChurnModel& model, const std::vector<ChurnView>& views) {
  const Json document = Json::parse(model.document());  // a million bytes, once a week
  const Json& reference = document.at("reference");
  const auto names = feature_columns(model.scope());
  std::vector<double> scores;
  std::vector<float> row(names.size());
  std::vector<std::vector<double>> now(names.size());
  for (const ChurnView& view : views) {
    scores.push_back(std::lround(model.probability(view) * 1e6));
    fill_features(view, model.scope(), row);
    for (std::size_t column = 0; column < row.size(); ++column) now[column].push_back(static_cast<double>(row[column]));
  }
  Drift drift;
  drift.score = stability_index(reference.at("scores").get<std::vector<double>>(), scores);
  for (const std::size_t column : columns_watched(model, document))
    drift.features.emplace_back(
        names[column].name,
        stability_index(reference.at("features").at(column).get<std::vector<double>>(), now[column]));
  std::stable_sort(drift.features.begin(), drift.features.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return drift;
}

std::string alarms_of(const Drift& drift, std::size_t customers) {
  return customers >= kWatchedMin && drift.score > kStabilityMax ? "drift" : "";
}

std::string alarms_of(const Metrics& realised, double predicted_mean) {
  std::string alarms;
  if (realised.rows < kWatchedMin) return alarms;
  const auto rows = static_cast<double>(realised.rows);
  const double share = static_cast<double>(realised.positives) / rows;
  const bool has_both = realised.positives > 0 && realised.positives < realised.rows;
  if (has_both && realised.roc_auc < kAucUseless) add_alarm(alarms, "useless");
  if (has_both && realised.roc_auc > kAucSuspicious) add_alarm(alarms, "leak");
  const double noise = 3 * std::sqrt(std::max(share * (1 - share), 1 / rows) / rows);
  const bool is_off = predicted_mean > kLevelRatioMax * share || share > kLevelRatioMax * predicted_mean;
  if (is_off && std::abs(predicted_mean - share) > noise) add_alarm(alarms, "level");
  return alarms;
}

}  // namespace tellerd::model
