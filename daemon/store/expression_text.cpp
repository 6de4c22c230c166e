#include "store/expression_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>

namespace tellerd::store {
namespace {

enum class Kind : std::uint8_t { kColumn, kWord, kFunction, kInteger, kDecimal, kString, kOperator };

struct Token {
  Kind kind = Kind::kOperator;
  std::string text;  // words in upper case, functions in lower case, all else as written
  std::size_t at = 0;
  int column = -1;
  std::int64_t integer = 0;
  bool joins_bounds = false;  // the AND of a BETWEEN, which joins no conditions
};

constexpr auto kFunctions =
    std::to_array<std::string_view>({"abs", "coalesce", "glob", "ifnull", "iif", "instr", "length", "like", "lower",
                                     "max", "min", "nullif", "round", "substr", "upper"});
constexpr auto kWords = std::to_array<std::string_view>(
    {"AND",    "AS",      "BETWEEN", "CASE", "CAST",    "ELSE", "END", "ESCAPE", "FALSE", "GLOB", "IN",  "IS",
     "ISNULL", "INTEGER", "LIKE",    "NOT",  "NOTNULL", "NULL", "OR",  "TEXT",   "THEN",  "TRUE", "WHEN"});
constexpr auto kOperators = std::to_array<std::string_view>(
    {"<=", ">=", "<>", "!=", "==", "||", "<", ">", "=", "+", "-", "*", "/", "%", "(", ")", ","});

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_name_start(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name(char c) noexcept { return is_name_start(c) || is_digit(c); }
bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
char to_upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

template <typename List>
bool contains(const List& list, std::string_view text) noexcept {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string mapped(std::string_view text, char (*change)(char) noexcept) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), change);
  return out;
}

// Reads the text from left to right; the first thing not on a list ends it with an error.
class Reader {
 public:
  Reader(std::string_view text, std::span<const std::string> columns) : text_(text), columns_(columns) {}

  std::optional<ExpressionError> read() {
    if (text_.size() > kExpressionBytesMax) return ExpressionError{"longer than 4000 bytes"};
    while (!error_ && skip_blanks()) read_token();
    if (!error_ && tokens_.empty()) error_ = ExpressionError{"empty"};
    if (!error_) check_parentheses();
    return error_;
  }
  std::vector<Token>& tokens() noexcept { return tokens_; }

 private:
  bool skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    return at_ < text_.size();
  }

  void refuse(std::string what, std::size_t at) {
    if (!error_) error_ = ExpressionError{std::move(what) + " at character " + std::to_string(at + 1)};
  }

  char peek(std::size_t ahead) const noexcept { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void push(Kind kind, std::string text, std::size_t begin) {
    Token token;
    token.kind = kind;
    token.text = std::move(text);
    token.at = begin;
    tokens_.push_back(std::move(token));
  }

  void read_token() {
    const char c = text_[at_];
    if (is_name_start(c)) return read_name();
    if (is_digit(c)) return read_number();
    if (c == '\'') return read_string();
    if ((c == '-' && peek(1) == '-') || (c == '/' && peek(1) == '*')) return refuse("a comment is not allowed", at_);
    for (const std::string_view op : kOperators) {
      if (text_.substr(at_, op.size()) != op) continue;
      push(Kind::kOperator, std::string(op), at_);
      at_ += op.size();
      return;
    }
    refuse_character(c);
  }

  void refuse_character(char c) {
    if (c == '"' || c == '`' || c == '[') return refuse("a quoted name is not allowed", at_);
    if (c == '?' || c == ':' || c == '@' || c == '$' || c == '#') return refuse("a parameter is not allowed", at_);
    if (c == ';') return refuse("a second statement is not allowed", at_);
    if (c > ' ' && c < '\x7f') return refuse(std::string("the character ") + c + " is not allowed", at_);
    refuse("only ASCII is allowed outside quotes: a strange character", at_);
  }

  void read_name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    const std::string name(text_.substr(begin, at_ - begin));
    if (const auto found = std::find(columns_.begin(), columns_.end(), name); found != columns_.end()) {
      push(Kind::kColumn, name, begin);
      tokens_.back().column = static_cast<int>(found - columns_.begin());
      return;
    }
    skip_blanks();
    const std::string lower = mapped(name, to_lower);
    const std::string upper = mapped(name, to_upper);
    if (peek(0) == '(' && is_function_allowed(lower)) return push(Kind::kFunction, lower, begin);
    if (contains(kWords, upper)) return push(Kind::kWord, upper, begin);
    if (peek(0) == '(') return refuse("the function " + name + " is not allowed", begin);
    refuse("unknown column " + name, begin);
  }

  void read_number() {
    const std::size_t begin = at_;
    while (is_digit(peek(0))) ++at_;
    const bool is_decimal = peek(0) == '.' && is_digit(peek(1));
    if (is_decimal) {
      ++at_;
      while (is_digit(peek(0))) ++at_;
    }
    if (is_name(peek(0)) || peek(0) == '.') return refuse("not a plain decimal number", begin);
    const std::string_view digits = text_.substr(begin, at_ - begin);
    push(is_decimal ? Kind::kDecimal : Kind::kInteger, std::string(digits), begin);
    if (is_decimal) return;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), tokens_.back().integer);
    if (parsed.ec != std::errc()) refuse("a number over 64 bits", begin);
  }

  void read_string() {
    const std::size_t begin = at_;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\0') return refuse("a zero byte", at_);
      if (text_[at_] != '\'') continue;
      if (peek(1) != '\'') break;
      ++at_;
    }
    if (at_ == text_.size()) return refuse("a text without its closing quote", begin);
    ++at_;
    push(Kind::kString, std::string(text_.substr(begin, at_ - begin)), begin);
  }

  // The wrapping parenthesis must not be closed from inside, and min and max of one argument would be aggregates.
  void check_parentheses() {
    struct Open {
      std::size_t at;
      bool needs_comma, has_comma;
    };
    std::vector<Open> open;
    for (std::size_t n = 0; n < tokens_.size(); ++n) {
      const Token& token = tokens_[n];
      if (token.kind != Kind::kOperator) continue;
      if (token.text == "(") {
        const bool is_extreme = n > 0 && tokens_[n - 1].kind == Kind::kFunction &&
                                (tokens_[n - 1].text == "min" || tokens_[n - 1].text == "max");
        open.push_back({token.at, is_extreme, false});
      } else if (token.text == ",") {
        if (open.empty()) return refuse("a comma outside parentheses", token.at);
        open.back().has_comma = true;
      } else if (token.text == ")") {
        if (open.empty()) return refuse("a parenthesis closed but never opened", token.at);
        if (open.back().needs_comma && !open.back().has_comma)
          return refuse("min and max need two arguments", open.back().at);
        open.pop_back();
      }
    }
    if (!open.empty()) refuse("a parenthesis never closed", open.back().at);
  }

  std::string_view text_;
  std::span<const std::string> columns_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
  std::optional<ExpressionError> error_;
};

// Finds the uses of columns that are whole comparisons with a literal, by looking at the neighbours: a comparison
// counts only when what stands before and after it binds more loosely than any comparison. In doubt a use is not one.
class StepFinder {
 public:
  explicit StepFinder(std::vector<Token>& tokens) : tokens_(tokens) {
    for (std::size_t n = 0; n < tokens_.size(); ++n)
      if (is_word(n, "BETWEEN")) mark_bounds(n);
  }

  // Adds the steps of the column token n to the use, or marks the use as something else.
  void find(std::size_t n, ColumnUse& use) const {
    if (!is_plain_ || !(find_on_right(n, use) || find_on_left(n, use))) use.is_step_function = false;
  }

 private:
  struct Literal {
    std::size_t end;                      // the token after it
    std::optional<std::int64_t> integer;  // nothing for a text
  };

  bool is_word(std::size_t n, std::string_view word) const {
    return n < tokens_.size() && tokens_[n].kind == Kind::kWord && tokens_[n].text == word;
  }
  bool is_operator(std::size_t n, std::string_view op) const {
    return n < tokens_.size() && tokens_[n].kind == Kind::kOperator && tokens_[n].text == op;
  }

  std::optional<Literal> literal_at(std::size_t n) const {
    const bool is_negative = is_operator(n, "-");
    if (is_negative) ++n;
    if (n >= tokens_.size()) return std::nullopt;
    const Token& token = tokens_[n];
    if (token.kind == Kind::kString && !is_negative) return Literal{n + 1, std::nullopt};
    if (token.kind != Kind::kInteger) return std::nullopt;
    return Literal{n + 1, is_negative ? -token.integer : token.integer};
  }

  // A BETWEEN with anything but literals as bounds makes its AND ambiguous to a reader of tokens: then nothing is said.
  void mark_bounds(std::size_t between) {
    const auto low = literal_at(between + 1);
    if (low && is_word(low->end, "AND") && literal_at(low->end + 1))
      tokens_[low->end].joins_bounds = true;
    else
      is_plain_ = false;
  }

  bool may_stand_before(std::size_t begin) const {
    if (begin == 0) return true;
    const Token& token = tokens_[begin - 1];
    if (token.kind == Kind::kOperator) return token.text == "(" || token.text == ",";
    if (token.kind != Kind::kWord || token.joins_bounds) return false;
    if (token.text == "NOT") return begin < 2 || !is_word(begin - 2, "IS");
    constexpr auto kLoose = std::to_array<std::string_view>({"AND", "OR", "CASE", "WHEN", "THEN", "ELSE"});
    return contains(kLoose, token.text);
  }

  bool may_stand_after(std::size_t end) const {
    if (end == tokens_.size()) return true;
    const Token& token = tokens_[end];
    if (token.kind == Kind::kOperator) return token.text == ")" || token.text == ",";
    if (token.kind != Kind::kWord || token.joins_bounds) return false;
    constexpr auto kLoose = std::to_array<std::string_view>({"AND", "OR", "WHEN", "THEN", "ELSE", "END"});
    return contains(kLoose, token.text);
  }

  // At `value` the result changes; or only past it.
  static void add_at(std::int64_t value, ColumnUse& use) { use.steps.push_back(value); }
  static void add_past(std::int64_t value, ColumnUse& use) {
    if (value != INT64_MAX) use.steps.push_back(value + 1);
  }

  // `column op literal`; false when op is no comparison.
  static bool add_steps(std::string_view op, const Literal& literal, ColumnUse& use) {
    const bool is_equality = op == "=" || op == "==" || op == "<>" || op == "!=";
    const bool is_at = op == ">=" || op == "<";
    const bool is_past = op == ">" || op == "<=";
    if (!is_equality && !is_at && !is_past) return false;
    if (!literal.integer) return true;
    if (!is_past) add_at(*literal.integer, use);
    if (!is_at) add_past(*literal.integer, use);
    return true;
  }

  static std::string_view mirrored(std::string_view op) {
    if (op == "<") return ">";
    if (op == "<=") return ">=";
    if (op == ">") return "<";
    if (op == ">=") return "<=";
    return op;
  }

  // The literal stands right of the column: col >= 5, col BETWEEN 1 AND 3, col NOT IN (1, 2).
  bool find_on_right(std::size_t n, ColumnUse& use) const {
    if (!may_stand_before(n)) return false;
    std::size_t op = n + 1;
    if (is_word(op, "NOT") && (is_word(op + 1, "BETWEEN") || is_word(op + 1, "IN"))) ++op;
    if (is_word(op, "BETWEEN")) return find_between(op, use);
    if (is_word(op, "IN")) return find_in(op, use);
    if (op >= tokens_.size() || tokens_[op].kind != Kind::kOperator) return false;
    const auto literal = literal_at(op + 1);
    return literal && may_stand_after(literal->end) && add_steps(tokens_[op].text, *literal, use);
  }

  bool find_between(std::size_t between, ColumnUse& use) const {
    const auto low = literal_at(between + 1);
    const auto high = literal_at(low->end + 1);
    if (!may_stand_after(high->end)) return false;
    if (low->integer) add_at(*low->integer, use);
    if (high->integer) add_past(*high->integer, use);
    return true;
  }

  bool find_in(std::size_t in, ColumnUse& use) const {
    if (!is_operator(in + 1, "(")) return false;
    std::vector<std::int64_t> values;
    for (std::size_t at = in + 2;;) {
      const auto literal = literal_at(at);
      if (!literal) return false;
      if (literal->integer) values.push_back(*literal->integer);
      at = literal->end + 1;
      if (is_operator(literal->end, ",")) continue;
      if (!is_operator(literal->end, ")") || !may_stand_after(at)) return false;
      break;
    }
    for (const std::int64_t value : values) {
      add_at(value, use);
      add_past(value, use);
    }
    return true;
  }

  // The literal stands left of the column: 5 < col, -5 < col.
  bool find_on_left(std::size_t n, ColumnUse& use) const {
    if (n < 2 || tokens_[n - 1].kind != Kind::kOperator || !may_stand_after(n + 1)) return false;
    const std::size_t begin = n >= 3 && is_operator(n - 3, "-") ? n - 3 : n - 2;
    const auto literal = literal_at(begin);
    return literal && literal->end == n - 1 && may_stand_before(begin) &&
           add_steps(mirrored(tokens_[n - 1].text), *literal, use);
  }

  std::vector<Token>& tokens_;
  bool is_plain_ = true;
};

}  // namespace

bool is_function_allowed(std::string_view lower_case_name) noexcept { return contains(kFunctions, lower_case_name); }

std::variant<ExpressionText, ExpressionError> read_expression(std::string_view text,
                                                              std::span<const std::string> columns) {
  Reader reader(text, columns);
  if (auto error = reader.read()) return std::move(*error);
  const StepFinder steps(reader.tokens());
  ExpressionText out;
  for (std::size_t n = 0; n < reader.tokens().size(); ++n) {
    const Token& token = reader.tokens()[n];
    if (n > 0) out.sql += ' ';
    if (token.kind != Kind::kColumn) {
      out.sql += token.text;
      continue;
    }
    auto use =
        std::find_if(out.uses.begin(), out.uses.end(), [&](const ColumnUse& u) { return u.column == token.column; });
    if (use == out.uses.end()) use = out.uses.insert(use, ColumnUse{token.column, true, {}});
    steps.find(n, *use);
    out.sql += '?' + std::to_string(use - out.uses.begin() + 1);
  }
  return out;
}

}  // namespace tellerd::store
