#include "tellerctl/marts/export.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <ostream>

#include "core/fault.h"

namespace tellerd::tellerctl {
namespace {

using nlohmann::ordered_json;

constexpr const char* kChurnSql =
    "SELECT customer_key AS customer, probability, state, as_of, horizon_weeks, reasons, model FROM mart_churn";

struct Alias {
  std::string_view name, sql;
};
// churn has the columns of domain.md 1; segments is the part of a customer that marketing reads.
constexpr Alias kAliases[] = {
    {"churn", kChurnSql},
    {"segments",
     "SELECT key, name, tier, combined_segment, tier_since_us, transaction_total_minor, transaction_count, login_count,"
     " activity_count, bill_total_minor, holding_count, portfolio_value_minor FROM mart_customer"},
    {"offers", "SELECT * FROM mart_offer"},
    {"overdue", "SELECT * FROM mart_loan_overdue_month"},
    {"marketing", "SELECT * FROM mart_marketing_daily"},
    // The columns and their order are those of VICIdial's standard lead loader; the phone in digits after the country's
    // code.
    {"vicidial",
     "SELECT printf('%016x', o.offer_id) AS vendor_lead_code, t.queue AS source_id, '' AS list_id, '7' AS phone_code,"
     " substr(replace(replace(replace(replace(replace(p.phone, '+', ''), ' ', ''), '-', ''), '(', ''), ')', ''), 2) AS "
     "phone_number,"
     " '' AS title, p.name AS first_name, '' AS middle_initial, '' AS last_name, '' AS address1, '' AS address2, '' AS "
     "address3, p.city AS city, '' AS state,"
     " p.region AS province, '' AS postal_code, 'RUS' AS country_code, substr(p.gender, 1, 1) AS gender, p.birth_date "
     "AS date_of_birth, '' AS alt_phone, p.email AS email,"
     " i.display_key AS security_phrase, t.type || '; valid until ' || date(o.expires_us / 1000000, 'unixepoch') AS "
     "comments,"
     " 32 - t.priority AS rank, t.action AS owner FROM offer o JOIN offer_state s ON s.number = o.number JOIN "
     "offer_template t ON t.number = o.template"
     " JOIN identity i ON i.id = o.customer JOIN gold_profile g ON g.customer = o.customer JOIN silver_profile p ON "
     "p.seq = g.profile_seq"
     " WHERE s.state = 'READY' AND p.phone <> '' AND o.number NOT IN (SELECT number FROM held_offer) ORDER BY "
     "t.priority, o.number"}};

std::string known_names(store::Database& database) {
  std::string names;
  for (const Alias& alias : kAliases) names += std::string(alias.name) + ", ";
  store::Statement views(database,
                         "SELECT name FROM sqlite_master WHERE type='view' AND name GLOB 'mart_*' ORDER BY name");
  while (views.step()) names += std::string(views.text(0)) + ", ";
  names.resize(names.size() - 2);
  return names;
}

ordered_json value_of(const store::Statement& row, int column) {
  if (row.is_null(column)) return nullptr;
  if (row.is_text(column)) return std::string(row.text(column));
  if (row.is_real(column)) return row.real(column);
  return row.integer(column);
}

bool is_reworded(const store::Statement& row, int column, const Rewording* rewording) {
  return rewording && row.name(column) == rewording->column && !row.is_null(column);
}

void append_csv_row(const store::Statement& row, const Rewording* rewording, std::string& line) {
  for (int column = 0; column < row.columns(); ++column) {
    if (column > 0) line += ',';
    if (is_reworded(row, column, rewording))
      append_csv_cell(line, rewording->words(row.text(column)));
    else
      append_csv_cell(line, row.is_null(column) ? std::string_view() : row.text(column));
  }
  line += "\r\n";
}

void append_json_row(const store::Statement& row, const Rewording* rewording, std::string& line) {
  ordered_json object;
  for (int column = 0; column < row.columns(); ++column) {
    ordered_json& value = object[std::string(row.name(column))];
    if (is_reworded(row, column, rewording))
      value = rewording->words(row.text(column));
    else
      value = value_of(row, column);
  }
  line += object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  line += '\n';
}

}  // namespace

std::string export_sql(store::Database& database, std::string_view name) {
  for (const Alias& alias : kAliases)
    if (alias.name == name) return std::string(alias.sql);
  store::Statement found(database,
                         "SELECT name FROM sqlite_master WHERE type='view' AND name GLOB 'mart_*' AND name=?");
  if (!found.bind(1, name).step())
    throw core::Fault(core::Exit::kFailed,
                      "there is no mart " + std::string(name) + "; there are " + known_names(database));
  return "SELECT * FROM " + std::string(found.text(0));
}

std::string churn_sql(const ChurnChoice& choice) {
  std::string sql = kChurnSql;
  if (choice.probability_min >= 0) sql += fmt::format(" WHERE probability >= {:.9f}", choice.probability_min);
  if (choice.top > 0) sql += fmt::format(" ORDER BY probability DESC NULLS LAST, customer_key LIMIT {}", choice.top);
  return sql;
}

std::int64_t export_rows(store::Database& database, const std::string& sql, ExportFormat format, std::ostream& to,
                         const Rewording* rewording, const RowFilter& keeps) {
  store::Statement rows(database, sql);
  std::string line;
  if (format == ExportFormat::kCsv) {
    for (int column = 0; column < rows.columns(); ++column) {
      if (column > 0) line += ',';
      append_csv_cell(line, rows.name(column));
    }
    to << line << "\r\n";
  }
  std::int64_t count = 0;
  while (rows.step()) {
    if (keeps && !keeps(rows)) continue;
    ++count;
    line.clear();
    format == ExportFormat::kCsv ? append_csv_row(rows, rewording, line) : append_json_row(rows, rewording, line);
    to << line;
  }
  return count;
}

void append_csv_cell(std::string& line, std::string_view text) {
  const bool needs_quotes = text.find_first_of(",\"\r\n") != std::string_view::npos;
  if (!needs_quotes) {
    line += text;
    return;
  }
  line += '"';
  for (const char c : text) {
    if (c == '"') line += '"';
    line += c;
  }
  line += '"';
}

}  // namespace tellerd::tellerctl
