// What a churn model learns from, read from teller.db: the state of customers now, rewound by what came later.
// Threads: the trainer's; a reader of its own, in one read transaction. Beside a writer it would hold the log of the
// database meanwhile: the trainer gives it a copy.
#pragma once
#include <filesystem>
#include <variant>
#include <vector>

#include "decide/pack.h"
#include "model/churn_training.h"

namespace tellerd::app {

model::TrainingSettings training_settings(const decide::Pack& pack);

struct TrainingData {
  model::TrainingSettings settings;
  model::TrainingPlan plan;
  std::vector<model::Snapshot> snapshots;
  model::DataRange range;
  std::string champion;       // sealed; "" when no model scores
  bool is_activated = false;  // the pack lets a better model take over
};

std::variant<TrainingData, model::Refusal> read_training_data(const std::filesystem::path& database);

}  // namespace tellerd::app
