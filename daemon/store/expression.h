// SQL expressions of a policy pack, compiled once as prepared statements in a sandbox: an own :memory: connection
// without tables, an authorizer that allows one SELECT and listed functions, limits on length, depth and steps.
// A column is bound as an integer or a text, never NULL. A comparison of an integer column with a text is never equal.
// Errors: a bad expression is a Fault(kConfig) at add(); at evaluation an error means "rule not met" and is counted.
// Threads: one. Cost: about 0.1 us an evaluation of a condition over two or three columns, some ns when it is
// remembered, 20 us to compile one.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "store/expression_text.h"

namespace tellerd::store {

class ExpressionSet {
 public:
  using Value = std::variant<std::int64_t, std::string_view>;

  // The names an expression may use; a row gives their values in this order.
  explicit ExpressionSet(std::vector<std::string> columns);
  ~ExpressionSet();
  ExpressionSet(ExpressionSet&&) noexcept;
  ExpressionSet& operator=(ExpressionSet&&) noexcept;

  // The index of the expression. The same text gets the same index, so it is evaluated once for all who use it.
  // Throws Fault(kConfig) with `what` (where the expression was written) and the error.
  int add(std::string_view expression, std::string_view what);
  void compile();  // ends adding; steps are known from here on

  int size() const noexcept;

  // The same as is_true(), asked once for all rows between the same steps and with the same texts; after compile().
  bool holds(int expression, std::span<const Value> row);
  // For many conditions on one row: where its values lie is looked up once. The row stays the caller's until the last
  // holds(). False when a value that is read has no place. All rows with the same places have the same answers.
  bool place(std::span<const Value> row);
  bool place_again(std::size_t column);  // which of that row has changed; false when its new value has no place
  std::span<const std::uint32_t> places() const noexcept { return places_; }  // of the row, by column
  bool holds(int expression);
  bool is_true(int expression, std::span<const Value> row);  // not zero; NULL, a text or an error is "rule not met"
  // Nothing for NULL, a text, an error, or a number with a fraction; a whole REAL (as round() gives) counts.
  std::optional<std::int64_t> integer(int expression, std::span<const Value> row);
  std::uint64_t error_count() const noexcept;  // evaluations that failed or gave a value of a wrong type

  bool is_read(int column) const noexcept { return is_read_[static_cast<std::size_t>(column)]; }  // by any of them
  std::vector<int> columns_read(int expression) const;  // in the order of first mention

  // True when every use of the column in every expression is a comparison of the bare column with literals
  // (<, <=, >, >=, =, ==, <>, != either way round, BETWEEN, IN): also for a column no expression uses.
  bool is_step_function(int column) const;
  // Sorted. A value v lies in the interval with index "number of steps <= v"; inside an interval no expression changes
  // its result. 5 for col >= 5, 6 for col > 5, 5 and 6 for col = 5; texts give none. Empty unless is_step_function().
  const std::vector<std::int64_t>& steps(int column) const;

 private:
  struct Sandbox;
  struct Expression;
  struct Column;

  int step(const Expression& expression, std::span<const Value> row);
  // The number of the cell that the places of an expression's columns make; nothing where an answer cannot be kept for
  // others.
  template <class PlaceOf>
  bool remembered(int expression, std::span<const Value> row, PlaceOf&& place_of);

  std::unique_ptr<Sandbox> sandbox_;  // before the statements: they are finalized first
  std::vector<Expression> expressions_;
  std::vector<std::string> names_;
  std::vector<Column> columns_;
  std::vector<char> is_read_;          // by column
  std::span<const Value> placed_;      // the row of place()
  std::vector<std::uint32_t> places_;  // by column, of the columns that are read
  bool is_compiled_ = false;
};

}  // namespace tellerd::store
