// The text of a policy pack's expression: read into tokens, columns turned into parameters, steps found. No SQL here.
// What is not on the lists below is refused before SQLite sees it: comments, quoted names, parameters, sub-queries,
// hexadecimal and exponent numbers, integers beyond 64 bits. Column names match exactly, words of SQL in any case.
// Units: positions in messages count bytes from 1. Threads: any, nothing is kept.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tellerd::store {

inline constexpr std::size_t kExpressionBytesMax = 4000;  // under SQLITE_LIMIT_SQL_LENGTH of the sandbox

struct ExpressionError {
  std::string text;  // what is not allowed, or which name is unknown, and where
};

// How an expression uses one column: only in comparisons with literals (then where they change), or in some other way.
struct ColumnUse {
  int column = 0;
  bool is_step_function = true;
  std::vector<std::int64_t> steps;  // as found: neither sorted nor unique
};

struct ExpressionText {
  std::string sql;              // one blank between tokens; the column of uses[n] is the parameter ?n+1
  std::vector<ColumnUse> uses;  // each column once, in the order of first mention
};

std::variant<ExpressionText, ExpressionError> read_expression(std::string_view text,
                                                              std::span<const std::string> columns);

// Functions an expression may call, lower case; LIKE and GLOB reach the authorizer as functions too.
bool is_function_allowed(std::string_view lower_case_name) noexcept;

}  // namespace tellerd::store
