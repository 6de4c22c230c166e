// Marts of teller.db as CSV (RFC 4180, UTF-8, a header) or JSON lines, read in one snapshot beside the running daemon.
// Errors: core::Fault with a sentence. Threads: one.
#pragma once
#include <iosfwd>
#include <string>
#include <string_view>

#include "store/database.h"

namespace tellerd::tellerctl {

enum class ExportFormat { kCsv, kNdjson };

// The statement behind an export name: an alias (churn, segments, offers, overdue, marketing) or a mart's own name.
// Throws when there is no such mart.
std::string export_sql(store::Database& database, std::string_view name);

// Rows written.
std::int64_t export_rows(store::Database& database, const std::string& sql, ExportFormat format, std::ostream& to);

void append_csv_cell(std::string& line, std::string_view text);

}  // namespace tellerd::tellerctl
