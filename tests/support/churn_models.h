// Two small churn models that score anybody, trained once a run: material for the engine's tests.
#pragma once
#include <array>
#include <optional>
#include <string>

#include "support/shoppers.h"

namespace tellerd::tests {

inline std::string train_small_model(std::uint32_t seed, int horizon_weeks = 12) {
  constexpr core::Week kFirst = 2800, kRunning = 2860;
  model::TrainingSettings settings;
  settings.scope = {12, horizon_weeks, 12, true};
  settings.booster.trees = 20;
  settings.booster.depth = 3;
  settings.booster.learning_rate = 0.2;
  settings.booster.min_child_weight = 5;
  settings.booster.seed = seed;
  const auto plan = std::get<model::TrainingPlan>(model::plan_training(settings, kRunning, kFirst));
  const auto all = shoppers(500, kFirst, kRunning);
  return std::get<model::Trained>(model::train_churn(plan, settings, snapshots_of(all, plan, kRunning),
                                                     {seed, kRunning, kFirst, all.size(), 0}))
      .sealed;
}

// `which` is 0 or 1.
inline const std::string& small_model(std::size_t which) {
  static std::array<std::optional<std::string>, 2> kept;
  if (!kept[which]) kept[which] = train_small_model(static_cast<std::uint32_t>(which) + 1);
  return *kept[which];
}

inline std::string id_of(const std::string& sealed) { return sealed.substr(0, 12); }

}  // namespace tellerd::tests
