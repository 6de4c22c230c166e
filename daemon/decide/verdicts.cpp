// Verdicts in few bytes: (stage, reason) with how many candidates in a row share it, then the scores of what was
// weighed.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/varint.h"
#include "decide/choice.h"

namespace tellerd::decide {
namespace {

constexpr std::size_t kCandidatesMax = 4'096;
constexpr double kMillion = 1e6, kHundred = 100;

std::int64_t scaled(double value, double by) { return static_cast<std::int64_t>(std::floor(value * by + 0.5)); }

std::string reason_of(std::uint8_t number) {
  if (number == kWon) return {};
  if (number >= kOfPolicy) return fmt::format("SU-{:02}", number - kOfPolicy);
  return std::string(code_of(static_cast<ChoiceReason>(number)));
}

bool is_reason(std::int64_t number) {
  return (number >= 0 && number < static_cast<std::int64_t>(kChoiceCodes.size())) ||
         (number >= kOfPolicy && number <= kWon);
}

}  // namespace

void Chooser::put_verdicts(std::string& bytes) const {
  core::put_varint(bytes, static_cast<std::int64_t>(fates_.size()));
  for (std::size_t at = 0; at < fates_.size();) {
    std::size_t end = at + 1;
    while (end < fates_.size() && fates_[end] == fates_[at]) ++end;
    bytes.push_back(static_cast<char>(fates_[at].lost_at));
    bytes.push_back(static_cast<char>(fates_[at].reason));
    core::put_varint(bytes, static_cast<std::int64_t>(end - at));
    at = end;
  }
  for (const Weighed& one : weighed_) {
    const Scores& scores = one.scores;
    for (const std::int64_t value :
         {static_cast<std::int64_t>(one.candidate), scaled(scores.p, kMillion), scaled(scores.c, kHundred),
          scaled(scores.v, 1), scaled(scores.l, kHundred), scaled(scores.f, kMillion), scaled(scores.w, kHundred),
          std::int64_t{one.unanswered}})
      core::put_varint(bytes, value);
  }
}

std::vector<Verdict> read_verdicts(std::string_view bytes, std::string_view winner) {
  const auto count = static_cast<std::size_t>(core::take_varint(bytes));
  if (count == 0 || count > kCandidatesMax) return {};
  std::vector<Verdict> verdicts;
  while (verdicts.size() < count && bytes.size() > 2) {
    const auto stage = static_cast<std::uint8_t>(bytes[0]), reason = static_cast<std::uint8_t>(bytes[1]);
    bytes.remove_prefix(2);
    const auto run = static_cast<std::size_t>(core::take_varint(bytes));
    if (stage >= kStages || !is_reason(reason) || run == 0 || run > count - verdicts.size()) return {};
    Verdict verdict;
    verdict.lost_at = static_cast<Stage>(stage);
    verdict.reason = reason_of(reason);
    if (reason == static_cast<std::uint8_t>(ChoiceReason::kOutranked)) verdict.reason += fmt::format(":{}", winner);
    verdicts.insert(verdicts.end(), run, verdict);
  }
  if (verdicts.size() != count) return {};
  while (!bytes.empty()) {
    std::array<std::int64_t, 8> values{};
    for (std::int64_t& value : values) value = core::take_varint(bytes);
    if (values[0] < 0 || values[0] >= static_cast<std::int64_t>(count)) return {};
    Verdict& verdict = verdicts[static_cast<std::size_t>(values[0])];
    Scores& scores = verdict.scores;
    scores.p = static_cast<double>(values[1]) / kMillion;
    scores.c = static_cast<double>(values[2]) / kHundred;
    scores.v = static_cast<double>(values[3]);
    scores.l = static_cast<double>(values[4]) / kHundred;
    scores.f = static_cast<double>(values[5]) / kMillion;
    scores.w = static_cast<double>(values[6]) / kHundred;
    scores.priority = scores.p * scores.c * scores.v * scores.l * scores.f * scores.w;
    if (verdict.reason == code_of(ChoiceReason::kShownLately)) verdict.reason += fmt::format(":{}", values[7]);
  }
  return verdicts;
}

}  // namespace tellerd::decide
