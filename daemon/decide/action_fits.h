// Which actions of a library fit a customer, and where the others are lost: the conditions "segments", "eligible",
// "applicable" and "suitable" (policy.md 1). Asked once for all customers whose columns lie between the same steps of
// the conditions; the answers of so many kinds of customers are kept. Threads: one.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "decide/choice_reason.h"
#include "decide/pack.h"
#include "store/expression.h"

namespace tellerd::decide {

using ActionSet = std::vector<std::uint64_t>;  // a bit each

class ActionFits {
 public:
  using Row = std::vector<store::ExpressionSet::Value>;
  struct Rule {
    int expression = -1;  // -1: always
    bool holds(store::ExpressionSet& expressions) const { return expression < 0 || expressions.holds(expression); }
  };
  struct Answer {
    ActionSet suiting;
    std::vector<Fate> fates;                      // by candidate, of those that are lost
    std::array<std::uint16_t, kStages> funnel{};  // candidates that are left after a stage, as far as suitability
  };
  // Adds the actions' conditions, which are asked once `expressions` are compiled; both outlive it.
  ActionFits(const Catalogue& catalogue, store::ExpressionSet& expressions);

  static Rule rule(store::ExpressionSet& expressions, const std::string& text);
  std::size_t first_candidate(std::size_t action) const { return first_candidate_[action]; }
  // Good until the next question. The row stays placed in the expressions (ExpressionSet::place). `combined`: -1 is in
  // no segment.
  const Answer& of(const Row& row, int combined);
  // The same of the row last asked for, which has changed in `columns` since as far as conditions can tell.
  const Answer& of_changed(std::span<const std::size_t> columns, int combined);

 private:
  static constexpr std::size_t kKept = 4'096;  // about half a KiB each
  // Where the values of the columns that are read lie, a byte each, and the segment.
  using Key = std::array<std::uint8_t, 32>;
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  bool put_place(std::size_t column);  // into key_; false: a value has no place there
  const Answer& answer(int combined);
  Fate fate(std::size_t action, int combined) const;
  void ask(int combined, Answer& answer) const;

  const Catalogue& catalogue_;
  store::ExpressionSet& expressions_;
  std::vector<Rule> eligible_, applicable_, suitable_;
  std::vector<std::uint64_t> segments_of_;    // by action: bits of combined segments
  std::vector<std::size_t> first_candidate_;  // by action, and the end
  std::unordered_map<Key, Answer, Hash> kept_;
  Answer unkept_;
  // Of the row last asked for.
  Key key_{};
  bool is_placed_ = false;
  const Answer* last_ = nullptr;  // kept under key_, if any
};

}  // namespace tellerd::decide
