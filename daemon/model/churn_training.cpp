#include "model/churn_training.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/assert.h"
#include "model/bgnbd.h"
#include "model/churn_document.h"
#include "model/churn_features.h"
#include "model/training_rows.h"

namespace tellerd::model {
namespace {

constexpr std::size_t kOfAClassMin = 30;  // fewer customers who left, or who stayed, teach nothing
constexpr double kGainMin = 0.001;        // of log loss, for a calibration to be worth its noise
constexpr int kBitsUsable = core::limits::kWeekBits - 1;
constexpr int kYoungWeeksMin = 4;  // whole weeks of history that BG/NBD needs at least

std::optional<Refusal> lacks_a_class(const Rows& rows, const char* what) {
  const auto left = static_cast<std::size_t>(std::count(rows.matrix.labels.begin(), rows.matrix.labels.end(), 1));
  const std::size_t stayed = rows.matrix.rows() - left;
  if (std::min(left, stayed) >= kOfAClassMin) return std::nullopt;
  return Refusal{fmt::format("of the {} customers {}, {} left and {} stayed: at least {} of each are needed",
                             rows.matrix.rows(), what, left, stayed, kOfAClassMin)};
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

}  // namespace

ChurnScope TrainingPlan::scope_at(Week week) const {
  ChurnScope widest = scope;
  widest.view_weeks = std::max(kBitsUsable - (running - week), scope.feature_weeks);
  return widest;
}

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
  // What the oldest of these T's sees, of the bits and of the history there is.
  const auto views = [&](const std::vector<Week>& weeks) {
    const int reach = running - weeks.back();
    return std::max(features, history - reach >= features ? kBitsUsable - reach : features);
  };
  TrainingPlan plan;
  plan.running = running;
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
      plan.scope.view_weeks = views(plan.last);
      plan.early_view_weeks = std::min(views(plan.early), plan.scope.view_weeks);
      return plan;
    }
  for (int count = settings.snapshots; count >= 1; --count) {
    const int reach = horizon + (count - 1) * step;
    if (!fits(reach)) continue;
    plan.is_by_time = false;
    plan.last = plan.early = weeks_from(newest, count);
    plan.judged = {newest};
    plan.scope.view_weeks = plan.early_view_weeks = std::max(features, kBitsUsable - reach);
    return plan;
  }
  if (horizon + features > kBitsUsable)
    return Refusal{fmt::format("{} feature weeks and a horizon of {} are more than the {} weeks kept", features,
                               horizon, kBitsUsable)};
  TrainingPlan young;  // for BG/NBD: what has happened is enough, nobody need have left
  young.scope = settings.scope;
  young.running = running;
  young.scope.view_weeks = kBitsUsable;
  young.last = {running};
  young.is_young = true;
  if (settings.scope.is_full && history >= kYoungWeeksMin && features <= kBitsUsable) return young;
  return Refusal{
      fmt::format("history is too short for labels: {} whole weeks of transactions are here, {} are needed ({} to "
                  "learn from and {} to see who left)",
                  std::max(history, 0), horizon + least, least, horizon)};
}

namespace {

// Without labels: how often and how lately each came tells who is likely to come no more.
std::variant<Trained, Refusal> train_young(const TrainingPlan& plan, const TrainingSettings& settings,
                                           const std::vector<Snapshot>& snapshots, const DataRange& range) {
  const Rows rows = rows_of(snapshots, plan.last, plan.scope, settings.rows_max, everybody);
  std::vector<Habit> habits;
  for (const Example* example : rows.examples) habits.push_back(habit_of(example->view));
  const auto again = static_cast<std::size_t>(
      std::count_if(habits.begin(), habits.end(), [](const Habit& one) { return one.repeats > 0; }));
  if (again < kOfAClassMin)
    return Refusal{
        fmt::format("history is too short for labels, and of {} customers {} came in more than one week: "
                    "at least {} are needed for BG/NBD",
                    habits.size(), again, kOfAClassMin)};
  const auto fitted = fit_bgnbd(habits);
  if (!fitted) return Refusal{"history is too short for labels, and BG/NBD finds no habits in it"};
  std::vector<double> probabilities;
  for (const Habit& habit : habits) probabilities.push_back(fitted->leaves(habit, plan.scope.horizon_weeks));
  const Card card{"bgnbd", plan.scope, settings, range, plan.last, rows, {}, "none", std::move(probabilities)};
  auto document = document_of(card, {});
  document["calibration"] = json_of(Calibration{});
  document["bgnbd"] = {{"r", fitted->r}, {"alpha", fitted->alpha}, {"a", fitted->a}, {"b", fitted->b}};
  return Trained{seal(document.dump()), {}};
}

}  // namespace

std::variant<Trained, Refusal> train_churn(const TrainingPlan& plan, const TrainingSettings& settings,
                                           const std::vector<Snapshot>& snapshots, const DataRange& range,
                                           Patience patience) {
  if (plan.is_young) return train_young(plan, settings, snapshots, range);
  const Keep teaches =
      plan.is_by_time ? everybody : [](std::uint32_t customer) { return lot_of(customer) / 3 % 3 != 0; };
  const Keep judges =
      plan.is_by_time ? everybody : [](std::uint32_t customer) { return lot_of(customer) / 3 % 3 == 0; };
  ChurnScope early_scope = plan.scope;
  early_scope.view_weeks = plan.early_view_weeks;
  const Rows early = rows_of(snapshots, plan.early, early_scope, settings.rows_max, teaches);
  const Rows last = rows_of(snapshots, plan.last, plan.scope, settings.rows_max, everybody);
  if (auto lacking = lacks_a_class(early, "to learn from")) return *lacking;
  if (auto lacking = lacks_a_class(last, "of the latest weeks")) return *lacking;
  std::vector<Rows> judged;
  for (const Week week : plan.judged)
    judged.push_back(rows_of(snapshots, {week}, early_scope, settings.rows_max, judges));
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

  const std::string by = plan.is_by_time ? "time" : "customers";
  const Card card{"xgboost",  plan.scope, settings,
                  range,      plan.last,  last,
                  plan.early, by,         probabilities_of(calibration, margins_of(grown.forest, last.matrix))};
  auto document = document_of(card, trained.judged);
  document["calibration"] = json_of(calibration);
  document["used"] = grown.used;
  document["booster"] = grown.booster;
  trained.sealed = seal(document.dump());
  return trained;
}

Metrics judge(const ChurnModel& model, const Snapshot& snapshot) {
  std::vector<double> probabilities;
  std::vector<char> labels;
  for (const Example& example : snapshot.examples) {
    probabilities.push_back(model.probability(masked(example.view, model.scope().view_weeks)));
    labels.push_back(example.has_left);
  }
  return metrics_of(probabilities, labels);
}

}  // namespace tellerd::model
