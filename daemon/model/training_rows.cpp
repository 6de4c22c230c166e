#include "model/training_rows.h"

#include <algorithm>
#include <iterator>

#include "core/assert.h"
#include "core/checksum.h"
#include "model/churn_features.h"

namespace tellerd::model {

std::uint64_t lot_of(std::uint32_t customer) noexcept {
  return core::hash64({reinterpret_cast<const char*>(&customer), sizeof customer}, 0x6368'75726eu);
}

bool everybody(std::uint32_t) noexcept { return true; }

const Snapshot& at_week(const std::vector<Snapshot>& snapshots, Week at) {
  const auto found =
      std::find_if(snapshots.begin(), snapshots.end(), [&](const Snapshot& one) { return one.at == at; });
  TELLERD_ASSERT(found != snapshots.end());
  return *found;
}

Rows rows_of(const std::vector<Snapshot>& snapshots, const std::vector<Week>& weeks, const ChurnScope& scope,
             std::size_t rows_max, const Keep& keep) {
  std::size_t wanted = 0;
  for (const Week week : weeks)
    for (const Example& example : at_week(snapshots, week).examples) wanted += keep(example.customer);
  const double share = wanted <= rows_max ? 1 : static_cast<double>(rows_max) / static_cast<double>(wanted);
  const auto below = static_cast<std::uint64_t>(share * 0x1p32);
  Rows rows;
  rows.matrix.columns = feature_count(scope);
  for (const Week week : weeks)
    for (const Example& example : at_week(snapshots, week).examples) {
      if (!keep(example.customer) || (share < 1 && (lot_of(example.customer) >> 32) >= below)) continue;
      const std::size_t at = rows.matrix.values.size();
      rows.matrix.values.resize(at + rows.matrix.columns);
      fill_features(masked(example.view, scope.view_weeks), scope,
                    {rows.matrix.values.data() + at, rows.matrix.columns});
      rows.matrix.labels.push_back(example.has_left);
      rows.examples.push_back(&example);
    }
  return rows;
}

namespace {

// Columns that differ between rows: one that never does teaches nothing and costs as much as any other.
std::vector<int> varying_columns(const Matrix& matrix) {
  std::vector<int> found;
  for (std::size_t column = 0; column < matrix.columns; ++column) {
    bool varies = false;
    for (std::size_t at = 1; at < matrix.rows() && !varies; ++at)
      varies = matrix.row(at)[column] != matrix.row(0)[column];
    if (varies) found.push_back(static_cast<int>(column));
  }
  return found;
}

}  // namespace

Grown grow(const Matrix& matrix, const BoosterSettings& settings, const Patience& patience) {
  Grown grown;
  grown.used = varying_columns(matrix);
  Matrix narrow;
  narrow.columns = grown.used.size();
  narrow.labels = matrix.labels;
  narrow.values.reserve(matrix.rows() * narrow.columns);
  for (std::size_t at = 0; at < matrix.rows(); ++at)
    for (const int column : grown.used) narrow.values.push_back(matrix.row(at)[static_cast<std::size_t>(column)]);
  grown.booster = train_booster(narrow, settings, patience.may_go_on, patience.context);
  grown.forest = Forest(grown.booster, grown.used);
  return grown;
}

std::vector<double> margins_of(const Forest& forest, const Matrix& matrix) {
  std::vector<double> margins(matrix.rows());
  for (std::size_t at = 0; at < margins.size(); ++at) margins[at] = static_cast<double>(forest.margin(matrix.row(at)));
  return margins;
}

std::vector<double> unseen_margins(const Rows& rows, const BoosterSettings& settings, const Patience& patience) {
  std::vector<double> margins(rows.matrix.rows());
  for (const bool is_odd : {false, true}) {
    Matrix teaching;
    teaching.columns = rows.matrix.columns;
    for (std::size_t at = 0; at < rows.matrix.rows(); ++at) {
      if ((lot_of(rows.examples[at]->customer) & 1) == is_odd) continue;
      const auto row = rows.matrix.row(at);
      teaching.values.insert(teaching.values.end(), row.begin(), row.end());
      teaching.labels.push_back(rows.matrix.labels[at]);
    }
    BoosterSettings half = settings;
    half.min_child_weight = settings.min_child_weight / 2;
    const Forest forest = grow(teaching, half, patience).forest;
    for (std::size_t at = 0; at < rows.matrix.rows(); ++at)
      if ((lot_of(rows.examples[at]->customer) & 1) == is_odd)
        margins[at] = static_cast<double>(forest.margin(rows.matrix.row(at)));
  }
  return margins;
}

}  // namespace tellerd::model
