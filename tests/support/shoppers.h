// A population with known habits for the churn tests: some buy every few weeks, some stop for good. Deterministic.
#pragma once
#include <random>
#include <vector>

#include "gold/customer.h"
#include "model/churn_training.h"

namespace tellerd::tests {

struct Shopper {
  std::vector<core::Week> weeks;  // of purchases, ascending
};

inline std::vector<Shopper> shoppers(std::size_t count, core::Week first, core::Week last, std::uint32_t seed = 7) {
  std::mt19937 chance(seed);
  auto draw = [&] { return static_cast<double>(chance()) / 4294967296.0; };
  std::vector<Shopper> all(count);
  for (Shopper& shopper : all) {
    const double rate = 0.08 + 0.7 * draw();
    const core::Week from = first + static_cast<core::Week>(8 * draw());
    const core::Week until =
        draw() < 0.5 ? last : from + static_cast<core::Week>(static_cast<double>(last - from) * draw());
    for (core::Week week = from; week <= until; ++week)
      if (week == from || draw() < rate) shopper.weeks.push_back(week);
  }
  return all;
}

inline gold::Customer as_customer(const Shopper& shopper, core::Week running) {
  gold::Customer customer;
  gold::advance(customer, running);
  for (const core::Week week : shopper.weeks) {
    gold::Measure measure;
    measure.kind = wire::Kind::kTransaction;
    measure.week = week;
    measure.counts = true;
    measure.amount_minor = 1000;
    if (week <= running) gold::add(customer, measure, {});
  }
  return customer;
}

inline std::vector<model::Snapshot> snapshots_of(const std::vector<Shopper>& all, const model::TrainingPlan& plan,
                                                 core::Week running) {
  std::vector<model::Snapshot> snapshots;
  for (const core::Week at : plan.all()) {
    model::Snapshot snapshot{at, {}};
    std::uint32_t id = 0;
    for (const Shopper& shopper : all) {
      ++id;
      model::Later later;
      for (const core::Week week : shopper.weeks)
        if (week >= at && week <= running) ++later.count, later.minor += 1000;
      const auto customer = as_customer(shopper, running);
      const auto view = model::view_of(customer, at, later, {}, plan.scope_at(at), false);
      if (view.is_in_population)
        snapshot.examples.push_back({id, view, model::has_left(customer, at, plan.scope.horizon_weeks)});
    }
    snapshots.push_back(std::move(snapshot));
  }
  return snapshots;
}

}  // namespace tellerd::tests
