// The only file that sees XGBoost: training, and what the tests need to compare our own walk with the library's.
// One thread, exact about its seed: the same rows and settings give the same bytes. Errors: core::Fault.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tellerd::model {

struct Matrix {  // rows of `columns` values, one after the other
  std::size_t columns = 0;
  std::vector<float> values;
  std::vector<char> labels;  // 1: left
  std::size_t rows() const noexcept { return labels.size(); }
  std::span<const float> row(std::size_t at) const noexcept { return {values.data() + at * columns, columns}; }
};

struct BoosterSettings {
  int trees = 100, depth = 4;
  double learning_rate = 0.05, min_child_weight = 20, row_share = 0.5, column_share = 0.3, lambda = 1;
  std::uint32_t seed = 1;
};

// XGBoost's JSON (never UBJ: its loader crashes on damaged bytes, dependencies.md 5). `may_go_on` is asked between
// trees; false ends the training with a Fault.
std::string train_booster(const Matrix& matrix, const BoosterSettings& settings, bool (*may_go_on)(void*) = nullptr,
                          void* context = nullptr);

struct LibraryAnswer {
  std::vector<float> margins;        // a row
  std::vector<float> contributions;  // columns + 1 a row, the last the expected margin
};
LibraryAnswer ask_library(std::string_view booster_json, const Matrix& matrix);

}  // namespace tellerd::model
