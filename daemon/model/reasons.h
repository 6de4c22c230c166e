// Why a customer may leave, from the model's own contributions for that customer: up to four codes with figures, the
// heaviest first. Stored as "CH-09:5,3 CH-06:4,1"; the words are the pack's (texts.*.toml). Pure.
#pragma once
#include <array>
#include <string>

#include "model/churn_features.h"
#include "model/churn_model.h"

namespace tellerd::model {

// Sums of the features' contributions by what they speak of, in log odds; by Theme.
std::array<double, kThemes> contributions_by_theme(const ChurnModel& model, const ChurnView& view);
std::string reasons_of(const ChurnModel& model, const ChurnView& view);

}  // namespace tellerd::model
