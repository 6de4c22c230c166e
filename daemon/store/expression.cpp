#include "store/expression.h"

#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>
#include <utility>

#include "core/assert.h"
#include "core/fault.h"

namespace tellerd::store {
namespace {

// An expression of 4000 bytes makes far fewer instructions than this; one that runs longer loops.
constexpr int kInstructionsPerTick = 1000;
constexpr int kTicksMax = 20;
constexpr int kValueBytesMax = 4096;
constexpr std::uint64_t kTextsMax = 256, kDenseMax = 1 << 16, kCellsMax = std::uint64_t{1} << 62;
constexpr std::size_t kTextBytesMax = 64, kAnswersMax = 1 << 14;
constexpr std::size_t kStepsLookedThrough = 16;  // without a branch: sooner than a search
constexpr std::uint32_t kNoPlace = UINT32_MAX;
constexpr double kWholeRealMax = 9007199254740992.0;  // 2^53: beyond it a REAL no longer holds every integer

struct Limit {
  int id, value;
};
constexpr Limit kLimits[] = {
    {SQLITE_LIMIT_LENGTH, kValueBytesMax}, {SQLITE_LIMIT_SQL_LENGTH, 8192},   {SQLITE_LIMIT_COLUMN, 8},
    {SQLITE_LIMIT_EXPR_DEPTH, 50},         {SQLITE_LIMIT_COMPOUND_SELECT, 1}, {SQLITE_LIMIT_VDBE_OP, 5000},
    {SQLITE_LIMIT_FUNCTION_ARG, 16},       {SQLITE_LIMIT_ATTACHED, 0},        {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 128},
    {SQLITE_LIMIT_VARIABLE_NUMBER, 64},    {SQLITE_LIMIT_TRIGGER_DEPTH, 0},   {SQLITE_LIMIT_WORKER_THREADS, 0}};

struct HashText {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
};
struct Close {
  void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};

std::string lower_case(const char* text) {
  std::string out(text == nullptr ? "" : text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

struct ExpressionSet::Sandbox {
  std::unique_ptr<sqlite3, Close> database;
  int selects = 0;      // seen while one expression is prepared
  std::string refusal;  // why the authorizer said no
  int ticks = 0;        // of the running evaluation
  std::uint64_t errors = 0;

  Sandbox() {
    sqlite3* opened = nullptr;
    const int rc =
        sqlite3_open_v2(":memory:", &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    database.reset(opened);
    if (rc != SQLITE_OK) throw core::Fault(core::Exit::kFailed, "the sandbox for expressions does not open");
    sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(opened, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(opened, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    sqlite3_db_config(opened, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
    for (const Limit& limit : kLimits) sqlite3_limit(opened, limit.id, limit.value);
    sqlite3_set_authorizer(opened, &Sandbox::authorize, this);
    sqlite3_progress_handler(opened, kInstructionsPerTick, &Sandbox::tick, this);
  }

  static int authorize(void* self, int action, const char*, const char* name, const char*, const char*) noexcept {
    Sandbox& sandbox = *static_cast<Sandbox*>(self);
    if (action == SQLITE_SELECT && ++sandbox.selects == 1) return SQLITE_OK;
    if (action == SQLITE_FUNCTION && is_function_allowed(lower_case(name))) return SQLITE_OK;
    if (action == SQLITE_SELECT)
      sandbox.refusal = "a sub-query is not allowed";
    else if (action == SQLITE_FUNCTION)
      sandbox.refusal = "the function " + lower_case(name) + " is not allowed";
    else
      sandbox.refusal = "only columns, literals and functions are allowed";
    return SQLITE_DENY;
  }

  // SQLite counts instructions over all runs of a statement, so a tick alone means nothing: only many in one run do.
  static int tick(void* self) noexcept { return ++static_cast<Sandbox*>(self)->ticks > kTicksMax; }

  std::variant<std::unique_ptr<sqlite3_stmt, Finalize>, ExpressionError> prepare(const ExpressionText& text) {
    const std::string sql = "SELECT (" + text.sql + "\n)";
    selects = 0;
    ticks = 0;
    refusal.clear();
    sqlite3_stmt* prepared = nullptr;
    const char* tail = nullptr;
    const int rc = sqlite3_prepare_v3(database.get(), sql.c_str(), static_cast<int>(sql.size()) + 1,
                                      SQLITE_PREPARE_PERSISTENT, &prepared, &tail);
    std::unique_ptr<sqlite3_stmt, Finalize> statement(prepared);
    if (rc != SQLITE_OK) return ExpressionError{refusal.empty() ? sqlite3_errmsg(database.get()) : refusal};
    if (!is_one_read(prepared, tail, text.uses.size())) return ExpressionError{"not one plain expression"};
    return statement;
  }

  static bool is_one_read(sqlite3_stmt* statement, const char* tail, std::size_t parameters) {
    if (statement == nullptr || tail == nullptr || *tail != '\0' || sqlite3_stmt_readonly(statement) == 0) return false;
    if (sqlite3_column_count(statement) != 1) return false;
    if (sqlite3_bind_parameter_count(statement) != static_cast<int>(parameters)) return false;
    for (int n = 1; n <= static_cast<int>(parameters); ++n) {
      const char* name = sqlite3_bind_parameter_name(statement, n);
      if (name == nullptr || name != '?' + std::to_string(n)) return false;
    }
    return true;
  }
};

struct ExpressionSet::Expression {
  std::string text;
  std::unique_ptr<sqlite3_stmt, Finalize> statement;
  std::vector<int> columns;  // columns[n] is bound to ?n+1
  // Answers by cell: in a table while there are few cells (-1: not asked yet), else in a map.
  std::uint64_t cells = 0;  // 0: so many that none is remembered
  std::vector<std::int8_t> table;
  std::unordered_map<std::uint64_t, bool> map;
};

// A column compared with numbers has a place between its steps, one compared with texts alone a place a text.
struct ExpressionSet::Column {
  bool is_step_function = true;
  std::vector<std::int64_t> steps;
  std::unordered_map<std::string, std::uint32_t, HashText, std::equal_to<>> texts;  // that have been seen, numbered
  const std::pair<const std::string, std::uint32_t>* last_text = nullptr;           // of them: asked for again mostly

  std::uint64_t places() const noexcept { return steps.empty() ? kTextsMax : steps.size() + 1; }
  std::uint32_t place_of(const Value& value);  // kNoPlace: it has none, ask each time
};

ExpressionSet::ExpressionSet(std::vector<std::string> columns)
    : sandbox_(std::make_unique<Sandbox>()),
      names_(std::move(columns)),
      columns_(names_.size()),
      is_read_(names_.size()) {}
ExpressionSet::~ExpressionSet() = default;
ExpressionSet::ExpressionSet(ExpressionSet&&) noexcept = default;
ExpressionSet& ExpressionSet::operator=(ExpressionSet&&) noexcept = default;

int ExpressionSet::add(std::string_view expression, std::string_view what) {
  TELLERD_ASSERT(!is_compiled_);
  const auto same = std::find_if(expressions_.begin(), expressions_.end(),
                                 [&](const Expression& known) { return known.text == expression; });
  if (same != expressions_.end()) return static_cast<int>(same - expressions_.begin());

  const auto refuse = [&](const ExpressionError& error) {
    return core::Fault(core::Exit::kConfig, std::string(what) + ": " + error.text);
  };
  auto read = read_expression(expression, names_);
  if (const auto* error = std::get_if<ExpressionError>(&read)) throw refuse(*error);
  auto& text = std::get<ExpressionText>(read);
  auto prepared = sandbox_->prepare(text);
  if (const auto* error = std::get_if<ExpressionError>(&prepared)) throw refuse(*error);

  Expression added;
  added.text = expression;
  added.statement = std::move(std::get<0>(prepared));
  for (const ColumnUse& use : text.uses) {
    added.columns.push_back(use.column);
    Column& column = columns_[static_cast<std::size_t>(use.column)];
    is_read_[static_cast<std::size_t>(use.column)] = true;
    column.is_step_function = column.is_step_function && use.is_step_function;
    column.steps.insert(column.steps.end(), use.steps.begin(), use.steps.end());
  }
  expressions_.push_back(std::move(added));
  return size() - 1;
}

void ExpressionSet::compile() {
  for (Column& column : columns_) {
    if (!column.is_step_function) column.steps.clear();
    std::sort(column.steps.begin(), column.steps.end());
    column.steps.erase(std::unique(column.steps.begin(), column.steps.end()), column.steps.end());
  }
  for (Expression& one : expressions_) {
    one.cells = 1;
    for (const int column : one.columns) {
      const std::uint64_t places = columns_[static_cast<std::size_t>(column)].places();
      one.cells = one.cells > kCellsMax / places ? 0 : one.cells * places;
    }
    if (one.cells > 0 && one.cells <= kDenseMax) one.table.assign(one.cells, -1);
  }
  is_compiled_ = true;
}

int ExpressionSet::size() const noexcept { return static_cast<int>(expressions_.size()); }

// Binds what the expression reads and runs it to its only row; the caller reads the value and resets.
int ExpressionSet::step(const Expression& expression, std::span<const Value> row) {
  TELLERD_ASSERT(row.size() == names_.size());
  sqlite3_stmt* statement = expression.statement.get();
  for (std::size_t n = 0; n < expression.columns.size(); ++n) {
    const Value& value = row[static_cast<std::size_t>(expression.columns[n])];
    const int parameter = static_cast<int>(n) + 1;
    int rc = SQLITE_OK;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      rc = sqlite3_bind_int64(statement, parameter, *integer);
    } else {
      // The text outlives the step, and no step comes before the next binding. A view of nothing is still a text.
      const std::string_view text = std::get<std::string_view>(value);
      rc = sqlite3_bind_text64(statement, parameter, text.data() == nullptr ? "" : text.data(), text.size(),
                               SQLITE_STATIC, SQLITE_UTF8);
    }
    if (rc != SQLITE_OK) return rc;
  }
  sandbox_->ticks = 0;
  return sqlite3_step(statement);
}

std::uint32_t ExpressionSet::Column::place_of(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    if (steps.empty()) return kNoPlace;  // also of a column that no steps tell
    if (steps.size() > kStepsLookedThrough)
      return static_cast<std::uint32_t>(std::upper_bound(steps.begin(), steps.end(), *integer) - steps.begin());
    std::uint32_t place = 0;
    for (const std::int64_t step : steps) place += step <= *integer;
    return place;
  }
  if (!steps.empty()) return kNoPlace;
  const std::string_view text = std::get<std::string_view>(value);
  if (last_text && last_text->first == text) return last_text->second;
  auto known = texts.find(text);
  if (known == texts.end()) {
    if (texts.size() >= kTextsMax || text.size() > kTextBytesMax) return kNoPlace;
    known = texts.emplace(text, static_cast<std::uint32_t>(texts.size())).first;
  }
  last_text = &*known;
  return known->second;
}

template <class PlaceOf>
bool ExpressionSet::remembered(int expression, std::span<const Value> row, PlaceOf&& place_of) {
  Expression& asked = expressions_[static_cast<std::size_t>(expression)];
  if (asked.cells == 0) return is_true(expression, row);
  std::uint64_t cell = 0;
  for (const int column : asked.columns) {
    const std::uint32_t place = place_of(static_cast<std::size_t>(column));
    if (place == kNoPlace) return is_true(expression, row);
    cell = cell * columns_[static_cast<std::size_t>(column)].places() + place;
  }
  if (!asked.table.empty()) {
    if (asked.table[cell] >= 0) return asked.table[cell] != 0;
  } else if (const auto known = asked.map.find(cell); known != asked.map.end()) {
    return known->second;
  }
  const std::uint64_t errors_before = sandbox_->errors;
  const bool answer = is_true(expression, row);
  if (sandbox_->errors != errors_before) return answer;  // each failure is counted
  if (!asked.table.empty()) {
    asked.table[cell] = answer;
  } else {
    if (asked.map.size() >= kAnswersMax) asked.map.clear();
    asked.map.emplace(cell, answer);
  }
  return answer;
}

bool ExpressionSet::holds(int expression, std::span<const Value> row) {
  return remembered(expression, row, [&](std::size_t column) { return columns_[column].place_of(row[column]); });
}

bool ExpressionSet::place(std::span<const Value> row) {
  TELLERD_ASSERT(is_compiled_ && row.size() == names_.size());
  placed_ = row;
  places_.resize(columns_.size(), kNoPlace);
  bool is_all = true;
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    if (!is_read_[column]) continue;
    places_[column] = columns_[column].place_of(row[column]);
    is_all = is_all && places_[column] != kNoPlace;
  }
  return is_all;
}

bool ExpressionSet::place_again(std::size_t column) {
  if (!is_read_[column]) return true;
  places_[column] = columns_[column].place_of(placed_[column]);
  return places_[column] != kNoPlace;
}

bool ExpressionSet::holds(int expression) {
  return remembered(expression, placed_, [&](std::size_t column) { return places_[column]; });
}

bool ExpressionSet::is_true(int expression, std::span<const Value> row) {
  const Expression& evaluated = expressions_.at(static_cast<std::size_t>(expression));
  sqlite3_stmt* statement = evaluated.statement.get();
  bool result = false;
  const bool is_row = step(evaluated, row) == SQLITE_ROW;
  const int type = is_row ? sqlite3_column_type(statement, 0) : SQLITE_BLOB;
  if (type == SQLITE_INTEGER)
    result = sqlite3_column_int64(statement, 0) != 0;
  else if (type == SQLITE_FLOAT)
    result = sqlite3_column_double(statement, 0) < 0.0 || sqlite3_column_double(statement, 0) > 0.0;
  else if (type != SQLITE_NULL)
    ++sandbox_->errors;
  sqlite3_reset(statement);
  return result;
}

std::optional<std::int64_t> ExpressionSet::integer(int expression, std::span<const Value> row) {
  const Expression& evaluated = expressions_.at(static_cast<std::size_t>(expression));
  sqlite3_stmt* statement = evaluated.statement.get();
  std::optional<std::int64_t> result;
  const bool is_row = step(evaluated, row) == SQLITE_ROW;
  const int type = is_row ? sqlite3_column_type(statement, 0) : SQLITE_BLOB;
  if (type == SQLITE_INTEGER) result = sqlite3_column_int64(statement, 0);
  if (type == SQLITE_FLOAT) {
    const double real = sqlite3_column_double(statement, 0);
    const bool is_whole = std::abs(real) <= kWholeRealMax && std::abs(real - std::trunc(real)) <= 0.0;
    if (is_whole) result = static_cast<std::int64_t>(real);
  }
  if (!result && type != SQLITE_NULL) ++sandbox_->errors;
  sqlite3_reset(statement);
  return result;
}

std::uint64_t ExpressionSet::error_count() const noexcept { return sandbox_->errors; }

std::vector<int> ExpressionSet::columns_read(int expression) const {
  return expressions_.at(static_cast<std::size_t>(expression)).columns;
}

bool ExpressionSet::is_step_function(int column) const {
  TELLERD_ASSERT(is_compiled_);
  return columns_.at(static_cast<std::size_t>(column)).is_step_function;
}

const std::vector<std::int64_t>& ExpressionSet::steps(int column) const {
  TELLERD_ASSERT(is_compiled_);
  return columns_.at(static_cast<std::size_t>(column)).steps;
}

}  // namespace tellerd::store
