// Marts of teller.db as CSV (RFC 4180, UTF-8, a header) or JSON lines, read in one snapshot beside the running daemon.
// Errors: core::Fault with a sentence. Threads: one.
#pragma once
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

#include "store/database.h"

namespace tellerd::tellerctl {

enum class ExportFormat { kCsv, kNdjson };

// The statement behind an export name: an alias (churn, segments, offers, overdue, marketing) or a mart's own name.
// Throws when there is no such mart.
std::string export_sql(store::Database& database, std::string_view name);

// Whom the churn export names: everybody, the most likely to leave, those from a probability on.
struct ChurnChoice {
  std::int64_t top = 0;         // 0: all
  double probability_min = -1;  // under 0: also those without one
};
std::string churn_sql(const ChurnChoice& choice);

// A column whose text is put in other words on its way.
struct Rewording {
  std::string column;
  std::function<std::string(std::string_view)> words;
};

// Whether a row goes out.
using RowFilter = std::function<bool(const store::Statement& row)>;

// Rows written.
std::int64_t export_rows(store::Database& database, const std::string& sql, ExportFormat format, std::ostream& to,
                         const Rewording* rewording = nullptr, const RowFilter& keeps = {});

void append_csv_cell(std::string& line, std::string_view text);

}  // namespace tellerd::tellerctl
