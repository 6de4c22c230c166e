// BG/NBD (Fader, Hardie, Lee 2005): who comes how often, and who will come no more, from habits alone. It needs nobody
// to have left, so it scores where history is too short for labels. Time is in weeks; a week with transactions is one
// visit. Pure and deterministic.
#pragma once
#include <optional>
#include <vector>

#include "model/churn_view.h"

namespace tellerd::model {

struct Habit {
  int repeats = 0;    // visits after the first (x)
  double latest = 0;  // weeks from the first visit to the last (t_x)
  double age = 0;     // weeks from the first visit until now (T)
};
Habit habit_of(const ChurnView& view) noexcept;

struct Bgnbd {
  double r = 0, alpha = 0, a = 0, b = 0;
  double alive(const Habit& habit) const noexcept;
  // No visit in the next weeks: 1 - P(alive) (1 - ((alpha + T) / (alpha + T + weeks))^(r + x)).
  double leaves(const Habit& habit, int weeks) const noexcept;
  double log_likelihood(const Habit& habit) const noexcept;
};

// By the greatest likelihood; nothing where it has no maximum within reason.
std::optional<Bgnbd> fit_bgnbd(const std::vector<Habit>& habits);

}  // namespace tellerd::model
