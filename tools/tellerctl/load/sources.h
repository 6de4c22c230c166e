// The files of the source systems by name (domain.md 4 and 5), their columns, and how a cell becomes a field of an
// event. Everything about another system's columns stands in one table. Threads: one Translator a thread.
#pragma once
#include <array>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/json.h"

namespace tellerd::tellerctl {

enum class Clean : std::uint8_t {
  kTrim,    // blanks off both ends
  kDigits,  // a phone number
  kUpper,   // a code
  kLower,
  kWhole,    // "7.0" is 7
  kDay,      // the date of a date or time
  kDecimal,  // exact; an empty one is a bad amount, not an absent one
  kPair,     // "USD/RUB": base and quote
  kWhen,     // occurred_at, and the version where the source's rows are versioned by their date
};

struct Column {
  std::string_view column, field;
  Clean clean = Clean::kTrim;
};

struct Source {
  std::string_view stem, extension;  // "clients", ".json"; parts are clients_3.json
  std::string_view system;
  wire::Kind kind = wire::Kind::kNone;
  std::string_view currency;  // of rows that do not say; empty where they do
  bool is_versioned = false;
  std::span<const Column> columns;
};

// The source a file name belongs to; nothing for other files.
const Source* source_of(const std::filesystem::path& file);
// clients, profiles, aliases, rates, loans, then the rest: any order gives the same, this one decides less on the way.
int rank_of(const std::filesystem::path& file);

// Column to field, from a TOML file: `ClientNo = "customer"`. Columns without a line are left out.
using ColumnMap = std::map<std::string, std::string, std::less<>>;
ColumnMap read_column_map(const std::filesystem::path& file);

class Translator {
 public:
  explicit Translator(const core::Calendar& calendar) : calendar_(calendar) {}
  // Fields of an event from a row; views live until the next call.
  std::span<const wire::Field> translate(const Source& source, std::span<const wire::Field> row);
  std::span<const wire::Field> rename(const ColumnMap& map, std::span<const wire::Field> row);
  std::span<const wire::Field> without_empty(std::span<const wire::Field> row);

 private:
  void add(const Source& source, const Column& column, const wire::Field& cell);
  void give(std::string_view name, std::string value, wire::Form form = wire::Form::kText);

  const core::Calendar& calendar_;
  std::array<std::string, 64> texts_;
  std::size_t used_ = 0;
  std::vector<wire::Field> fields_;
};

}  // namespace tellerd::tellerctl
