#include "model/booster.h"

#include <fmt/format.h>
#include <xgboost/c_api.h>

#include <algorithm>
#include <utility>

#include "core/fault.h"

namespace tellerd::model {
namespace {

void check(int code) {
  if (code != 0) throw core::Fault(core::Exit::kFailed, fmt::format("XGBoost: {}", XGBGetLastError()));
}

struct Rows {
  DMatrixHandle handle = nullptr;
  explicit Rows(const Matrix& matrix) {
    check(XGDMatrixCreateFromMat(matrix.values.data(), matrix.rows(), matrix.columns, __builtin_nanf(""), &handle));
  }
  ~Rows() { XGDMatrixFree(handle); }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
};

struct Booster {
  BoosterHandle handle = nullptr;
  explicit Booster(const Rows* rows) { check(XGBoosterCreate(rows ? &rows->handle : nullptr, rows ? 1 : 0, &handle)); }
  ~Booster() { XGBoosterFree(handle); }
  Booster(const Booster&) = delete;
  Booster& operator=(const Booster&) = delete;
  void set(const char* name, const std::string& value) { check(XGBoosterSetParam(handle, name, value.c_str())); }
};

// The mean of the labels: trees then begin where the class shares are, however rare one of them is.
double share_of_positives(const Matrix& matrix) {
  const auto positives = static_cast<double>(std::count(matrix.labels.begin(), matrix.labels.end(), 1));
  return std::clamp(positives / static_cast<double>(matrix.rows()), 0.001, 0.999);
}

std::vector<float> predict(Booster& booster, const Rows& rows, int type) {
  const std::string config =
      fmt::format(R"({{"type":{},"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":false}})", type);
  const bst_ulong* shape = nullptr;
  bst_ulong dimensions = 0;
  const float* values = nullptr;
  check(XGBoosterPredictFromDMatrix(booster.handle, rows.handle, config.c_str(), &shape, &dimensions, &values));
  std::size_t count = 1;
  for (bst_ulong at = 0; at < dimensions; ++at) count *= shape[at];
  return {values, values + count};
}

}  // namespace

std::string train_booster(const Matrix& matrix, const BoosterSettings& settings, bool (*may_go_on)(void*),
                          void* context) {
  const Rows rows(matrix);
  std::vector<float> labels(matrix.labels.begin(), matrix.labels.end());
  check(XGDMatrixSetFloatInfo(rows.handle, "label", labels.data(), labels.size()));
  Booster booster(&rows);
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, std::string>>{
           {"objective", "binary:logistic"},
           {"booster", "gbtree"},
           {"tree_method", "hist"},
           {"nthread", "1"},
           {"verbosity", "0"},
           {"max_depth", fmt::to_string(settings.depth)},
           {"eta", fmt::to_string(settings.learning_rate)},
           {"min_child_weight", fmt::to_string(settings.min_child_weight)},
           {"subsample", fmt::to_string(settings.row_share)},
           {"colsample_bytree", fmt::to_string(settings.column_share)},
           {"lambda", fmt::to_string(settings.lambda)},
           {"max_bin", "128"},
           {"seed", fmt::to_string(settings.seed)},
           {"base_score", fmt::format("{:.6f}", share_of_positives(matrix))}})
    booster.set(name, value);
  for (int tree = 0; tree < settings.trees; ++tree) {
    if (may_go_on && !may_go_on(context)) throw core::Fault(core::Exit::kFailed, "training was stopped");
    check(XGBoosterUpdateOneIter(booster.handle, tree, rows.handle));
  }
  const char* bytes = nullptr;
  bst_ulong size = 0;
  check(XGBoosterSaveModelToBuffer(booster.handle, R"({"format":"json"})", &size, &bytes));
  return {bytes, size};
}

LibraryAnswer ask_library(std::string_view booster_json, const Matrix& matrix) {
  const Rows rows(matrix);
  Booster booster(nullptr);
  check(XGBoosterLoadModelFromBuffer(booster.handle, booster_json.data(), booster_json.size()));
  booster.set("nthread", "1");
  return {predict(booster, rows, 1), predict(booster, rows, 2)};
}

}  // namespace tellerd::model
