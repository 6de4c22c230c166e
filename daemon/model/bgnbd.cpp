#include "model/bgnbd.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "model/churn_features.h"
#include "model/steady_math.h"

namespace tellerd::model {
namespace {

constexpr double kReach = 9;  // of the logarithms: a parameter beyond e^9 or under e^-9 means that habits tell nothing
constexpr int kRoundsMax = 2000;
constexpr double kSpreadMin = 1e-9;  // of the mean log likelihood over the simplex

using Point = std::array<double, 4>;  // logarithms of r, alpha, a, b
struct Corner {
  Point at{};
  double loss = 0;
};

Bgnbd at(const Point& point) {
  return {std::exp(point[0]), std::exp(point[1]), std::exp(point[2]), std::exp(point[3])};
}

double beta_log(double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); }

Point between(const Point& from, const Point& to, double part) {
  Point found{};
  for (std::size_t i = 0; i < found.size(); ++i) found[i] = from[i] + part * (to[i] - from[i]);
  return found;
}

// Nelder and Mead's simplex.
template <class Loss>
Corner lowest(Point start, const Loss& loss) {
  std::vector<Corner> corners{{start, loss(start)}};
  for (std::size_t i = 0; i < start.size(); ++i) {
    Point moved = start;
    moved[i] += 1;
    corners.push_back({moved, loss(moved)});
  }
  const auto by_loss = [](const Corner& x, const Corner& y) { return x.loss < y.loss; };
  for (int round = 0; round < kRoundsMax; ++round) {
    std::sort(corners.begin(), corners.end(), by_loss);
    if (corners.back().loss - corners.front().loss < kSpreadMin) break;
    Point middle{};
    for (std::size_t one = 0; one + 1 < corners.size(); ++one)
      for (std::size_t i = 0; i < middle.size(); ++i)
        middle[i] += corners[one].at[i] / static_cast<double>(middle.size());
    Corner& worst = corners.back();
    const auto tried = [&](double part) {
      const Point point = between(middle, worst.at, part);
      return Corner{point, loss(point)};
    };
    const Corner mirrored = tried(-1);
    if (mirrored.loss < corners.front().loss) {
      const Corner further = tried(-2);
      worst = further.loss < mirrored.loss ? further : mirrored;
    } else if (mirrored.loss < corners[corners.size() - 2].loss) {
      worst = mirrored;
    } else if (const Corner nearer = tried(mirrored.loss < worst.loss ? -0.5 : 0.5);
               nearer.loss < std::min(mirrored.loss, worst.loss)) {
      worst = nearer;
    } else {
      for (std::size_t one = 1; one < corners.size(); ++one) {
        corners[one].at = between(corners.front().at, corners[one].at, 0.5);
        corners[one].loss = loss(corners[one].at);
      }
    }
  }
  return *std::min_element(corners.begin(), corners.end(), by_loss);
}

}  // namespace

Habit habit_of(const ChurnView& view) noexcept {
  const Gaps gaps = gaps_of(view.weeks[gold::kTx]);
  Habit habit;
  habit.repeats = std::max(gaps.visits - 1, 0);
  habit.latest = gaps.span;
  habit.age = std::max(gaps.recency, 0) + gaps.span;
  return habit;
}

double Bgnbd::alive(const Habit& habit) const noexcept {
  if (habit.repeats == 0) return 1;  // one can only stop at a visit after the first
  const double x = habit.repeats;
  const double odds = a / (b + x - 1) * steady_exp((r + x) * steady_log((alpha + habit.age) / (alpha + habit.latest)));
  return 1 / (1 + odds);
}

double Bgnbd::leaves(const Habit& habit, int weeks) const noexcept {
  const double none = steady_exp((r + habit.repeats) * steady_log((alpha + habit.age) / (alpha + habit.age + weeks)));
  return 1 - alive(habit) * (1 - none);
}

double Bgnbd::log_likelihood(const Habit& habit) const noexcept {
  const double x = habit.repeats;
  const double common = std::lgamma(r + x) - std::lgamma(r) + r * std::log(alpha) + beta_log(a, b + x) - beta_log(a, b);
  const double lives = -(r + x) * std::log(alpha + habit.age);
  if (habit.repeats == 0) return common + lives;
  const double stopped = std::log(a / (b + x - 1)) - (r + x) * std::log(alpha + habit.latest);
  const double greater = std::max(lives, stopped);
  return common + greater + std::log(std::exp(lives - greater) + std::exp(stopped - greater));
}

std::optional<Bgnbd> fit_bgnbd(const std::vector<Habit>& habits) {
  std::map<std::tuple<int, double, double>, double> counts;  // few differ where history is short
  for (const Habit& habit : habits) counts[{habit.repeats, habit.latest, habit.age}] += 1;
  const auto loss = [&](const Point& point) {
    for (const double one : point)
      if (std::abs(one) > kReach) return std::numeric_limits<double>::max();
    const Bgnbd model = at(point);
    double sum = 0;
    for (const auto& [key, count] : counts)
      sum -= count * model.log_likelihood({std::get<0>(key), std::get<1>(key), std::get<2>(key)});
    return sum / static_cast<double>(habits.size());
  };
  if (std::none_of(habits.begin(), habits.end(), [](const Habit& one) { return one.repeats > 0; })) return std::nullopt;
  const Corner found = lowest({std::log(0.5), std::log(4.0), 0, std::log(2.0)}, loss);
  const bool is_inside =
      std::all_of(found.at.begin(), found.at.end(), [](double one) { return std::abs(one) < kReach - 0.1; });
  if (!is_inside || !std::isfinite(found.loss)) return std::nullopt;
  return at(found.at);
}

}  // namespace tellerd::model
