#include <fmt/core.h>

#include <algorithm>
#include <bit>

#include "core/assert.h"
#include "decide/choice.h"

namespace tellerd::decide {
namespace {

constexpr double kContextLeast = 0.2, kContextMost = 3;

// Nearest rank.
double percentile(const std::vector<double>& sorted, int percent) {
  const std::size_t rank = (sorted.size() * static_cast<std::size_t>(percent) + 99) / 100;
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

}  // namespace

Chooser::Chooser(const Pack& pack)
    : pack_(pack), catalogue_(*pack.catalogue), expressions_(choice_columns()), fits_(catalogue_, expressions_) {
  for (std::size_t at = 0; at < catalogue_.actions.size(); ++at) {
    const Action& action = catalogue_.actions[at];
    for (const Channel channel : action.channels) candidates_.push_back({at, channel});
    contexts_of_.emplace_back();
    for (std::size_t context = 0; context < catalogue_.contexts.size(); ++context)
      if (is_reached(action, catalogue_.contexts[context].reach, catalogue_.contexts[context].name))
        contexts_of_.back().push_back(static_cast<int>(context));
  }
  for (const Context& context : catalogue_.contexts)
    context_when_.push_back(ActionFits::rule(expressions_, context.when));
  expressions_.compile();
  for (int expression = 0; expression < expressions_.size(); ++expression)
    for (const int column : expressions_.columns_read(expression))
      if (static_cast<std::size_t>(column) < kChoiceNumbers)
        is_read_[static_cast<std::size_t>(column)] = true;
      else if (static_cast<std::size_t>(column) == kChoiceNumbers + kChoiceTextNames.size() - 1)
        reads_category_ = true;
  for (std::size_t column = 0; column < kChoiceNumbers; ++column)
    is_stepped_[column] = expressions_.is_step_function(static_cast<int>(column));
  std::vector<double> values;
  for (std::size_t candidate = 0; candidate < candidates_.size(); ++candidate)
    values.push_back(static_cast<double>(value_minor(candidate, -1)));
  std::sort(values.begin(), values.end());
  value_low_ = percentile(values, 1);
  value_high_ = percentile(values, 99);
  row_.resize(kChoiceNumbers + kChoiceTextNames.size());
  for (std::size_t own = 0; own <= catalogue_.actions.size(); ++own) {
    ActionSet& outranking = outranking_.emplace_back((catalogue_.actions.size() + 63) / 64);
    for (std::size_t other = 0; other < catalogue_.actions.size(); ++other)
      if (own == other || own == catalogue_.actions.size() || outranks(other, own))
        outranking[other / 64] |= 1ull << (other % 64);
  }
  for (int factor = -1; factor < static_cast<int>(pack.offers.multipliers.size()); ++factor) {
    is_worth_.emplace_back();
    for (std::size_t candidate = 0; candidate < candidates_.size(); ++candidate)
      is_worth_.back().push_back(value_minor(candidate, factor) > 0);
  }
}

std::int64_t Chooser::revenue_minor(std::size_t candidate, int factor) const {
  const Action& action = this->action(candidate);
  if (factor < 0 || !action.follows_turnover) return action.base_minor;
  const auto& multiplier = pack_.offers.multipliers[static_cast<std::size_t>(factor)];
  return action.base_minor * multiplier.numerator / multiplier.denominator;  // the pack's check leaves no overflow
}

std::int64_t Chooser::value_minor(std::size_t candidate, int factor) const {
  const bool is_call = candidates_[candidate].channel == Channel::kCall;
  return revenue_minor(candidate, factor) - (is_call ? catalogue_.call_cost_minor : catalogue_.message_cost_minor) -
         action(candidate).discount_minor;
}

bool Chooser::outranks(std::size_t action, std::size_t own) const noexcept {
  const Action &one = catalogue_.actions[action], &other = catalogue_.actions[own];
  return one.is_mandatory != other.is_mandatory ? one.is_mandatory : order_of(one.purpose) < order_of(other.purpose);
}

// The columns a condition can tell the two by: they do not lie between the same steps.
void Chooser::note_changed(const Situation& before, const Situation& after) {
  changed_.clear();
  for (std::size_t column = 0; column < kChoiceNumbers; ++column) {
    if (before.numbers[column] == after.numbers[column] || !is_read_[column]) continue;
    if (is_stepped_[column]) {
      const auto& steps = expressions_.steps(static_cast<int>(column));
      const auto [low, high] = std::minmax(before.numbers[column], after.numbers[column]);
      const auto step = std::upper_bound(steps.begin(), steps.end(), low);
      if (step == steps.end() || *step > high) continue;
    }
    changed_.push_back(column);
  }
  for (std::size_t text = 0; text < kChoiceTextNames.size(); ++text)
    if (before.texts[text] != after.texts[text]) changed_.push_back(kChoiceNumbers + text);
}

bool Chooser::could_differ(const Situation& before, const Situation& after) {
  const auto worth = [&](int factor) -> const auto& { return is_worth_[static_cast<std::size_t>(factor + 1)]; };
  if (before.factor != after.factor && worth(before.factor) != worth(after.factor)) return true;
  note_changed(before, after);
  if (changed_.empty() && before.combined == after.combined) return false;
  fill(row_, before);
  suited_before_ = fits_.of(row_, before.combined).suiting;
  for (const std::size_t column : changed_) put(row_, after, column);
  const ActionSet& suited = fits_.of_changed(changed_, after.combined).suiting;
  const ActionSet& outranking = after.standing < 0
                                    ? outranking_.back()
                                    : outranking_[candidates_[static_cast<std::size_t>(after.standing)].action];
  for (std::size_t word = 0; word < suited.size(); ++word)
    if ((suited[word] ^ suited_before_[word]) & outranking[word]) return true;
  return false;
}

core::Day Chooser::next_day(const ChoiceNumbers& numbers, core::Day today) const noexcept {
  constexpr auto kInactive = static_cast<std::size_t>(Column::kInactiveWeeks),
                 kRegistered = static_cast<std::size_t>(Column::kRegisteredDays);
  constexpr std::size_t kToDue = kNumbers, kSinceDue = kNumbers + 1;
  std::int64_t soonest = INT32_MAX;
  const auto consider = [&](std::int64_t day) { soonest = std::min(soonest, day); };
  // Steps until a rising value changes its answer; one where every value is an answer of its own.
  const auto rises_in = [&](std::size_t column) -> std::int64_t {
    if (!is_read_[column]) return INT32_MAX;
    if (!is_stepped_[column]) return 1;
    const auto& steps = expressions_.steps(static_cast<int>(column));
    const auto next = std::upper_bound(steps.begin(), steps.end(), numbers[column]);
    return next == steps.end() ? INT32_MAX : *next - numbers[column];
  };
  if (numbers[kSinceDue] > 0) consider(today + rises_in(kSinceDue));
  consider(today + rises_in(kRegistered));
  if (const std::int64_t weeks = rises_in(kInactive); weeks < INT16_MAX)
    consider(core::first_day_of_week(core::week_of_day(today) + static_cast<core::Week>(weeks)));
  if (numbers[kToDue] < kNoDue && (is_read_[kToDue] || is_read_[kSinceDue])) {
    consider(today + numbers[kToDue] + 1);  // it is due, then overdue
    const auto& steps = expressions_.steps(static_cast<int>(kToDue));
    const auto above = std::upper_bound(steps.begin(), steps.end(), numbers[kToDue]);
    if (above != steps.begin()) consider(today + numbers[kToDue] - *(above - 1) + 1);
    if (!is_stepped_[kToDue]) consider(today + 1);
  }
  return static_cast<core::Day>(std::min<std::int64_t>(soonest, INT32_MAX));
}

void Chooser::put(Row& row, const Situation& situation, std::size_t column) {
  if (column < kChoiceNumbers)
    row[column] = situation.numbers[column];
  else
    row[column] = situation.texts[column - kChoiceNumbers];
}

void Chooser::fill(Row& row, const Situation& situation) {
  for (std::size_t column = 0; column < row.size(); ++column) put(row, situation, column);
}

// Levers end by themselves, so they are summed once a day.
void Chooser::use_day(core::Day today) {
  if (today == lever_day_) return;
  lever_day_ = today;
  lever_of_.assign(catalogue_.actions.size(), 1);
  for (std::size_t at = 0; at < catalogue_.actions.size(); ++at) {
    int percent = 100;
    for (const Lever& lever : catalogue_.levers)
      if (today <= lever.expires && is_reached(catalogue_.actions[at], lever.reach, lever.name))
        percent += lever.weight_percent;
    lever_of_[at] = std::max(0, percent) / 100.0;
  }
}

// The first five stages; what they leave is in left_.
void Chooser::narrow(const Situation& situation, Constraint& constraint, Choice& choice) {
  left_.clear();
  first_block_.clear();
  fill(row_, situation);
  const ActionFits::Answer& fits = fits_.of(row_, situation.combined);
  fates_ = fits.fates;
  choice.funnel = fits.funnel;
  std::uint16_t& unblocked = choice.funnel[static_cast<std::size_t>(Stage::kConstraints)];
  for (std::size_t word = 0; word < fits.suiting.size(); ++word)
    for (std::uint64_t suiting = fits.suiting[word]; suiting; suiting &= suiting - 1) {
      const std::size_t at = word * 64 + static_cast<std::size_t>(std::countr_zero(suiting));
      const Action& action = catalogue_.actions[at];
      const std::size_t first = fits_.first_candidate(at);
      for (std::size_t candidate = first; candidate < first + action.channels.size(); ++candidate) {
        const bool was_told = action.is_once_an_instalment && situation.instalment != 0 && !situation.shown.empty() &&
                              situation.shown[candidate].told_instalment == situation.instalment &&
                              situation.standing != static_cast<int>(candidate);
        const std::string_view block = was_told ? code_of(ChoiceReason::kToldAlready) : constraint.blocks(candidate);
        if (!block.empty()) {
          if (first_block_.empty()) first_block_ = block;
          fates_[candidate] = {Stage::kConstraints, reason_number(block)};
          continue;
        }
        ++unblocked;
        left_.push_back(candidate);
      }
    }
}

// C, V, L and F of what is left; what brings nothing goes.
void Chooser::weigh(const Situation& situation, Constraint& constraint, Choice& choice) {
  weighed_.clear();
  context_known_.assign(catalogue_.contexts.size(), -1);
  for (const std::size_t candidate : left_) {
    const Action& of = action(candidate);
    const auto value = static_cast<double>(value_minor(candidate, situation.factor));
    if (value <= 0 && of.purpose == Purpose::kMarketing && !of.is_mandatory) {
      note(candidate, Stage::kArbitration, ChoiceReason::kNoValue);
      continue;
    }
    Weighed one;
    one.candidate = candidate;
    int percent = 100;
    for (const int context : contexts_of_[candidates_[candidate].action]) {
      const auto at = static_cast<std::size_t>(context);
      if (context_known_[at] < 0) context_known_[at] = context_when_[at].holds(expressions_);
      if (context_known_[at]) percent += catalogue_.contexts[at].weight_percent;
    }
    one.scores.c = std::clamp(percent / 100.0, kContextLeast, kContextMost);
    one.scores.v = std::clamp(value, value_low_, value_high_);
    one.scores.l = lever_of_[candidates_[candidate].action];
    if (!situation.shown.empty() && situation.shown[candidate].last_us) {
      const Shown& shown = situation.shown[candidate];
      one.unanswered = shown.unanswered;
      one.scores.f = fatigue(shown.unanswered,
                             static_cast<double>(situation.now_us - shown.last_us) / static_cast<double>(core::kDay));
    }
    one.scores.w = constraint.weight_percent(candidate) / 100.0;
    one.rest = one.scores.c * one.scores.v * one.scores.l * one.scores.f * one.scores.w;
    one.learned = situation.learned.empty() ? nullptr : situation.learned[candidate];
    weighed_.push_back(one);
  }
  choice.funnel[static_cast<std::size_t>(Stage::kArbitration)] = static_cast<std::uint16_t>(weighed_.size());
}

int Chooser::order_of(Purpose purpose) const noexcept {
  const auto& order = pack_.contact.precedence;
  return static_cast<int>(std::find(order.begin(), order.end(), purpose) - order.begin());
}

// Mandatory actions before all, then one purpose a contact. True when what is left is mandatory.
bool Chooser::keep_purpose() {
  const bool is_mandatory = std::any_of(weighed_.begin(), weighed_.end(),
                                        [&](const Weighed& one) { return action(one.candidate).is_mandatory; });
  int first = INT32_MAX;
  for (const Weighed& one : weighed_)
    if (action(one.candidate).is_mandatory == is_mandatory)
      first = std::min(first, order_of(action(one.candidate).purpose));
  std::erase_if(weighed_, [&](const Weighed& one) {
    const Action& of = action(one.candidate);
    const bool stays = of.is_mandatory == is_mandatory && order_of(of.purpose) == first;
    if (!stays) note(one.candidate, Stage::kFinal, ChoiceReason::kOtherPurpose);
    return !stays;
  });
  return is_mandatory;
}

Choice Chooser::choose(const Situation& situation, Constraint& constraint, std::vector<Verdict>* verdicts) {
  Choice choice;
  use_day(situation.today);
  narrow(situation, constraint, choice);
  weigh(situation, constraint, choice);
  arbitrate(situation, choice);
  if (!verdicts) return choice;
  std::string bytes;
  put_verdicts(bytes);
  *verdicts = read_verdicts(bytes, choice.winner < 0 ? "" : action(static_cast<std::size_t>(choice.winner)).name);
  if (choice.winner >= 0) (*verdicts)[static_cast<std::size_t>(choice.winner)].reason = choice.reasons;
  if (choice.winner >= 0)
    for (const Weighed& one : weighed_) (*verdicts)[one.candidate].scores = one.scores;  // not as few bytes keep them
  return choice;
}

}  // namespace tellerd::decide
