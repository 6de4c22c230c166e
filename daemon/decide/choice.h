// One decision: which action of the library for this customer now, or silence, through seven stages whose counts are
// kept (policy.md 1 and 2): library, eligibility, applicability, suitability, constraints, arbitration, final. What is
// chosen from is a candidate: an action over a channel. Chance is drawn from the decision's identity, and what was
// chosen carries the probability it was chosen with, so that other policies can be judged by what this one did.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "decide/action_fits.h"
#include "decide/choice_reason.h"
#include "decide/pack.h"
#include "decide/rules.h"
#include "model/propensity.h"
#include "store/expression.h"

namespace tellerd::decide {

// What the expressions of actions.toml may read besides kExpressionColumns' integers, in slot order; texts come last.
inline constexpr auto kChoiceNumberNames =
    std::to_array<std::string_view>({"days_to_due", "days_since_due", "loan_count", "churn_percent",
                                     "competitor_sms_weeks", "competitor_host_weeks", "support_weeks", "tx_weeks"});
inline constexpr auto kChoiceTextNames =
    std::to_array<std::string_view>({"tier", "combined_segment", "churn_state", "priority_category"});
inline constexpr std::size_t kChoiceNumbers = kNumbers + kChoiceNumberNames.size();
static_assert(kChoiceNumbers <= 64);         // a bit each
inline constexpr std::int64_t kNoDue = 999;  // days_to_due without an instalment to come
using ChoiceNumbers = std::array<std::int64_t, kChoiceNumbers>;
using ChoiceTexts = std::array<std::string_view, kChoiceTextNames.size()>;
std::vector<std::string> choice_columns();

bool is_reached(const Action& action, Reach reach, std::string_view name);

// The customer's columns as the acceptance models see them.
inline constexpr std::size_t kFeatures =
    1 + 2 * kChoiceNumbers + 16 + 8;  // level, value and "any", segment, churn state
std::vector<model::Feature> features_of(const ChoiceNumbers& numbers, int combined, int churn_state);

enum class Arm : std::uint8_t { kRule, kRandom, kHoldout };
inline constexpr std::array<std::string_view, 3> kArmNames{"rule", "random", "holdout"};
// Sticky for a month: by hash of customer, month and salt.
Arm arm_of(std::uint64_t customer, std::int32_t month, std::string_view salt, int random_percent,
           int holdout_percent) noexcept;

// 1 - (1 - e^(-0.35 unanswered)) e^(-days / 14); 1 when it was never shown.
double fatigue(int unanswered, double days_since_last) noexcept;

struct Shown {  // of one candidate to one customer
  int unanswered = 0;
  core::Instant last_us = 0;         // 0: never
  std::int64_t told_instalment = 0;  // the last one it was made for
};

// The contact policy and the queues' capacity, asked for a candidate that suits: its code when it may not be made.
class Constraint {
 public:
  virtual ~Constraint() = default;
  virtual std::string_view blocks(std::size_t candidate) = 0;            // "" when nothing does
  virtual int weight_percent(std::size_t /*candidate*/) { return 100; }  // of its priority, when nothing does
};

struct Situation {
  std::uint64_t seed = 0;      // the decision's identity
  std::uint64_t customer = 0;  // for the arm
  core::Instant now_us = 0;
  core::Day today = 0;
  std::int32_t month = 0;
  ChoiceNumbers numbers{};
  ChoiceTexts texts{};
  int combined = -1, factor = -1, churn_state = 0;
  std::int64_t instalment = 0;                        // the one that is due, if any
  int standing = -1;                                  // candidate of the offer that stands
  std::span<const Shown> shown;                       // by candidate; empty: nothing was
  std::span<const model::Propensity* const> learned;  // by candidate; null or empty: nothing is known
};

struct Scores {
  double p = 0, c = 1, v = 0, l = 1, f = 1, priority = 0;
  double w = 1;  // what the contact policy leaves of the product
};

struct Verdict {                  // of one candidate: how far it came
  Stage lost_at = Stage::kFinal;  // kFinal: it is the choice
  std::string reason;             // a code with its figures; "" of the choice itself when it was read back
  Scores scores;                  // once it is in arbitration
};
// What Chooser::put_verdicts() kept, in the order of that pack's candidates; nothing from other bytes. `winner` is the
// name of the action that was chosen.
std::vector<Verdict> read_verdicts(std::string_view bytes, std::string_view winner);

struct Choice {
  int winner = -1, runner_up = -1;  // candidates
  bool is_kept = false;             // the offer that stands goes on
  Arm arm = Arm::kRule;
  double probability = 1;  // of this choice, silence included
  bool is_drawn = false;   // P of the winner is a draw
  std::array<std::uint16_t, kStages> funnel{};
  Scores scores;
  double margin = 0;       // priority over the runner-up's
  std::uint8_t flips = 0;  // bits P C V L F: without this factor another one would have won
  std::string reasons;     // at most four, or why silence
};

class Chooser {
 public:
  struct Candidate {
    std::size_t action = 0;
    Channel channel = Channel::kCall;
  };
  explicit Chooser(const Pack& pack);
  const std::vector<Candidate>& candidates() const noexcept { return candidates_; }
  const Action& action(std::size_t candidate) const { return catalogue_.actions[candidates_[candidate].action]; }
  // `verdicts`, when given, gets one a candidate. Without effect on anything but caches.
  Choice choose(const Situation& situation, Constraint& constraint, std::vector<Verdict>* verdicts = nullptr);
  // The verdicts of the last choice in few bytes, so that they can be asked for later.
  void put_verdicts(std::string& bytes) const;
  // True when a choice could end otherwise now than it did, by the customer's columns and turnover alone: `after` names
  // what stands. An offer that stands ends by its own conditions or by what outranks it; a silence when other actions
  // suit; both when something is worth its cost no more, or again.
  bool could_differ(const Situation& before, const Situation& after);
  bool reads_category() const noexcept { return reads_category_; }
  // The first day after `today` on which time alone could change an answer for these numbers; INT32_MAX when none.
  core::Day next_day(const ChoiceNumbers& numbers, core::Day today) const noexcept;
  std::int64_t value_minor(std::size_t candidate, int factor) const;  // margin less cost and discount, not clamped
  std::int64_t revenue_minor(std::size_t candidate, int factor) const;

 private:
  struct Weighed {  // a candidate in arbitration
    std::size_t candidate = 0;
    Scores scores;
    double rest = 0;  // C V L F and the contact policy's weight
    const model::Propensity* learned = nullptr;
    bool is_drawn = false;
    int wins = 0, unanswered = 0;
  };
  using Row = ActionFits::Row;
  static void put(Row& row, const Situation& situation, std::size_t column);
  static void fill(Row& row, const Situation& situation);
  void note_changed(const Situation& before, const Situation& after);
  void use_day(core::Day today);
  void note(std::size_t candidate, Stage lost_at, ChoiceReason reason) {
    fates_[candidate] = {lost_at, static_cast<std::uint8_t>(reason)};
  }
  void narrow(const Situation& situation, Constraint& constraint, Choice& choice);
  void weigh(const Situation& situation, Constraint& constraint, Choice& choice);
  bool keep_purpose();
  void arbitrate(const Situation& situation, Choice& choice);
  void note_arbitration(const Weighed& winner, const Choice& choice);
  void draw_rounds(const Situation& situation, std::size_t& best);
  void explain(const Situation& situation, const Weighed& winner, Choice& choice) const;
  bool is_before(const Weighed& a, const Weighed& b) const;
  std::string silence(const Choice& choice) const;
  int order_of(Purpose purpose) const noexcept;
  bool outranks(std::size_t action, std::size_t own) const noexcept;

  const Pack& pack_;
  const Catalogue& catalogue_;
  store::ExpressionSet expressions_;
  std::vector<Candidate> candidates_;
  ActionFits fits_;
  std::vector<ActionFits::Rule> context_when_;
  std::vector<std::vector<int>> contexts_of_;  // by action
  std::vector<double> lever_of_;               // by action, on lever_day_
  core::Day lever_day_ = INT32_MIN;
  double value_low_ = 0, value_high_ = 0;  // the library's 1 and 99 %
  std::array<bool, kChoiceNumbers> is_read_{}, is_stepped_{};
  bool reads_category_ = false;
  std::vector<ActionSet> outranking_;  // by the action that stands: those that would end it; the last: nothing stands
  ActionSet suited_before_;            // scratch, as changed_
  std::vector<std::size_t> changed_;   // columns
  std::vector<std::vector<bool>> is_worth_;  // by factor from -1 on, then candidate
  Row row_;
  // Of the choice under way.
  std::vector<char> context_known_;
  std::vector<std::size_t> left_;
  std::vector<Weighed> weighed_;
  std::vector<Fate> fates_;  // by candidate
  std::string first_block_;
};

}  // namespace tellerd::decide
