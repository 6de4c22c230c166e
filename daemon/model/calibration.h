// From a margin to a probability that means what it says: the sigmoid as it is, Platt's line before it, or an isotonic
// curve (pool adjacent violators, straight between the means of its steps). Pure; monotone, so ranking stays.
#pragma once
#include <span>
#include <string_view>
#include <vector>

namespace tellerd::model {

enum class CalibrationKind : unsigned char { kNone, kPlatt, kIsotonic };
std::string_view name_of(CalibrationKind kind) noexcept;

struct Calibration {
  CalibrationKind kind = CalibrationKind::kNone;
  double slope = 1, shift = 0;                 // Platt: sigmoid(slope * margin + shift)
  std::vector<double> margins, probabilities;  // isotonic: knots, ascending
  double probability(double margin) const noexcept;
};

double sigmoid(double margin) noexcept;
// Platt 1999 by Newton's method with his targets against overconfidence.
Calibration fit_platt(std::span<const double> margins, std::span<const char> labels);
Calibration fit_isotonic(std::span<const double> margins, std::span<const char> labels);

}  // namespace tellerd::model
