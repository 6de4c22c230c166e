#include <doctest/doctest.h>

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
}
