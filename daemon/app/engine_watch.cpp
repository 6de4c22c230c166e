// The watch over the churn models: when a week has begun and everybody has been scored, what was predicted is written
// down for a sample of customers, the scores' population is compared with the one the model learnt from, and forecasts
// whose horizon has passed are held against what happened. All of it follows from the log; the sample is by lot.
#include <fmt/core.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "app/engine.h"
#include "app/engine_churn_rows.h"
#include "core/checksum.h"
#include "core/log.h"
#include "model/churn_features.h"
#include "model/watch.h"

namespace tellerd::app {
namespace {

constexpr double kForecastsMax = 20'000, kViewsMax = 4'096;  // of a week; more customers tell hardly more

// Nested: whoever is among the few is among the many.
bool is_drawn(CustomerId id, double wanted, std::size_t customers) noexcept {
  const std::uint64_t lot = core::hash64({reinterpret_cast<const char*>(&id), sizeof id}, 0x7761'7463u);
  return static_cast<double>(lot) * 0x1p-64 * static_cast<double>(customers) < wanted;
}

std::string curve_of(const std::vector<model::CalibrationBin>& bins) {
  nlohmann::ordered_json curve = nlohmann::ordered_json::array();
  for (const auto& bin : bins)
    curve.push_back({{"rows", bin.rows}, {"predicted", bin.predicted}, {"observed", bin.observed}});
  return curve.dump();
}

}  // namespace

// A score may be left from before a join, or from before payments were taken back while a load is under way.
void Engine::forecast(CustomerId id) {
  const gold::Customer& customer = customers_[id];
  if (customer.is_absorbed || customer.last_tx_week == gold::kNoWeek) return;
  if (!churn_model_ || customer.churn_ppm < 0 || !is_drawn(id, kForecastsMax, identities_->count())) return;
  churn_rows_->put_forecast
      .bind_all(std::int64_t{watch_week_}, std::int64_t{id}, std::string_view(churn_model_->id()),
                std::int64_t{churn_model_->scope().horizon_weeks}, std::int64_t{customer.churn_ppm},
                std::int64_t{week_ - customer.last_tx_week})
      .run();
}

void Engine::finish_watch() {
  if (churn_model_) watch_drift();
  judge_forecasts();
  watch_week_ = 0;
}

void Engine::watch_drift() {
  std::vector<model::ChurnView> views;
  for (CustomerId id = 1; id <= identities_->count(); ++id)
    if (customers_[id].churn_ppm >= 0 && is_drawn(id, kViewsMax, identities_->count())) views.push_back(churn_view(id));
  if (views.empty()) return;
  const model::Drift drift = model::drift_of(*churn_model_, views);
  const std::string alarms = model::alarms_of(drift, views.size());
  const auto& [feature, most] = drift.features.empty() ? std::pair<std::string, double>() : drift.features.front();
  churn_rows_->put_watch
      .bind_all(std::int64_t{watch_week_}, now_us_, std::string_view(churn_model_->id()),
                static_cast<std::int64_t>(views.size()), drift.score, most, std::string_view(feature),
                std::string_view(alarms))
      .run();
  churn_rows_->drop_features.run();
  for (const auto& [name, index] : drift.features)
    churn_rows_->put_feature.bind_all(std::int64_t{watch_week_}, std::string_view(name), index).run();
  if (!alarms.empty())
    core::log(
        core::Level::kWarning, "model",
        fmt::format("the scores of {} are no longer those of the customers it learnt from: stability index {:.2f}",
                    churn_model_->id(), drift.score));
}

// Customers that an alias has joined since are left out: their forecasts were of a part.
void Engine::judge_forecasts() {
  struct Due {
    Week week;
    std::string model;
    int horizon_weeks;
  };
  std::vector<Due> due;
  auto& find = churn_rows_->forecasts_due;
  find.bind(1, std::int64_t{week_});
  while (find.step())
    due.push_back({static_cast<Week>(find.integer(0)), std::string(find.text(1)), static_cast<int>(find.integer(2))});
  find.reset();
  for (const Due& one : due) {
    if (week_ - one.week >= core::limits::kWeekBits) continue;  // a long sleep: the bits no longer reach back
    std::vector<double> probabilities, recency;
    std::vector<char> left;
    double sum = 0;
    auto& rows = churn_rows_->forecasts_of;
    rows.bind_all(std::int64_t{one.week}, std::string_view(one.model), std::int64_t{one.horizon_weeks});
    while (rows.step()) {
      const gold::Customer& customer = customers_[static_cast<CustomerId>(rows.integer(0))];
      if (customer.is_absorbed || customer.week == gold::kNoWeek) continue;
      probabilities.push_back(static_cast<double>(rows.integer(1)) / 1e6);
      recency.push_back(static_cast<double>(rows.integer(2)));
      left.push_back(model::has_left(customer, one.week, one.horizon_weeks));
      sum += probabilities.back();
    }
    rows.reset();
    if (left.empty()) continue;
    const auto found = model::metrics_of(probabilities, left);
    const double mean = sum / static_cast<double>(left.size());
    const double share = static_cast<double>(found.positives) / static_cast<double>(found.rows);
    const std::string alarms = model::alarms_of(found, mean),
                      curve = curve_of(model::calibration_curve(probabilities, left));
    churn_rows_->put_realised
        .bind_all(std::int64_t{one.week}, std::string_view(one.model), std::int64_t{week_}, now_us_,
                  std::int64_t{one.horizon_weeks}, static_cast<std::int64_t>(found.rows),
                  static_cast<std::int64_t>(found.positives), mean, found.roc_auc, found.pr_auc, found.lift_10,
                  found.log_loss, model::roc_auc(recency, left),
                  model::log_loss(std::vector<double>(left.size(), share), left), std::string_view(curve),
                  std::string_view(alarms))
        .run();
    if (!alarms.empty())
      core::log(core::Level::kWarning, "model",
                fmt::format("{} predicted {:.3f} for week {}, {:.3f} came true, ROC-AUC {:.3f}: {}", one.model, mean,
                            one.week, share, found.roc_auc, alarms));
  }
  churn_rows_->drop_forecasts.bind(1, std::int64_t{week_}).run();
}

}  // namespace tellerd::app
