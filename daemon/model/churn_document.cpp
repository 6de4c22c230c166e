#include "model/churn_document.h"

#include <algorithm>
#include <cmath>

#include "model/churn_features.h"

namespace tellerd::model {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Metrics& metrics) {
  return {{"rows", metrics.rows},     {"positives", metrics.positives}, {"roc_auc", metrics.roc_auc},
          {"pr_auc", metrics.pr_auc}, {"lift_10", metrics.lift_10},     {"log_loss", metrics.log_loss}};
}

Json json_of(const Judged& judged) {
  Json curve = Json::array();
  for (const auto& bin : judged.curve)
    curve.push_back({{"rows", bin.rows}, {"predicted", bin.predicted}, {"observed", bin.observed}});
  return {{"week", judged.at},
          {"model", json_of(judged.model)},
          {"recency_rule", json_of(judged.recency_rule)},
          {"majority", json_of(judged.majority)},
          {"curve", curve}};
}

// Deciles of each column and of the score among the rows trained on: what drift is measured against.
Json reference_of(const Rows& rows, const std::vector<double>& probabilities) {
  constexpr std::size_t kSampleMax = 512;
  const std::size_t step = std::max<std::size_t>(1, rows.matrix.rows() / kSampleMax);
  Json columns = Json::array(), scores = Json::array();
  for (std::size_t column = 0; column < rows.matrix.columns; ++column) {
    Json values = Json::array();
    for (std::size_t at = 0; at < rows.matrix.rows(); at += step) values.push_back(rows.matrix.row(at)[column]);
    columns.push_back(std::move(values));
  }
  for (std::size_t at = 0; at < rows.matrix.rows(); at += step) scores.push_back(std::lround(probabilities[at] * 1e6));
  return {{"features", columns}, {"scores", scores}};
}

Json json_of(const TrainingSettings& settings) {
  const auto& booster = settings.booster;
  return {{"trees", booster.trees},
          {"depth", booster.depth},
          {"learning_rate", booster.learning_rate},
          {"min_child_weight", booster.min_child_weight},
          {"row_share", booster.row_share},
          {"column_share", booster.column_share},
          {"lambda", booster.lambda},
          {"seed", booster.seed},
          {"snapshots", settings.snapshots},
          {"step_weeks", settings.step_weeks},
          {"rows_max", settings.rows_max}};
}

}  // namespace

nlohmann::ordered_json json_of(const Calibration& calibration) {
  Json json{{"kind", name_of(calibration.kind)}};
  if (calibration.kind == CalibrationKind::kPlatt) json["slope"] = calibration.slope, json["shift"] = calibration.shift;
  if (calibration.kind == CalibrationKind::kIsotonic)
    json["margins"] = calibration.margins, json["probabilities"] = calibration.probabilities;
  return json;
}

Json document_of(const Card& card, const std::vector<Judged>& judged) {
  Json document{{"kind", "churn"}, {"format", kDocumentFormat}, {"method", card.method}};
  document["scope"] = {{"features", card.scope.is_full ? "full" : "bits"},
                       {"feature_weeks", card.scope.feature_weeks},
                       {"horizon_weeks", card.scope.horizon_weeks},
                       {"view_weeks", card.scope.view_weeks}};
  document["settings"] = json_of(card.settings);
  document["data"] = {{"through_seq", card.range.through_seq},
                      {"running_week", card.range.running},
                      {"first_week", card.range.first},
                      {"customers", card.range.customers},
                      {"late_share", card.range.late_share},
                      {"weeks", card.weeks},
                      {"rows", card.rows.matrix.rows()},
                      {"left", std::count(card.rows.matrix.labels.begin(), card.rows.matrix.labels.end(), 1)}};
  Json by_week = Json::array();
  for (const auto& one : judged) by_week.push_back(json_of(one));
  document["validation"] = {{"by", card.validated_by}, {"trained_on", card.early}, {"judged", by_week}};
  document["reference"] = reference_of(card.rows, card.probabilities);
  Json names = Json::array();
  for (const auto& column : feature_columns(card.scope)) names.push_back(column.name);
  document["features"] = names;
  return document;
}

}  // namespace tellerd::model
