#include "model/off_policy.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace tellerd::model {
namespace {

constexpr double kZ95 = 1.959963984540054;

std::vector<std::size_t> by_customer(std::span<const LoggedChoice> choices) {
  std::vector<std::size_t> order(choices.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return choices[a].customer < choices[b].customer; });
  return order;
}

// Standard error of (sum of residuals) / scale, where `residual` gives each choice's part.
template <class Residual>
double standard_error(std::span<const LoggedChoice> choices, const std::vector<std::size_t>& order, double scale,
                      Residual residual, std::size_t& customers) {
  double squares = 0, sum = 0;
  customers = 0;
  for (std::size_t at = 0; at < order.size(); ++at) {
    sum += residual(choices[order[at]]);
    const bool is_last = at + 1 == order.size() || choices[order[at + 1]].customer != choices[order[at]].customer;
    if (!is_last) continue;
    squares += sum * sum;
    sum = 0;
    ++customers;
  }
  if (customers < 2 || scale <= 0) return 0;
  const double correction = static_cast<double>(customers) / static_cast<double>(customers - 1);
  return std::sqrt(squares * correction) / scale;
}

Estimate around(double value, double error) { return {value, value - kZ95 * error, value + kZ95 * error}; }

}  // namespace

OffPolicy evaluate(std::span<const LoggedChoice> choices, double least) {
  OffPolicy result;
  result.choices = choices.size();
  if (choices.empty()) return result;
  const auto weight = [least](const LoggedChoice& one) {
    const double probability = std::max(one.probability, least);
    return probability > 0 ? one.target / probability : 0.0;
  };
  double weights = 0, squares = 0, earned = 0;
  for (const LoggedChoice& one : choices) {
    const double w = weight(one);
    weights += w;
    squares += w * w;
    earned += w * one.reward;
    result.clipped += one.probability < least;
  }
  const auto count = static_cast<double>(choices.size());
  const auto order = by_customer(choices);
  const double ips = earned / count, snips = weights > 0 ? earned / weights : 0;
  result.effective = squares > 0 ? weights * weights / squares : 0;
  result.ips =
      around(ips, standard_error(
                      choices, order, count, [&](const LoggedChoice& one) { return weight(one) * one.reward - ips; },
                      result.customers));
  result.snips =
      around(snips, standard_error(
                        choices, order, weights,
                        [&](const LoggedChoice& one) { return weight(one) * (one.reward - snips); }, result.customers));
  return result;
}

Estimate on_policy(std::span<const LoggedChoice> choices) {
  if (choices.empty()) return {};
  double sum = 0;
  for (const LoggedChoice& one : choices) sum += one.reward;
  const auto count = static_cast<double>(choices.size());
  const double mean = sum / count;
  std::size_t customers = 0;
  return around(mean, standard_error(
                          choices, by_customer(choices), count,
                          [&](const LoggedChoice& one) { return one.reward - mean; }, customers));
}

Estimate lift(std::span<const LoggedChoice> treated, std::span<const LoggedChoice> control) {
  const Estimate with = on_policy(treated), without = on_policy(control);
  const double error_with = (with.high - with.value) / kZ95, error_without = (without.high - without.value) / kZ95;
  return around(with.value - without.value, std::sqrt(error_with * error_with + error_without * error_without));
}

}  // namespace tellerd::model
