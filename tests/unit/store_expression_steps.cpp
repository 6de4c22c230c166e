#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "core/fault.h"
#include "store/expression.h"

using tellerd::core::Fault;
using tellerd::store::ExpressionSet;
using Value = ExpressionSet::Value;

namespace {

const std::vector<std::string> kColumns = {"logins", "total", "dpd", "tier"};
enum { kLogins, kTotal, kDpd, kTier };

std::vector<std::int64_t> steps_of(const std::string& expression, int column = kLogins) {
  ExpressionSet set(kColumns);
  set.add(expression, "here");
  set.compile();
  CHECK(set.is_step_function(column));
  return set.steps(column);
}

bool is_step(const std::string& expression, int column = kLogins) {
  ExpressionSet set(kColumns);
  set.add(expression, "here");
  set.compile();
  return set.is_step_function(column);
}

// Evaluates every expression at every value of the column and fails where a result changes off a step.
void check_changes_only_at_steps(ExpressionSet& set, int column, std::vector<Value> row) {
  const auto& steps = set.steps(column);
  for (int expression = 0; expression < set.size(); ++expression) {
    row[static_cast<std::size_t>(column)] = std::int64_t{-25};
    bool before = set.is_true(expression, row);
    auto number_before = set.integer(expression, row);
    for (std::int64_t value = -24; value <= 25; ++value) {
      row[static_cast<std::size_t>(column)] = value;
      const bool now = set.is_true(expression, row);
      const auto number_now = set.integer(expression, row);
      if (now != before || number_now != number_before)
        CHECK_MESSAGE(std::binary_search(steps.begin(), steps.end(), value), "value " << value);
      before = now;
      number_before = number_now;
    }
  }
}

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  int below(int n) { return static_cast<int>(engine_() % static_cast<unsigned>(n)); }
  std::string integer() { return std::to_string(below(41) - 20); }
  template <std::size_t N>
  std::string pick(const char* const (&words)[N]) {
    return words[below(static_cast<int>(N))];
  }

 private:
  std::mt19937 engine_;
};

std::string random_comparison(Dice& dice) {
  static const char* const kNames[] = {"logins", "total", "dpd"};
  static const char* const kOps[] = {"<", "<=", ">", ">=", "=", "==", "<>", "!="};
  const std::string name = dice.pick(kNames);
  switch (dice.below(5)) {
    case 0:
      return dice.integer() + " " + dice.pick(kOps) + " " + name;
    case 1:
      return name + (dice.below(2) ? " BETWEEN " : " not between ") + dice.integer() + " AND " + dice.integer();
    case 2:
      return name + (dice.below(2) ? " IN (" : " NOT IN (") + dice.integer() + "," + dice.integer() + ")";
    case 3:
      return "tier = 'VIP'";
    default:
      return name + dice.pick(kOps) + " " + dice.integer();
  }
}

std::string random_condition(Dice& dice, int depth) {
  if (depth == 0) return random_comparison(dice);
  switch (dice.below(5)) {
    case 0:
      return "NOT " + random_condition(dice, depth - 1);
    case 1:
      return "(" + random_condition(dice, depth - 1) + ") OR " + random_condition(dice, depth - 1);
    case 2:
      return random_condition(dice, depth - 1) + " AND " + random_condition(dice, depth - 1);
    case 3:
      return "CASE WHEN " + random_condition(dice, depth - 1) + " THEN 7 WHEN " + random_condition(dice, depth - 1) +
             " THEN 0 ELSE 2 END";
    default:
      return "iif(" + random_condition(dice, depth - 1) + ", 3, " + random_condition(dice, depth - 1) + ")";
  }
}

// Operands and operators in any order, without care for precedence: those that SQLite takes must keep the promise of
// steps() as well.
std::string random_chain(Dice& dice) {
  static const char* const kOperands[] = {"logins",
                                          "logins",
                                          "total",
                                          "dpd",
                                          "3",
                                          "-5",
                                          "8",
                                          "'x'",
                                          "NOT logins",
                                          "- dpd",
                                          "(logins > 3)",
                                          "(dpd = 3)",
                                          "NOT 3",
                                          "abs(dpd)",
                                          "iif(dpd, 1, 2)",
                                          "NULL",
                                          "max(logins < 3, 2)",
                                          "CASE logins WHEN 3 THEN 4 END",
                                          "(logins)"};
  static const char* const kJoins[] = {
      ">",         "<=",      "=",       "<>",           ">=",          "<",     "AND",           "OR",
      "IS",        "IS NOT",  "BETWEEN", "LIKE",         "NOT BETWEEN", "AND",   "AND",           "-",
      "+",         "*",       "%",       "||",           "NOTNULL AND", "= NOT", "IN (3, 8) AND", "NOT IN (-5) =",
      "ISNULL OR", "> 3 AND", "< 3 =",   "BETWEEN 2 AND"};
  std::string out = dice.pick(kOperands);
  for (int n = 1 + dice.below(5); n > 0; --n) out += " " + dice.pick(kJoins) + " " + dice.pick(kOperands);
  return out;
}

}  // namespace

TEST_SUITE("store.expression_steps") {
  TEST_CASE("a comparison with a literal gives the values where it changes") {
    using Steps = std::vector<std::int64_t>;
    CHECK(steps_of("logins >= 5") == Steps{5});
    CHECK(steps_of("logins < 5") == Steps{5});
    CHECK(steps_of("logins > 5") == Steps{6});
    CHECK(steps_of("logins <= 5") == Steps{6});
    CHECK(steps_of("5 < logins") == Steps{6});
    CHECK(steps_of("5 >= logins") == Steps{6});
    CHECK(steps_of("5 > logins") == Steps{5});
    CHECK(steps_of("5 <= logins") == Steps{5});
    CHECK(steps_of("logins = 5") == Steps{5, 6});
    CHECK(steps_of("-5 <> logins") == Steps{-5, -4});
    CHECK(steps_of("logins BETWEEN 2 AND 4 AND total > 1") == Steps{2, 5});
    CHECK(steps_of("logins NOT IN (9, 1, 2)") == Steps{1, 2, 3, 9, 10});
    CHECK(steps_of("logins > 9223372036854775807").empty());
    CHECK(steps_of("logins >= 5 OR (dpd = 3 AND NOT logins > 7)") == Steps{5, 8});
    CHECK(steps_of("tier = 'VIP' AND tier IN ('a', 'b')", kTier).empty());
    CHECK(steps_of("total > 1").empty());
  }

  TEST_CASE("steps of all expressions are one sorted list") {
    ExpressionSet set(kColumns);
    set.add("logins >= 10", "a");
    set.add("logins >= 5 AND total < 100", "b");
    set.add("5 <= logins", "c");
    set.compile();
    CHECK(set.steps(kLogins) == std::vector<std::int64_t>{5, 10});
    CHECK(set.steps(kTotal) == std::vector<std::int64_t>{100});
  }

  TEST_CASE("a column used in any other way has no steps") {
    for (const char* expression : {"logins",
                                   "logins + 1 > 5",
                                   "logins >= total",
                                   "-logins > 5",
                                   "logins > 5 + 1",
                                   "1 + 5 < logins",
                                   "logins > 2.5",
                                   "abs(logins) > 5",
                                   "(logins) > 5",
                                   "logins > (5)",
                                   "logins > 5 = dpd",
                                   "dpd = logins > 5",
                                   "logins LIKE '5'",
                                   "logins % 2 = 0",
                                   "logins = 5 = dpd",
                                   "dpd BETWEEN 1 AND 2 = logins",
                                   "dpd BETWEEN 1 AND logins = 5",
                                   "dpd IS NOT logins = 5",
                                   "logins IN (1, total)",
                                   "logins IN (1, 2) + 1",
                                   "logins BETWEEN 1 AND total",
                                   "logins BETWEEN 1 AND 2 + 1",
                                   "CASE logins WHEN 5 THEN 1 END",
                                   "logins IS 5",
                                   "logins > 5 AND logins + 1 > 2",
                                   "logins || 'a' = '5a'",
                                   "- 5 - 3 < logins",
                                   "dpd - 5 < logins"}) {
      CAPTURE(expression);
      CHECK_FALSE(is_step(expression));
    }
    ExpressionSet set(kColumns);
    set.add("logins >= 10 AND total > 1", "a");
    set.add("logins * 2 > 10", "b");
    set.compile();
    CHECK_FALSE(set.is_step_function(kLogins));
    CHECK(set.steps(kLogins).empty());
    CHECK(set.is_step_function(kTotal));
  }

  TEST_CASE("between two steps no expression changes its result") {
    Dice dice(20261121);
    for (int round = 0; round < 300; ++round) {
      ExpressionSet set(kColumns);
      std::string all;
      for (int n = 0; n < 3; ++n) {
        const std::string expression = random_condition(dice, dice.below(4));
        all += expression + " | ";
        set.add(expression, "random");
      }
      CAPTURE(all);
      set.compile();
      for (const int column : {kLogins, kTotal, kDpd}) {
        CHECK(set.is_step_function(column));
        check_changes_only_at_steps(set, column,
                                    {std::int64_t{dice.below(41) - 20}, std::int64_t{dice.below(41) - 20},
                                     std::int64_t{dice.below(41) - 20}, std::string_view("VIP")});
      }
    }
  }

  TEST_CASE("operators in any order are refused or keep the promise of steps") {
    Dice dice(7);
    int taken = 0, stepped = 0;
    ExpressionSet parser(kColumns);  // only to see what SQLite takes: opening one for each attempt would cost seconds
    for (int round = 0; round < 4'000; ++round) {
      const std::string expression = random_chain(dice);
      try {
        parser.add(expression, "random");
      } catch (const Fault&) {
        continue;
      }
      ++taken;
      ExpressionSet set(kColumns);
      set.add(expression, "random");
      set.compile();
      CAPTURE(expression);
      for (const int column : {kLogins, kTotal, kDpd}) {
        if (!set.is_step_function(column)) continue;
        if (!set.steps(column).empty()) ++stepped;
        for (int other = -9; other <= 9; other += 3)
          check_changes_only_at_steps(
              set, column, {std::int64_t{other}, std::int64_t{other}, std::int64_t{1 - other}, std::string_view("x")});
      }
    }
    CHECK(taken > 2000);
    CHECK(stepped > 400);
  }

  TEST_CASE("what is remembered of an expression is what it says when it is asked again") {
    static const char* const kTexts[] = {"VIP", "x", "", "Premium"};
    Dice dice(11);
    int met = 0, asked = 0;
    for (int round = 0; round < 200; ++round) {
      ExpressionSet set(kColumns);
      for (int n = 0; n < 3; ++n) set.add(random_condition(dice, dice.below(4)), "random");
      if (round % 2) set.add("logins + total > 3", "computes");  // then only what reads neither may be remembered
      set.compile();
      for (int n = 0; n < 200; ++n) {
        const std::vector<Value> row = {std::int64_t{dice.below(61) - 30}, std::int64_t{dice.below(61) - 30},
                                        std::int64_t{dice.below(61) - 30}, std::string_view(kTexts[dice.below(4)])};
        for (int expression = 0; expression < set.size(); ++expression, ++asked) {
          const bool is_met = set.is_true(expression, row);
          met += is_met;
          CHECK(set.holds(expression, row) == is_met);
        }
      }
    }
    CHECK(met > asked / 10);
    CHECK(met < asked - asked / 10);
  }
}
