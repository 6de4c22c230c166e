#include "model/churn_model.h"

#include <fmt/core.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/assert.h"
#include "core/fault.h"
#include "model/steady_math.h"

namespace tellerd::model {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kHexDigits = 64, kIdDigits = 12, kBytesMax = 32u << 20;

[[noreturn]] void refuse(const std::string& why) {
  throw core::Fault(core::Exit::kFailed, "this is no usable model: " + why);
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  std::array<char, kHexDigits + 1> hex{};
  return sodium_bin2hex(hex.data(), hex.size(), hash.data(), hash.size());
}

int weeks(const Json& scope, const char* name) {
  const auto value = scope.at(name).get<std::int64_t>();
  if (value < 1 || value >= core::limits::kWeekBits) refuse(fmt::format("{} is {}", name, value));
  return static_cast<int>(value);
}

ChurnScope scope_of(const Json& document) {
  const Json& scope = document.at("scope");
  ChurnScope read{weeks(scope, "feature_weeks"), weeks(scope, "horizon_weeks"), weeks(scope, "view_weeks"),
                  scope.at("features") == "full"};
  if (read.feature_weeks > 50 || read.view_weeks < read.feature_weeks) refuse("its weeks do not fit together");
  return read;
}

Calibration calibration_of(const Json& document) {
  const Json& part = document.at("calibration");
  Calibration read;
  const std::string kind = part.at("kind");
  read.kind = kind == "platt"      ? CalibrationKind::kPlatt
              : kind == "isotonic" ? CalibrationKind::kIsotonic
                                   : CalibrationKind::kNone;
  if (name_of(read.kind) != kind) refuse("its calibration is of an unknown kind");
  if (read.kind == CalibrationKind::kPlatt) {
    read.slope = part.at("slope");
    read.shift = part.at("shift");
    if (!(read.slope > 0) || !std::isfinite(read.slope) || !std::isfinite(read.shift))
      refuse("its calibration turns the order round");
  }
  if (read.kind != CalibrationKind::kIsotonic) return read;
  read.margins = part.at("margins").get<std::vector<double>>();
  read.probabilities = part.at("probabilities").get<std::vector<double>>();
  if (read.margins.size() < 2 || read.margins.size() != read.probabilities.size())
    refuse("its calibration has no curve");
  for (std::size_t at = 0; at < read.margins.size(); ++at) {
    if (!(read.probabilities[at] > 0 && read.probabilities[at] < 1)) refuse("its calibration leaves 0 to 1");
    if (at > 0 && (!(read.margins[at] > read.margins[at - 1]) || read.probabilities[at] < read.probabilities[at - 1]))
      refuse("its calibration does not rise");
  }
  return read;
}

Bgnbd bgnbd_of(const Json& document) {
  const Json& part = document.at("bgnbd");
  const Bgnbd read{part.at("r"), part.at("alpha"), part.at("a"), part.at("b")};
  for (const double one : {read.r, read.alpha, read.a, read.b})
    if (!(one > 0) || !std::isfinite(one)) refuse("a parameter of BG/NBD is not above zero");
  return read;
}

}  // namespace

std::string seal(const std::string& document) { return sha256(document) + '\n' + document; }

ChurnModel::ChurnModel(std::string_view sealed) {
  if (sealed.size() < kHexDigits + 2 || sealed.size() > kBytesMax || sealed[kHexDigits] != '\n')
    refuse("it is not the form tellerd writes");
  document_ = sealed.substr(kHexDigits + 1);
  const std::string hash = sha256(document_);
  if (hash != sealed.substr(0, kHexDigits)) refuse("its SHA-256 does not fit, so bytes have changed");
  id_ = hash.substr(0, kIdDigits);
  try {
    const Json document = Json::parse(document_);
    if (document.at("kind") != "churn" || document.at("format") != kDocumentFormat)
      refuse("it is of another kind or format");
    method_ = document.at("method");
    if (method_ != "xgboost" && method_ != "bgnbd") refuse(fmt::format("its method {} is unknown here", method_));
    scope_ = scope_of(document);
    std::vector<std::string> names;
    for (const auto& column : feature_columns(scope_)) names.push_back(column.name), themes_.push_back(column.theme);
    if (document.at("features").get<std::vector<std::string>>() != names)
      refuse("its features are not the ones computed here");
    calibration_ = calibration_of(document);
    if (method_ == "bgnbd") {
      bgnbd_ = bgnbd_of(document);
      return;
    }
    const auto used = document.at("used").get<std::vector<int>>();
    for (const int column : used)
      if (column < 0 || static_cast<std::size_t>(column) >= themes_.size())
        refuse("it uses a feature that is not there");
    forest_ = Forest(document.at("booster").get<std::string>(), used);
  } catch (const Json::exception& wrong) {
    refuse(wrong.what());
  }
}

double ChurnModel::margin(const ChurnView& view) const noexcept {
  if (bgnbd_) {
    const double leaves = std::clamp(bgnbd_->leaves(habit_of(view), scope_.horizon_weeks), 1e-6, 1 - 1e-6);
    return steady_log(leaves / (1 - leaves));
  }
  std::array<float, kFeaturesMax> row;
  const std::span<float> filled(row.data(), themes_.size());
  fill_features(view, scope_, filled);
  return static_cast<double>(forest_.margin(filled));
}

double ChurnModel::probability(const ChurnView& view) const noexcept { return calibration_.probability(margin(view)); }

std::int32_t ChurnModel::score(const ChurnView& view) const noexcept {
  if (!view.is_in_population) return kNotScored;
  return static_cast<std::int32_t>(std::lround(probability(view) * 1e6));
}

}  // namespace tellerd::model
