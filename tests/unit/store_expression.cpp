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

std::string refusal_of(const std::string& expression) {
  ExpressionSet set(kColumns);
  try {
    set.add(expression, "here");
  } catch (const Fault& fault) {
    CHECK(fault.exit_code() == tellerd::core::Exit::kConfig);
    return fault.what();
  }
  return "";
}

bool truth(const std::string& expression, std::vector<Value> row) {
  ExpressionSet set(kColumns);
  const int index = set.add(expression, "here");
  return set.is_true(index, row);
}

std::optional<std::int64_t> number(const std::string& expression, std::vector<Value> row) {
  ExpressionSet set(kColumns);
  const int index = set.add(expression, "here");
  return set.integer(index, row);
}

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

TEST_SUITE("store.expression") {
  TEST_CASE("a condition is what SQLite says it is") {
    const std::vector<Value> row = {std::int64_t{5}, std::int64_t{20'000'000}, std::int64_t{0},
                                    std::string_view("VIP")};
    CHECK(truth("(total >= 20000000 AND logins >= 5) OR dpd > 0", row));
    CHECK_FALSE(truth("(total > 20000000 AND logins >= 5) OR dpd > 0", row));
    CHECK(truth("tier = 'VIP'", row));
    CHECK(truth("tier LIKE 'v%'", row));
    CHECK_FALSE(truth("tier IN ('Premium', 'Standard')", row));
    CHECK(truth("1", row));
    CHECK_FALSE(truth("0", row));
    CHECK(truth("logins * 2 = 10 and not dpd", row));
    CHECK(truth("CASE WHEN logins = 5 THEN 1 ELSE 0 END", row));
    CHECK(truth("cast(logins AS text) = '5'", row));
    CHECK(truth("tier || '''s' = 'VIP''s'", row));
    CHECK(truth("0.5 < logins", row));
    CHECK(truth("logins\n >= \t5", row));
    CHECK(truth("TRUE AND tier IS NOT NULL", row));
    CHECK(truth("glob('V*', tier) AND substr(tier, 1, 1) = 'V' AND length(tier) = 3 AND instr(tier, 'P') = 3", row));
    CHECK(truth("upper('a') = 'A' AND lower('A') = 'a' AND ifnull(NULL, 1) AND coalesce(nullif(1, 1), 1)", row));
  }

  TEST_CASE("an empty text is a text, not NULL") {
    const std::vector<Value> row = {std::int64_t{0}, std::int64_t{0}, std::int64_t{0}, std::string_view()};
    CHECK(truth("tier = ''", row));
    CHECK_FALSE(truth("tier IS NULL", row));
  }

  TEST_CASE("a number is an integer or nothing") {
    const std::vector<Value> row = {std::int64_t{7}, std::int64_t{-3}, std::int64_t{INT64_MAX}, std::string_view("x")};
    CHECK(number("logins * 15 / 10", row) == 10);
    CHECK(number("max(total, 0) + min(logins, 2, 9)", row) == 2);
    CHECK(number("abs(total)", row) == 3);
    CHECK(number("round(logins * 1.5)", row) == 11);
    CHECK(number("dpd", row) == INT64_MAX);
    CHECK_FALSE(number("logins * 1.5", row).has_value());
    CHECK_FALSE(number("dpd + 1", row).has_value());
    CHECK_FALSE(number("tier", row).has_value());
    CHECK_FALSE(number("nullif(1, 1)", row).has_value());
  }

  TEST_CASE("NULL is not met and no error; an error is not met and counted") {
    ExpressionSet set(kColumns);
    const int division = set.add("1 / logins", "here");
    const int overflow = set.add("abs(total)", "here");
    const int text = set.add("tier", "here");
    const int sound = set.add("logins = 0", "here");
    const std::vector<Value> row = {std::int64_t{0}, std::int64_t{INT64_MIN}, std::int64_t{0}, std::string_view("1")};
    CHECK_FALSE(set.is_true(division, row));
    CHECK_FALSE(set.integer(division, row).has_value());
    CHECK(set.error_count() == 0);
    CHECK_FALSE(set.is_true(overflow, row));
    CHECK(set.error_count() == 1);
    CHECK_FALSE(set.integer(overflow, row).has_value());
    CHECK(set.error_count() == 2);
    CHECK_FALSE(set.is_true(text, row));
    CHECK(set.error_count() == 3);
    const std::string long_text(5000, 'x');
    const std::vector<Value> too_long = {std::int64_t{0}, std::int64_t{0}, std::int64_t{0},
                                         std::string_view(long_text)};
    CHECK_FALSE(set.is_true(text, too_long));
    CHECK(set.error_count() == 4);
    CHECK(set.is_true(sound, row));
  }

  TEST_CASE("an expression goes on working after a hundred thousand evaluations") {
    ExpressionSet set(kColumns);
    const int index = set.add("logins > 5 AND total > 5 AND tier = 'VIP'", "here");
    std::vector<Value> row = {std::int64_t{6}, std::int64_t{6}, std::int64_t{0}, std::string_view("VIP")};
    int met = 0;
    for (int n = 0; n < 100'000; ++n) met += set.is_true(index, row) ? 1 : 0;
    CHECK(met == 100'000);
    CHECK(set.error_count() == 0);
  }

  TEST_CASE("what is hostile is refused") {
    const std::string deep = std::string(200, '(') + "1" + std::string(200, ')');
    std::string chain = "1";
    for (int n = 0; n < 200; ++n) chain += "+1";
    const std::vector<std::string> hostile = {"",
                                              " \n",
                                              "(select 1)",
                                              "exists(select 1)",
                                              "(SELECT name FROM sqlite_master)",
                                              "logins IN (SELECT 1)",
                                              "1) FROM sqlite_master WHERE (1",
                                              "1), (2",
                                              "1); DROP TABLE t; SELECT (1",
                                              "1;",
                                              "; DELETE FROM x",
                                              "1 -- ok",
                                              "1 /* ok */",
                                              "/* open",
                                              "--",
                                              "load_extension('x.so')",
                                              "randomblob(1000000000)",
                                              "zeroblob(1000000000)",
                                              "printf('%1000000000d', 1)",
                                              "format('%d', 1)",
                                              "random()",
                                              "RANDOM()",
                                              "hex('a')",
                                              "quote(1)",
                                              "char(65)",
                                              "replace(tier, 'a', 'b')",
                                              "sqlite_version()",
                                              "last_insert_rowid()",
                                              "changes()",
                                              "date('now')",
                                              "strftime('%s','now')",
                                              "CURRENT_TIME",
                                              "current_timestamp",
                                              "julianday('now')",
                                              "count(*)",
                                              "sum(logins)",
                                              "max(logins)",
                                              "min((logins))",
                                              "group_concat(tier)",
                                              "avg(total)",
                                              "min(DISTINCT logins, 2)",
                                              "min(1, 2) OVER ()",
                                              "row_number() OVER ()",
                                              "total() FILTER (WHERE 1)",
                                              "\"logins\"",
                                              "`logins`",
                                              "[logins]",
                                              "?1",
                                              "?999",
                                              ":a",
                                              "@a",
                                              "$a",
                                              "#1",
                                              "x'00'",
                                              "0x10",
                                              "1e9",
                                              "1.",
                                              ".5",
                                              "99999999999999999999",
                                              "9223372036854775808",
                                              "sqlite_master",
                                              "main.t",
                                              "t.*",
                                              "*",
                                              "logins -> 1",
                                              "tier ->> '$.a'",
                                              "logins & 1",
                                              "logins | 1",
                                              "~logins",
                                              "logins << 2",
                                              "RAISE(ABORT, 'x')",
                                              "logins COLLATE NOCASE",
                                              "tier MATCH 'x'",
                                              "tier REGEXP 'x'",
                                              "json('{}')",
                                              "json_each('[1]')",
                                              "'open",
                                              "tier = 'a",
                                              "(logins",
                                              "logins)",
                                              ")(",
                                              "1, 2",
                                              "(1, 2)",
                                              "logins >",
                                              "AND",
                                              "logins logins",
                                              "LOGINS > 1",
                                              "login > 1",
                                              "rowid",
                                              "_rowid_",
                                              "\xd0\xbf > 1",
                                              std::string("'a\0b' = tier", 12),
                                              std::string("1\0", 2),
                                              "attach 'x' AS y",
                                              "PRAGMA user_version",
                                              "VALUES (1)",
                                              "WITH RECURSIVE c AS (SELECT 1) SELECT 1",
                                              "1 UNION SELECT 2",
                                              "1 LIMIT 1",
                                              "1 AS x",
                                              "likelihood(1, 0.5)",
                                              "unlikely(1)",
                                              "abs()",
                                              "abs(1, 2)",
                                              "substr(tier)",
                                              deep,
                                              chain,
                                              std::string(4001, '1'),
                                              "iif(1)",
                                              "CASE END",
                                              "cast(1 AS blob)",
                                              "cast(1 AS real)",
                                              "1 IS DISTINCT FROM 2"};
    CHECK(hostile.size() > 100);
    for (const std::string& expression : hostile) {
      CAPTURE(expression);
      const std::string refusal = refusal_of(expression);
      CHECK(refusal.size() > std::string("here: ").size());
      CHECK(refusal.rfind("here: ", 0) == 0);
    }
  }

  TEST_CASE("a refusal says what and where") {
    CHECK(refusal_of("dpd > 0 OR login_cuont > 1") == "here: unknown column login_cuont at character 12");
    CHECK(refusal_of("random() > 1") == "here: the function random is not allowed at character 1");
    CHECK(refusal_of("1 -- x") == "here: a comment is not allowed at character 3");
    CHECK(refusal_of("max(logins) > 1") == "here: min and max need two arguments at character 4");
    CHECK(refusal_of("logins > ") == "here: near \")\": syntax error");
  }

  TEST_CASE("a set goes on after a refusal") {
    ExpressionSet set(kColumns);
    CHECK_THROWS_AS(set.add("(select 1)", "here"), Fault);
    CHECK(set.size() == 0);
    const int index = set.add("logins = 1", "here");
    CHECK(index == 0);
    CHECK(set.add("logins = 2", "there") == 1);
    CHECK(set.add("logins = 1", "elsewhere") == index);
    const std::vector<Value> row = {std::int64_t{1}, std::int64_t{0}, std::int64_t{0}, std::string_view("")};
    CHECK(set.is_true(index, row));
  }

  TEST_CASE("an expression knows the columns it reads") {
    ExpressionSet set(kColumns);
    CHECK(set.columns_read(set.add("tier = 'VIP' AND logins > 1 AND logins < 9", "here")) ==
          std::vector<int>{kTier, kLogins});
    CHECK(set.columns_read(set.add("1", "here")).empty());
  }

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
}
