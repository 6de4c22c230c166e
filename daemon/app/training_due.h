// Whether a churn model should be trained without being asked. Read from what is derived; writes nothing.
#pragma once
#include <filesystem>
#include <string>

#include "core/time.h"

namespace tellerd::app {

struct TrainingDue {
  core::Week running = 0;
  std::string cause;  // "schedule" or "drift"; empty: nothing is due
};

// By schedule: retrain_weeks of the active pack since the newest recorded model, or none is recorded yet. By drift: the
// watch has raised an alarm about the model that scores, in a later week than the newest model was recorded in.
// A store without a pack or a fact is never due. Errors: core::Fault from the store.
TrainingDue training_due(const std::filesystem::path& database);

}  // namespace tellerd::app
