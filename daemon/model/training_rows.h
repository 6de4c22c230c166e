// What a fit looks at: rows made of examples, the trees grown on them, and margins for customers that they have not
// seen. Inner to the training; the door is churn_training.h.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "model/booster.h"
#include "model/churn_training.h"
#include "model/forest.h"

namespace tellerd::model {

// Which part of all customers: the same for every T, whatever the order of rows.
std::uint64_t lot_of(std::uint32_t customer) noexcept;
using Keep = std::function<bool(std::uint32_t customer)>;
bool everybody(std::uint32_t customer) noexcept;

const Snapshot& at_week(const std::vector<Snapshot>& snapshots, Week at);

struct Rows {
  Matrix matrix;
  std::vector<const Example*> examples;
};
// Of the customers to keep, as `scope` sees them; beyond rows_max a share of them, chosen by lot.
Rows rows_of(const std::vector<Snapshot>& snapshots, const std::vector<Week>& weeks, const ChurnScope& scope,
             std::size_t rows_max, const Keep& keep);

struct Grown {
  std::vector<int> used;
  std::string booster;
  Forest forest;
};
Grown grow(const Matrix& matrix, const BoosterSettings& settings, const Patience& patience);
std::vector<double> margins_of(const Forest& forest, const Matrix& matrix);

// Margins of rows by a model that has not seen their customer: what a calibration may learn from. Half of the customers
// teach, the other half is asked, and the other way round.
std::vector<double> unseen_margins(const Rows& rows, const BoosterSettings& settings, const Patience& patience);

}  // namespace tellerd::model
