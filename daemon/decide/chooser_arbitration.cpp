// Arbitration: P by draws or by the model, the winner, its probability and its reasons.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/assert.h"
#include "decide/choice.h"

namespace tellerd::decide {
namespace {

constexpr std::size_t kReasonsMax = 4;
constexpr double kLikelyFrom = 1.1;  // times the action's mean

int percent_of(double share) { return static_cast<int>(std::floor(share * 100 + 0.5)); }

}  // namespace

// policy.md 2: priority, then stage order, then (issue, group, action) by name; a call before a message.
bool Chooser::is_before(const Weighed& a, const Weighed& b) const {
  if (a.scores.priority != b.scores.priority) return a.scores.priority > b.scores.priority;
  const Action &one = action(a.candidate), &other = action(b.candidate);
  if (one.stage != other.stage) return one.stage < other.stage;
  if (one.issue != other.issue) return one.issue < other.issue;
  if (one.group != other.group) return one.group < other.group;
  if (one.name != other.name) return one.name < other.name;
  return a.candidate < b.candidate;
}

// Thompson's choice and its exact probability: the draws of all rounds make a distribution over the winners, and one
// round is drawn from it. Given the draws, the chosen one's probability is the share of rounds that it wins.
void Chooser::draw_rounds(const Situation& situation, std::size_t& best) {
  model::Draws draws(situation.seed);
  const bool is_any_drawn =
      std::any_of(weighed_.begin(), weighed_.end(), [](const Weighed& one) { return one.is_drawn; });
  const int rounds = is_any_drawn ? catalogue_.rounds : 1;
  const auto chosen = static_cast<int>(draws.below(static_cast<std::uint64_t>(rounds)));
  std::vector<double> drawn(weighed_.size());
  for (int round = 0; round < rounds; ++round) {
    std::size_t first = 0;
    for (std::size_t at = 0; at < weighed_.size(); ++at) {
      Weighed& one = weighed_[at];
      if (one.is_drawn) one.scores.p = one.learned ? one.learned->draw(draws) : draws.beta(1, 1);
      one.scores.priority = one.scores.p * one.rest;
      if (at > 0 && is_before(one, weighed_[first])) first = at;
    }
    ++weighed_[first].wins;
    if (round != chosen) continue;
    best = first;
    for (std::size_t at = 0; at < weighed_.size(); ++at) drawn[at] = weighed_[at].scores.p;
  }
  for (std::size_t at = 0; at < weighed_.size(); ++at) {
    weighed_[at].scores.p = drawn[at];
    weighed_[at].scores.priority = drawn[at] * weighed_[at].rest;
  }
}

void Chooser::arbitrate(const Situation& situation, Choice& choice) {
  const bool is_mandatory = keep_purpose();
  if (weighed_.empty()) {
    choice.reasons = silence(choice);
    return;
  }
  const auto standing = std::find_if(weighed_.begin(), weighed_.end(), [&](const Weighed& one) {
    return static_cast<int>(one.candidate) == situation.standing;
  });
  std::vector<model::Feature> features;  // once a model is asked
  for (Weighed& one : weighed_) {
    one.is_drawn = !is_mandatory && (!one.learned || one.learned->is_drawn());
    if (one.is_drawn) continue;
    const bool is_told = one.learned && !one.learned->is_drawn();
    if (is_told && features.empty())
      features = features_of(situation.numbers, situation.combined, situation.churn_state);
    one.scores.p = !one.learned ? 0.5 : is_told ? one.learned->predicted(features) : one.learned->mean();
  }
  std::size_t best = 0;
  draw_rounds(situation, best);
  const int rounds = std::max(1, [&] {
    int sum = 0;
    for (const Weighed& one : weighed_) sum += one.wins;
    return sum;
  }());
  if (standing != weighed_.end()) {
    choice.is_kept = true;
    best = static_cast<std::size_t>(standing - weighed_.begin());
  }
  const bool is_tried =
      !choice.is_kept && !is_mandatory && action(weighed_[0].candidate).purpose == Purpose::kMarketing;
  const double count = static_cast<double>(weighed_.size());
  const double random = is_tried ? pack_.contact.random_percent / 100.0 : 0,
               holdout = is_tried ? pack_.contact.holdout_percent / 100.0 : 0;
  if (is_tried)
    choice.arm = arm_of(situation.customer, situation.month, catalogue_.salt, pack_.contact.random_percent,
                        pack_.contact.holdout_percent);
  if (choice.arm == Arm::kHoldout) {
    choice.probability = holdout;
    choice.reasons = code_of(ChoiceReason::kHoldout);
    for (const Weighed& one : weighed_) note(one.candidate, Stage::kFinal, ChoiceReason::kHoldout);
    return;
  }
  if (choice.arm == Arm::kRandom) {
    model::Draws lot(~situation.seed);
    best = lot.below(weighed_.size());
  }
  const Weighed& winner = weighed_[best];
  if (!choice.is_kept)
    choice.probability = random / count + (1 - random - holdout) * winner.wins / static_cast<double>(rounds);
  choice.winner = static_cast<int>(winner.candidate);
  choice.is_drawn = winner.is_drawn;
  choice.scores = winner.scores;
  choice.funnel[static_cast<std::size_t>(Stage::kFinal)] = 1;
  const Weighed* runner = nullptr;
  for (const Weighed& one : weighed_)
    if (&one != &winner && (!runner || is_before(one, *runner))) runner = &one;
  if (runner) {
    choice.runner_up = static_cast<int>(runner->candidate);
    choice.margin = winner.scores.priority - runner->scores.priority;
  }
  for (int factor = 0; factor < 5; ++factor) {
    const auto without = [factor](const Scores& s) {
      return (factor == 0 ? 1 : s.p) * (factor == 1 ? 1 : s.c) * (factor == 2 ? 1 : s.v) * (factor == 3 ? 1 : s.l) *
             (factor == 4 ? 1 : s.f) * s.w;
    };
    for (const Weighed& one : weighed_)
      if (without(one.scores) > without(winner.scores)) {
        choice.flips |= static_cast<std::uint8_t>(1 << factor);
        break;
      }
  }
  explain(situation, winner, choice);
  note_arbitration(winner, choice);
}

// Why each of the others did not win.
void Chooser::note_arbitration(const Weighed& winner, const Choice& choice) {
  for (const Weighed& one : weighed_) {
    const bool is_tired = one.scores.f < 1 && one.scores.priority / one.scores.f > winner.scores.priority;
    if (&one == &winner)
      fates_[one.candidate] = {Stage::kFinal, kWon};
    else
      note(one.candidate, Stage::kArbitration,
           choice.is_kept ? ChoiceReason::kStands
           : is_tired     ? ChoiceReason::kShownLately
                          : ChoiceReason::kOutranked);
  }
}

// The reasons a person would give, the strongest first.
void Chooser::explain(const Situation& situation, const Weighed& winner, Choice& choice) const {
  std::size_t count = 0;
  const auto add = [&](const std::string& reason) {
    if (count++ >= kReasonsMax || reason.empty()) return;
    choice.reasons += (choice.reasons.empty() ? "" : " ") + reason;
  };
  const auto code = [](ChoiceReason reason) { return std::string(code_of(reason)); };
  const Action& of = action(winner.candidate);
  if (choice.is_kept) add(code(ChoiceReason::kStands));
  if (of.is_mandatory) add(code(ChoiceReason::kMandatory));
  if (choice.arm == Arm::kRandom) add(code(ChoiceReason::kRandomArm));
  std::vector<int> matched;
  for (const int context : contexts_of_[candidates_[winner.candidate].action])
    if (context_known_[static_cast<std::size_t>(context)] > 0 &&
        catalogue_.contexts[static_cast<std::size_t>(context)].weight_percent > 0)
      matched.push_back(context);
  std::stable_sort(matched.begin(), matched.end(), [&](int a, int b) {
    return catalogue_.contexts[static_cast<std::size_t>(a)].weight_percent >
           catalogue_.contexts[static_cast<std::size_t>(b)].weight_percent;
  });
  for (const int at : matched) {
    const Context& context = catalogue_.contexts[static_cast<std::size_t>(at)];
    std::string reason = context.reason;
    for (std::size_t figure = 0; figure < context.figures.size(); ++figure) {
      const auto column = static_cast<std::size_t>(context.figures[figure]);
      const std::string text = column < kChoiceNumbers ? std::to_string(situation.numbers[column])
                                                       : std::string(situation.texts[column - kChoiceNumbers]);
      reason += (figure ? "," : ":") + text;
    }
    std::replace(reason.begin(), reason.end(), ' ', '_');
    add(reason);
  }
  if (of.is_mandatory) return;
  if (winner.scores.l != 1) add(fmt::format("{}:{:+}", code(ChoiceReason::kLever), percent_of(winner.scores.l) - 100));
  if (winner.scores.w < 1) add(fmt::format("{}:{}", code(ChoiceReason::kWeighedDown), percent_of(winner.scores.w)));
  if (winner.is_drawn)
    add(fmt::format("{}:{}", code(ChoiceReason::kTried),
                    winner.learned ? winner.learned->positives() + winner.learned->negatives() : 0));
  else if (winner.learned && winner.scores.p > kLikelyFrom * winner.learned->mean())
    add(fmt::format("{}:{}", code(ChoiceReason::kLikely), percent_of(winner.scores.p)));
  if (choice.arm != Arm::kRandom && !choice.is_kept) add(code(ChoiceReason::kHighestValue));
}

// Where the last ones were lost.
std::string Chooser::silence(const Choice& choice) const {
  const auto left = [&](Stage stage) { return choice.funnel[static_cast<std::size_t>(stage)]; };
  if (left(Stage::kSuitability) > 0 && left(Stage::kConstraints) == 0) return first_block_;
  if (left(Stage::kConstraints) > 0 && left(Stage::kArbitration) == 0)
    return std::string(code_of(ChoiceReason::kNoValue));
  return std::string(code_of(ChoiceReason::kNothingFits));
}

}  // namespace tellerd::decide
