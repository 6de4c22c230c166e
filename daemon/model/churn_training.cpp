#include "model/churn_training.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "core/assert.h"
#include "core/checksum.h"
#include "model/churn_features.h"

namespace tellerd::model {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kOfAClassMin = 30;  // fewer customers who left, or who stayed, teach nothing
constexpr double kGainMin = 0.001;        // of log loss, for a calibration to be worth its noise
constexpr int kBitsUsable = core::limits::kWeekBits - 1;

// Which part of all customers: the same for every T, whatever the order of rows.
std::uint64_t lot_of(std::uint32_t customer) noexcept {
  return core::hash64({reinterpret_cast<const char*>(&customer), sizeof customer}, 0x6368'75726eu);
}
using Keep = std::function<bool(std::uint32_t customer)>;
const Keep kEverybody = [](std::uint32_t) { return true; };

const Snapshot& at_week(const std::vector<Snapshot>& snapshots, Week at) {
  const auto found =
      std::find_if(snapshots.begin(), snapshots.end(), [&](const Snapshot& one) { return one.at == at; });
  TELLERD_ASSERT(found != snapshots.end());
  return *found;
}

struct Rows {
  Matrix matrix;
  std::vector<const Example*> examples;
};

Rows rows_of(const std::vector<Snapshot>& snapshots, const std::vector<Week>& weeks, const ChurnScope& scope,
             std::size_t rows_max, const Keep& keep) {
  std::size_t wanted = 0;
  for (const Week week : weeks)
    for (const Example& example : at_week(snapshots, week).examples) wanted += keep(example.customer);
  const double share = wanted <= rows_max ? 1 : static_cast<double>(rows_max) / static_cast<double>(wanted);
  const auto below = static_cast<std::uint64_t>(share * 0x1p32);
  Rows rows;
  rows.matrix.columns = feature_count(scope);
  for (const Week week : weeks)
    for (const Example& example : at_week(snapshots, week).examples) {
      if (!keep(example.customer) || (share < 1 && (lot_of(example.customer) >> 32) >= below)) continue;
      const std::size_t at = rows.matrix.values.size();
      rows.matrix.values.resize(at + rows.matrix.columns);
      fill_features(example.view, scope, {rows.matrix.values.data() + at, rows.matrix.columns});
      rows.matrix.labels.push_back(example.has_left);
      rows.examples.push_back(&example);
    }
  return rows;
}

// Columns that differ between rows: one that never does teaches nothing and costs as much as any other.
std::vector<int> varying_columns(const Matrix& matrix) {
  std::vector<int> found;
  for (std::size_t column = 0; column < matrix.columns; ++column) {
    bool varies = false;
    for (std::size_t at = 1; at < matrix.rows() && !varies; ++at)
      varies = matrix.row(at)[column] != matrix.row(0)[column];
    if (varies) found.push_back(static_cast<int>(column));
  }
  return found;
}

struct Grown {
  std::vector<int> used;
  std::string booster;
  Forest forest;
};

Grown grow(const Matrix& matrix, const BoosterSettings& settings, const Patience& patience) {
  Grown grown;
  grown.used = varying_columns(matrix);
  Matrix narrow;
  narrow.columns = grown.used.size();
  narrow.labels = matrix.labels;
  narrow.values.reserve(matrix.rows() * narrow.columns);
  for (std::size_t at = 0; at < matrix.rows(); ++at)
    for (const int column : grown.used) narrow.values.push_back(matrix.row(at)[static_cast<std::size_t>(column)]);
  grown.booster = train_booster(narrow, settings, patience.may_go_on, patience.context);
  grown.forest = Forest(grown.booster, grown.used);
  return grown;
}

std::optional<Refusal> lacks_a_class(const Rows& rows, const char* what) {
  const auto left = static_cast<std::size_t>(std::count(rows.matrix.labels.begin(), rows.matrix.labels.end(), 1));
  const std::size_t stayed = rows.matrix.rows() - left;
  if (std::min(left, stayed) >= kOfAClassMin) return std::nullopt;
  return Refusal{fmt::format("of the {} customers {}, {} left and {} stayed: at least {} of each are needed",
                             rows.matrix.rows(), what, left, stayed, kOfAClassMin)};
}

std::vector<double> margins_of(const Forest& forest, const Matrix& matrix) {
  std::vector<double> margins(matrix.rows());
  for (std::size_t at = 0; at < margins.size(); ++at) margins[at] = static_cast<double>(forest.margin(matrix.row(at)));
  return margins;
}

// Margins of rows by a model that has not seen their customer: what a calibration may learn from. Half of the customers
// teach, the other half is asked, and the other way round.
std::vector<double> unseen_margins(const Rows& rows, const BoosterSettings& settings, const Patience& patience) {
  std::vector<double> margins(rows.matrix.rows());
  for (const bool is_odd : {false, true}) {
    Matrix teaching;
    teaching.columns = rows.matrix.columns;
    for (std::size_t at = 0; at < rows.matrix.rows(); ++at) {
      if ((lot_of(rows.examples[at]->customer) & 1) == is_odd) continue;
      const auto row = rows.matrix.row(at);
      teaching.values.insert(teaching.values.end(), row.begin(), row.end());
      teaching.labels.push_back(rows.matrix.labels[at]);
    }
    BoosterSettings half = settings;
    half.min_child_weight = settings.min_child_weight / 2;
    const Forest forest = grow(teaching, half, patience).forest;
    for (std::size_t at = 0; at < rows.matrix.rows(); ++at)
      if ((lot_of(rows.examples[at]->customer) & 1) == is_odd)
        margins[at] = static_cast<double>(forest.margin(rows.matrix.row(at)));
  }
  return margins;
}

Calibration fit(CalibrationKind kind, std::span<const double> margins, std::span<const char> labels) {
  if (kind == CalibrationKind::kPlatt) return fit_platt(margins, labels);
  if (kind == CalibrationKind::kIsotonic) return fit_isotonic(margins, labels);
  return {};
}

std::vector<double> probabilities_of(const Calibration& calibration, std::span<const double> margins) {
  std::vector<double> found(margins.size());
  std::transform(margins.begin(), margins.end(), found.begin(),
                 [&](double margin) { return calibration.probability(margin); });
  return found;
}

// Weeks since the last transaction alone, with the share that left at each in the rows it learns from.
class RecencyRule {
 public:
  explicit RecencyRule(const Rows& rows) {
    for (std::size_t at = 0; at < rows.examples.size(); ++at) {
      auto& [left, all] = seen_[recency(*rows.examples[at])];
      left += rows.matrix.labels[at] != 0;
      all += 1;
      share_ += rows.matrix.labels[at] != 0;
    }
    share_ /= static_cast<double>(std::max<std::size_t>(rows.examples.size(), 1));
  }
  double share() const noexcept { return share_; }
  double probability(const Example& example) const {
    const auto found = seen_.find(recency(example));
    return found == seen_.end() ? share_ : (found->second.first + share_) / (found->second.second + 1);
  }
  static int recency(const Example& example) noexcept { return gaps_of(example.view.weeks[gold::kTx]).recency; }

 private:
  std::map<int, std::pair<double, double>> seen_;
  double share_ = 0;
};

Judged judge_at(const std::vector<Snapshot>& snapshots, Week at, const Rows& rows, const Forest& forest,
                const Calibration& calibration, const RecencyRule& rule) {
  Judged found;
  found.at = at_week(snapshots, at).at;
  const auto probabilities = probabilities_of(calibration, margins_of(forest, rows.matrix));
  found.model = metrics_of(probabilities, rows.matrix.labels);
  found.curve = calibration_curve(probabilities, rows.matrix.labels);
  std::vector<double> by_rule, by_week;
  for (const Example* example : rows.examples) {
    by_rule.push_back(rule.probability(*example));
    by_week.push_back(RecencyRule::recency(*example));
  }
  found.recency_rule = metrics_of(by_rule, rows.matrix.labels);
  found.recency_rule.roc_auc = roc_auc(by_week, rows.matrix.labels);
  found.majority = metrics_of(std::vector<double>(rows.examples.size(), rule.share()), rows.matrix.labels);
  return found;
}

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

Json json_of(const Calibration& calibration) {
  Json json{{"kind", name_of(calibration.kind)}};
  if (calibration.kind == CalibrationKind::kPlatt) json["slope"] = calibration.slope, json["shift"] = calibration.shift;
  if (calibration.kind == CalibrationKind::kIsotonic)
    json["margins"] = calibration.margins, json["probabilities"] = calibration.probabilities;
  return json;
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

}  // namespace

std::vector<Week> TrainingPlan::all() const {
  std::vector<Week> weeks = last;
  weeks.insert(weeks.end(), early.begin(), early.end());
  weeks.insert(weeks.end(), judged.begin(), judged.end());
  std::sort(weeks.begin(), weeks.end(), std::greater<>());
  weeks.erase(std::unique(weeks.begin(), weeks.end()), weeks.end());
  return weeks;
}

std::variant<TrainingPlan, Refusal> plan_training(const TrainingSettings& settings, Week running, Week first) {
  const int horizon = settings.scope.horizon_weeks, features = settings.scope.feature_weeks, step = settings.step_weeks;
  const int history = running - first, least = std::min(features, horizon);
  auto weeks_from = [&](Week newest, int count) {
    std::vector<Week> weeks;
    for (int at = 0; at < count; ++at) weeks.push_back(newest - at * step);
    return weeks;
  };
  auto fits = [&](int reach) { return reach + features <= kBitsUsable && history >= reach + least; };
  TrainingPlan plan;
  plan.scope = settings.scope;
  const Week newest = running - horizon;
  for (int judged = std::min(2, settings.snapshots); judged >= 1; --judged)
    for (int count = settings.snapshots; count >= 1; --count) {
      const int reach = 2 * horizon + (judged - 1 + count - 1) * step;
      if (!fits(reach) || (judged > 1 && count < settings.snapshots)) continue;
      plan.last = weeks_from(newest, settings.snapshots);
      plan.judged = weeks_from(newest, judged);
      plan.early = weeks_from(newest - (judged - 1) * step - horizon, count);
      while (plan.last.size() > 1 && plan.last.back() < plan.early.back()) plan.last.pop_back();
      plan.scope.view_weeks = std::min(kBitsUsable - reach, history - reach >= features ? kBitsUsable : features);
      plan.scope.view_weeks = std::max(plan.scope.view_weeks, features);
      return plan;
    }
  for (int count = settings.snapshots; count >= 1; --count) {
    const int reach = horizon + (count - 1) * step;
    if (!fits(reach)) continue;
    plan.is_by_time = false;
    plan.last = plan.early = weeks_from(newest, count);
    plan.judged = {newest};
    plan.scope.view_weeks = std::max(features, kBitsUsable - reach);
    return plan;
  }
  if (horizon + features > kBitsUsable)
    return Refusal{fmt::format("{} feature weeks and a horizon of {} are more than the {} weeks kept", features,
                               horizon, kBitsUsable)};
  return Refusal{
      fmt::format("history is too short for labels: {} whole weeks of transactions are here, {} are needed ({} to "
                  "learn from and {} to see who left)",
                  std::max(history, 0), horizon + least, least, horizon)};
}

std::variant<Trained, Refusal> train_churn(const TrainingPlan& plan, const TrainingSettings& settings,
                                           const std::vector<Snapshot>& snapshots, const DataRange& range,
                                           Patience patience) {
  const Keep teaches =
      plan.is_by_time ? kEverybody : [](std::uint32_t customer) { return lot_of(customer) / 3 % 3 != 0; };
  const Keep judges =
      plan.is_by_time ? kEverybody : [](std::uint32_t customer) { return lot_of(customer) / 3 % 3 == 0; };
  const Rows early = rows_of(snapshots, plan.early, plan.scope, settings.rows_max, teaches);
  const Rows last = rows_of(snapshots, plan.last, plan.scope, settings.rows_max, kEverybody);
  if (auto lacking = lacks_a_class(early, "to learn from")) return *lacking;
  if (auto lacking = lacks_a_class(last, "of the latest weeks")) return *lacking;
  std::vector<Rows> judged;
  for (const Week week : plan.judged)
    judged.push_back(rows_of(snapshots, {week}, plan.scope, settings.rows_max, judges));
  if (auto lacking = lacks_a_class(judged.front(), "to be judged on")) return *lacking;

  const Forest first = grow(early.matrix, settings.booster, patience).forest;
  const auto early_margins = unseen_margins(early, settings.booster, patience);
  // The kind of calibration that does best on the judged weeks; the weeks themselves teach it nothing, so a season
  // that has passed is not carried on.
  Calibration chosen;
  double least = 0;
  for (const auto kind : {CalibrationKind::kNone, CalibrationKind::kPlatt, CalibrationKind::kIsotonic}) {
    const Calibration candidate = fit(kind, early_margins, early.matrix.labels);
    double loss = 0;
    for (const Rows& rows : judged)
      loss += log_loss(probabilities_of(candidate, margins_of(first, rows.matrix)), rows.matrix.labels);
    if (kind == CalibrationKind::kNone) least = loss;
    if (loss >= least - kGainMin * static_cast<double>(judged.size())) continue;
    least = loss;
    chosen = candidate;
  }
  Trained trained;
  const RecencyRule rule(early);
  for (std::size_t at = 0; at < judged.size(); ++at)
    trained.judged.push_back(judge_at(snapshots, plan.judged[at], judged[at], first, chosen, rule));

  const Grown grown = grow(last.matrix, settings.booster, patience);
  const Calibration calibration =
      chosen.kind == CalibrationKind::kNone
          ? chosen
          : fit(chosen.kind, unseen_margins(last, settings.booster, patience), last.matrix.labels);

  Json document{{"kind", "churn"}, {"format", 1}, {"method", "xgboost"}};
  document["scope"] = {{"features", plan.scope.is_full ? "full" : "bits"},
                       {"feature_weeks", plan.scope.feature_weeks},
                       {"horizon_weeks", plan.scope.horizon_weeks},
                       {"view_weeks", plan.scope.view_weeks}};
  document["settings"] = {{"trees", settings.booster.trees},
                          {"depth", settings.booster.depth},
                          {"learning_rate", settings.booster.learning_rate},
                          {"min_child_weight", settings.booster.min_child_weight},
                          {"row_share", settings.booster.row_share},
                          {"column_share", settings.booster.column_share},
                          {"lambda", settings.booster.lambda},
                          {"seed", settings.booster.seed},
                          {"snapshots", settings.snapshots},
                          {"step_weeks", settings.step_weeks},
                          {"rows_max", settings.rows_max}};
  document["data"] = {{"through_seq", range.through_seq},
                      {"running_week", range.running},
                      {"first_week", range.first},
                      {"customers", range.customers},
                      {"late_share", range.late_share},
                      {"weeks", plan.last},
                      {"rows", last.matrix.rows()},
                      {"left", std::count(last.matrix.labels.begin(), last.matrix.labels.end(), 1)}};
  Json by_week = Json::array();
  for (const auto& one : trained.judged) by_week.push_back(json_of(one));
  document["validation"] = {
      {"by", plan.is_by_time ? "time" : "customers"}, {"trained_on", plan.early}, {"judged", by_week}};
  document["calibration"] = json_of(calibration);
  document["reference"] = reference_of(last, probabilities_of(calibration, margins_of(grown.forest, last.matrix)));
  Json names = Json::array();
  for (const auto& column : feature_columns(plan.scope)) names.push_back(column.name);
  document["features"] = names;
  document["used"] = grown.used;
  document["booster"] = grown.booster;
  trained.sealed = seal(document.dump());
  return trained;
}

Metrics judge(const ChurnModel& model, const Snapshot& snapshot) {
  std::vector<double> probabilities;
  std::vector<char> labels;
  for (const Example& example : snapshot.examples) {
    probabilities.push_back(model.probability(example.view));
    labels.push_back(example.has_left);
  }
  return metrics_of(probabilities, labels);
}

}  // namespace tellerd::model
