#include "decide/action_fits.h"

#include <algorithm>

#include "core/assert.h"
#include "core/checksum.h"

namespace tellerd::decide {

ActionFits::ActionFits(const Catalogue& catalogue, store::ExpressionSet& expressions)
    : catalogue_(catalogue), expressions_(expressions) {
  std::size_t candidates = 0;
  for (const Action& action : catalogue.actions) {
    eligible_.push_back(rule(expressions, action.eligible));
    applicable_.push_back(rule(expressions, action.applicable));
    suitable_.push_back(rule(expressions, action.suitable));
    std::uint64_t segments = action.segments.empty() ? ~0ull : 0;
    for (const std::size_t segment : action.segments) segments |= 1ull << (segment % 64);
    segments_of_.push_back(segments);
    first_candidate_.push_back(candidates);
    candidates += action.channels.size();
  }
  first_candidate_.push_back(candidates);
}

ActionFits::Rule ActionFits::rule(store::ExpressionSet& expressions, const std::string& text) {
  return text == "1" ? Rule{} : Rule{expressions.add(text, "actions.toml")};
}

std::size_t ActionFits::Hash::operator()(const Key& key) const noexcept {
  return core::hash64({reinterpret_cast<const char*>(key.data()), key.size()});
}

bool ActionFits::put_place(std::size_t column) {
  if (!expressions_.is_read(static_cast<int>(column))) return true;
  const std::uint32_t place = expressions_.places()[column];
  key_[column] = static_cast<std::uint8_t>(place);
  return place <= UINT8_MAX;
}

const ActionFits::Answer& ActionFits::of(const Row& row, int combined) {
  TELLERD_ASSERT(row.size() < key_.size());
  const Key before = key_;
  is_placed_ = expressions_.place(row);
  for (std::size_t column = 0; column < row.size(); ++column) is_placed_ = put_place(column) && is_placed_;
  key_.back() = static_cast<std::uint8_t>(combined);
  if (key_ != before) last_ = nullptr;
  return answer(combined);
}

const ActionFits::Answer& ActionFits::of_changed(std::span<const std::size_t> columns, int combined) {
  for (const std::size_t column : columns)
    is_placed_ = expressions_.place_again(column) && put_place(column) && is_placed_;
  key_.back() = static_cast<std::uint8_t>(combined);
  last_ = nullptr;
  return answer(combined);
}

const ActionFits::Answer& ActionFits::answer(int combined) {
  if (is_placed_ && last_) return *last_;
  last_ = nullptr;
  if (is_placed_)
    if (const auto known = kept_.find(key_); known != kept_.end()) return *(last_ = &known->second);
  const std::uint64_t errors_before = expressions_.error_count();
  ask(combined, unkept_);
  if (!is_placed_ || expressions_.error_count() != errors_before) return unkept_;  // each failure is counted
  if (kept_.size() >= kKept) kept_.clear();
  return *(last_ = &kept_.emplace(key_, unkept_).first->second);
}

Fate ActionFits::fate(std::size_t action, int combined) const {
  const auto lost = [](Stage stage, ChoiceReason reason) { return Fate{stage, static_cast<std::uint8_t>(reason)}; };
  const bool is_in_segment = combined >= 0 && (segments_of_[action] >> (static_cast<unsigned>(combined) % 64) & 1);
  if (!is_in_segment) return lost(Stage::kEligibility, ChoiceReason::kNotInSegment);
  if (!eligible_[action].holds(expressions_)) return lost(Stage::kEligibility, ChoiceReason::kNotEligible);
  if (!applicable_[action].holds(expressions_)) return lost(Stage::kApplicability, ChoiceReason::kNotApplicable);
  if (!suitable_[action].holds(expressions_)) return lost(Stage::kSuitability, ChoiceReason::kNotSuitable);
  return {};
}

void ActionFits::ask(int combined, Answer& answer) const {
  answer.suiting.assign((catalogue_.actions.size() + 63) / 64, 0);
  answer.fates.assign(first_candidate_.back(), {});
  answer.funnel = {};
  const auto count = [&](Stage stage) -> std::uint16_t& { return answer.funnel[static_cast<std::size_t>(stage)]; };
  count(Stage::kLibrary) = static_cast<std::uint16_t>(first_candidate_.back());
  for (std::size_t action = 0; action < catalogue_.actions.size(); ++action) {
    const Fate of = fate(action, combined);
    const bool suits = of == Fate{};
    const std::size_t from = first_candidate_[action], end = first_candidate_[action + 1];
    for (const Stage stage : {Stage::kEligibility, Stage::kApplicability, Stage::kSuitability})
      if (suits || stage < of.lost_at) count(stage) = static_cast<std::uint16_t>(count(stage) + (end - from));
    if (suits)
      answer.suiting[action / 64] |= 1ull << (action % 64);
    else
      std::fill(answer.fates.begin() + static_cast<std::ptrdiff_t>(from),
                answer.fates.begin() + static_cast<std::ptrdiff_t>(end), of);
  }
}

}  // namespace tellerd::decide
