// The small formulas of a choice, each alone.
#include <algorithm>
#include <cstring>

#include "core/checksum.h"
#include "decide/choice.h"
#include "model/steady_math.h"

namespace tellerd::decide {

std::vector<std::string> choice_columns() {
  std::vector<std::string> columns(kExpressionColumns.begin(), kExpressionColumns.begin() + kNumbers);
  columns.insert(columns.end(), kChoiceNumberNames.begin(), kChoiceNumberNames.end());
  columns.insert(columns.end(), kChoiceTextNames.begin(), kChoiceTextNames.end());
  return columns;
}

bool is_reached(const Action& action, Reach reach, std::string_view name) {
  switch (reach) {
    case Reach::kAll:
      return true;
    case Reach::kIssue:
      return action.issue == name;
    case Reach::kGroup:
      return action.group == name;
    case Reach::kAction:
      return action.name == name;
  }
  return false;
}

// Values by their logarithm, so that roubles and counts are of one size, and beside it whether there is any.
std::vector<model::Feature> features_of(const ChoiceNumbers& numbers, int combined, int churn_state) {
  constexpr double kScale = 0.25;
  constexpr std::size_t kSegments = 16, kChurnStates = 8;
  std::vector<model::Feature> features{{0, 1}};
  const auto add = [&](std::size_t at, double value) { features.push_back({static_cast<std::uint16_t>(at), value}); };
  for (std::size_t at = 0; at < numbers.size(); ++at) {
    if (numbers[at] == 0) continue;
    const double size = model::steady_log(1.0 + static_cast<double>(numbers[at] < 0 ? -numbers[at] : numbers[at]));
    add(1 + 2 * at, (numbers[at] < 0 ? -size : size) * kScale);
    add(2 + 2 * at, 1);
  }
  const std::size_t segments = 1 + 2 * kChoiceNumbers;
  if (combined >= 0) add(segments + static_cast<std::size_t>(combined) % kSegments, 1);
  add(segments + kSegments + static_cast<std::size_t>(churn_state) % kChurnStates, 1);
  return features;
}

Arm arm_of(std::uint64_t customer, std::int32_t month, std::string_view salt, int random_percent,
           int holdout_percent) noexcept {
  char what[12];
  std::memcpy(what, &customer, 8);
  std::memcpy(what + 8, &month, 4);
  const auto drawn = static_cast<int>(core::hash64({what, sizeof what}, core::hash64(salt)) % 100);
  if (drawn < random_percent) return Arm::kRandom;
  return drawn < random_percent + holdout_percent ? Arm::kHoldout : Arm::kRule;
}

double fatigue(int unanswered, double days_since_last) noexcept {
  constexpr double kEach = 0.35, kDays = 14;
  if (unanswered <= 0) return 1;
  return 1 - (1 - model::steady_exp(-kEach * unanswered)) * model::steady_exp(-days_since_last / kDays);
}

}  // namespace tellerd::decide
