// A trained model written down: the document that churn_model.h reads, with its card. Inner to the training.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/calibration.h"
#include "model/training_rows.h"

namespace tellerd::model {

struct Card {
  std::string method;
  const ChurnScope& scope;
  const TrainingSettings& settings;
  const DataRange& range;
  const std::vector<Week>& weeks;  // learnt from
  const Rows& rows;                // of those weeks
  const std::vector<Week> early;   // of the judged model
  std::string validated_by;
  std::vector<double> probabilities;  // the finished model's, a row
};

// All but what the method itself has learnt.
nlohmann::ordered_json document_of(const Card& card, const std::vector<Judged>& judged);
nlohmann::ordered_json json_of(const Calibration& calibration);

}  // namespace tellerd::model
