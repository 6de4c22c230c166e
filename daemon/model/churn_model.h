// A churn model as it is recorded, activated and asked: one JSON document with its SHA-256 before it. Whoever holds a
// ChurnModel need not check it again. The same data and seed give the same document, byte for byte.
// Errors: core::Fault(kFailed) for damaged or foreign bytes, saying what is wrong. Threads: does not change.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/bgnbd.h"
#include "model/calibration.h"
#include "model/churn_features.h"
#include "model/forest.h"

namespace tellerd::model {

inline constexpr std::int32_t kNotScored = -1;
inline constexpr int kDocumentFormat = 2;

class ChurnModel {
 public:
  explicit ChurnModel(std::string_view sealed);  // as seal() made it
  // Probability of leaving in millionths; kNotScored outside the population.
  std::int32_t score(const ChurnView& view) const noexcept;
  double probability(const ChurnView& view) const noexcept;
  double margin(const ChurnView& view) const noexcept;

  const ChurnScope& scope() const noexcept { return scope_; }
  const Forest& forest() const noexcept { return forest_; }
  const std::vector<Theme>& themes() const noexcept { return themes_; }  // of its columns
  const Calibration& calibration() const noexcept { return calibration_; }
  const std::string& id() const noexcept { return id_; }          // the first twelve digits of the SHA-256
  const std::string& method() const noexcept { return method_; }  // "xgboost" or "bgnbd"
  bool has_labels() const noexcept { return !bgnbd_; }            // it has learnt from who left
  const std::optional<Bgnbd>& bgnbd() const noexcept { return bgnbd_; }
  const std::string& document() const noexcept { return document_; }

 private:
  std::string id_, document_, method_;
  std::vector<Theme> themes_;
  ChurnScope scope_;
  std::optional<Bgnbd> bgnbd_;  // else the trees
  Forest forest_;
  Calibration calibration_;
};

// "<64 hex digits>\n<document>"
std::string seal(const std::string& document);

}  // namespace tellerd::model
