// Marts by name: /api/v1/marts lists them and says which the asker may read, /api/v1/marts/NAME gives rows with
// filters.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <span>

#include "app/api.h"
#include "core/fault.h"
#include "core/log.h"

namespace tellerd::app {
namespace {

using deliver::Json;
using ops::Role;

constexpr int kRowsDefault = 100, kRowsMax = 1000, kOffsetMax = 1'000'000;

// Sums are open. Those about merchants are not, and every other mart has rows about single customers and is the
// analyst's.
constexpr std::string_view kSums[] = {"mart_loan_overdue_month", "mart_loan_vintage",   "mart_overdue_group",
                                      "mart_dpd_bucket",         "mart_dpd_transition", "mart_marketing_daily",
                                      "mart_segment_counts",     "mart_campaign",       "mart_offer_type",
                                      "mart_acceptance",         "mart_silence",        "mart_model",
                                      "mart_model_outcome",      "mart_model_drift",    "mart_model_feature",
                                      "mart_data_quality",       "mart_product",        "mart_category_forecast"};
constexpr std::string_view kMerchantSums[] = {"mart_merchant_week", "mart_merchant_audience"};
constexpr std::string_view kPersonal[] = {"key", "customer_key",
                                          "name"};  // never in an address: those are kept in histories and logs

bool is_among(std::span<const std::string_view> marts, std::string_view mart) {
  return std::find(marts.begin(), marts.end(), mart) != marts.end();
}
bool is_sum(std::string_view mart) { return is_among(kSums, mart) || is_among(kMerchantSums, mart); }
bool may_read(const ops::Principal& who, std::string_view mart) {
  if (is_among(kSums, mart)) return true;
  return who.is(Role::kAnalyst) || (who.is(Role::kMerchantManager) && is_among(kMerchantSums, mart));
}

struct Filter {
  std::string column, compare;  // =, >= or <=
  std::string text;
  std::optional<std::int64_t> number;
};
struct MartQuery {
  int limit = kRowsDefault, offset = 0;
  bool is_csv = false, is_descending = false;
  std::string sort;
  std::vector<Filter> filters;
};

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() && !text.empty() ? std::optional(value)
                                                                                              : std::nullopt;
}

// A column by itself, or with _from or _to behind it.
std::optional<Filter> filter_of(const std::string& name, const std::string& value,
                                const std::set<std::string>& columns) {
  if (columns.contains(name)) return Filter{name, "=", value, whole(value)};
  for (const auto& [ending, compare] : {std::pair{"_from", ">="}, std::pair{"_to", "<="}}) {
    if (!name.ends_with(ending)) continue;
    const std::string column = name.substr(0, name.size() - std::string_view(ending).size());
    if (columns.contains(column)) return Filter{column, compare, value, whole(value)};
  }
  return std::nullopt;
}

std::optional<MartQuery> query_of(const ops::Parameters& parameters, const std::set<std::string>& columns) {
  MartQuery query;
  for (const auto& [name, value] : parameters) {
    if (name == "limit" || name == "offset") {
      const auto number =
          name == "limit" ? ops::number_within(value, 1, kRowsMax) : ops::number_within(value, 0, kOffsetMax);
      if (!number) return std::nullopt;
      (name == "limit" ? query.limit : query.offset) = *number;
    } else if (name == "format") {
      if (value != "json" && value != "csv") return std::nullopt;
      query.is_csv = value == "csv";
    } else if (name == "sort") {
      query.is_descending = value.starts_with('-');
      query.sort = value.substr(query.is_descending ? 1 : 0);
      if (!columns.contains(query.sort)) return std::nullopt;
    } else {
      const auto filter = filter_of(name, value, columns);
      if (!filter || std::find(std::begin(kPersonal), std::end(kPersonal), filter->column) != std::end(kPersonal))
        return std::nullopt;
      query.filters.push_back(*filter);
    }
  }
  return query;
}

// A mart's column has no declared type: a text that is a number is compared as both.
std::string condition_of(const Filter& filter, int at) {
  const std::string column = '"' + filter.column + '"';
  if (filter.compare == "=" && filter.text.empty()) return fmt::format("coalesce({},'')=?{}", column, at);
  if (filter.compare == "=") return fmt::format("({0} = ?{1} OR {0} = ?{2})", column, at, at + 1);
  return fmt::format("CASE typeof({0}) WHEN 'text' THEN {0} {1} ?{2} ELSE {0} {1} ?{3} END", column, filter.compare, at,
                     at + 1);
}

std::string question_of(const std::string& mart, const MartQuery& query) {
  std::string sql = "SELECT * FROM " + mart;
  int at = 1;
  for (const Filter& filter : query.filters) {
    sql += (at == 1 ? " WHERE " : " AND ") + condition_of(filter, at);
    at += 2;
  }
  if (!query.sort.empty()) sql += fmt::format(" ORDER BY \"{}\"{}", query.sort, query.is_descending ? " DESC" : "");
  sql +=
      fmt::format(" LIMIT {} OFFSET {}", query.limit + 1, query.offset);  // one more tells whether there is a next page
  return sql;
}
void bind_filters(store::Statement& rows, const MartQuery& query) {
  int at = 1;
  for (const Filter& filter : query.filters) {
    rows.bind(at, std::string_view(filter.text));
    const bool takes_number = filter.compare != "=" || !filter.text.empty();
    if (takes_number && filter.number)
      rows.bind(at + 1, *filter.number);
    else if (takes_number)
      rows.bind(at + 1, std::string_view(filter.text));
    at += 2;
  }
}

struct Page {
  std::string body;
  std::set<std::string> keys;  // of the customers it is about
  int rows = 0;
};
// The column that names a customer; -1 without one.
int key_column(const store::Statement& rows) {
  int found = -1;
  for (int column = 0; column < rows.columns(); ++column)
    if (rows.name(column) == "customer_key" || (rows.name(column) == "key" && found < 0)) found = column;
  return found;
}

// Written as the rows come: a tree of values of a hundred customers costs more than finding them.
Page json_page(store::Statement& rows, const MartQuery& query) {
  Page page;
  const int key = key_column(rows);
  deliver::JsonText text;
  text.open();
  text.open_list("rows");
  bool has_more = false;
  while (rows.step()) {
    has_more = page.rows == query.limit;
    if (has_more) break;
    ++page.rows;
    if (key >= 0 && rows.is_text(key)) page.keys.emplace(rows.text(key));
    deliver::put_row(text, rows);
  }
  rows.reset();
  text.end_list();
  if (has_more)
    text.put("next_offset", std::int64_t{query.offset} + query.limit);
  else
    text.put_null("next_offset");
  text.end();
  page.body = std::move(text).text();
  return page;
}

Page csv_page(store::Statement& rows, const MartQuery& query) {
  Page page;
  const int key = key_column(rows);
  const std::string name = key < 0 ? std::string() : std::string(rows.name(key));
  Json all = deliver::json_rows(rows);
  if (static_cast<int>(all.size()) > query.limit) all.erase(all.size() - 1);
  page.rows = static_cast<int>(all.size());
  for (const auto& row : all)
    if (key >= 0 && row[name].is_string()) page.keys.insert(row[name].get<std::string>());
  page.body = csv_of(all);
  return page;
}

// The internal numbers of the customers that the rows are about: the audit log names nobody by key.
std::string subjects_of(store::Database& database, const std::set<std::string>& keys) {
  store::Statement find(database, "SELECT leader FROM identity WHERE display_key = ?");
  std::set<std::int64_t> ids;
  for (const std::string& key : keys) {
    find.bind(1, std::string_view(key));
    while (find.step()) ids.insert(find.integer(0));
  }
  return fmt::format("{}", fmt::join(ids, " "));
}

bool is_mart(store::Database& database, std::string_view name) {
  store::Statement known(
      database, "SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = ? AND name LIKE 'mart\\_%' ESCAPE '\\'");
  const bool is_known = known.bind(1, name).step();
  known.reset();
  return is_known;
}

std::set<std::string> columns_of(store::Database& database, const std::string& mart) {
  const store::Statement row(database, "SELECT * FROM " + mart + " LIMIT 0");
  std::set<std::string> names;
  for (int column = 0; column < row.columns(); ++column) names.emplace(row.name(column));
  return names;
}

ops::Reply rows_or_refusal(Readers::Turn& turn, const std::string& name, const ops::Parameters& parameters) {
  if (!is_mart(*turn, name)) return refuse(404, "There is no such mart.");
  const auto columns = columns_of(*turn, name);
  const auto query = query_of(parameters, columns);
  if (!query) {
    return refuse(
        400,
        "A mart takes limit (1 to 1000), offset (0 to 1000000), format (json or csv), sort (a column, or -column) and "
        "its columns as filters "
        "(column, column_from, column_to), each once; a customer is looked up by POST /api/v1/customers/find.");
  }
  store::Statement rows(*turn, question_of(name, *query));
  bind_filters(rows, *query);
  Page page = query->is_csv ? csv_page(rows, *query) : json_page(rows, *query);
  ops::Reply reply;
  reply.answer.body = std::move(page.body);
  if (query->is_csv) {
    reply.answer.content_type = "text/csv; charset=utf-8";
    reply.answer.file_name = name + ".csv";
  }
  if (is_sum(name)) {
    if (!query->is_csv) reply.answer.etag = etag_of(reply.answer.body);
    return reply;
  }
  reply.reading = ops::Reading{"read " + name, subjects_of(*turn, page.keys),
                               fmt::format("{} rows from {}", page.rows, query->offset)};
  return reply;
}

ops::Reply mart(Readers& readers, Answers& answers, const ops::Ask& ask) {
  const std::string name(ask.rest);
  if (!may_read(ask.who, name)) {
    return ask.who.is_signed_in() ? refuse(403, "Your role may not see this mart.")
                                  : refuse(401, "This mart needs somebody who has signed in, or is not there.");
  }
  if (is_sum(name))
    return kept_answer(answers, "mart " + name + "?" + ask.request.query,
                       [&readers, name, parameters = ask.parameters] {
                         auto turn = readers.take(kSumUs);
                         return rows_or_refusal(turn, name, parameters);
                       });
  auto turn = readers.take();
  return rows_or_refusal(turn, name, ask.parameters);
}

ops::Reply list(Readers& readers, const ops::Ask& ask) {
  const auto turn = readers.take();
  Json found = Json::array();
  for (const auto& row :
       rows_of(*turn,
               "SELECT name FROM sqlite_master WHERE type='view' AND name LIKE 'mart\\_%' ESCAPE '\\' ORDER BY name")) {
    const std::string name = row["name"];
    const bool may = may_read(ask.who, name);
    if (!may && !ask.who.is_signed_in()) continue;  // nobody learns what there is without signing in
    try {
      found.push_back({{"name", name}, {"may_read", may}, {"columns", columns_of(*turn, name)}});
    } catch (const core::Fault& unreadable) {  // one that cannot be read does not hide the others
      core::log(core::Level::kError, "ops", unreadable.what());
    }
  }
  return tell({{"marts", found}});
}

}  // namespace

std::vector<ops::Resource> mart_resources(Readers& readers, Answers& answers) {
  return {
      {"GET", "/api/v1/marts", ops::kEverybody, false, [&readers](const ops::Ask& ask) { return list(readers, ask); }},
      {"GET", "/api/v1/marts/", ops::kEverybody, true,
       [&readers, &answers](const ops::Ask& ask) { return in_time([&] { return mart(readers, answers, ask); }); }}};
}

}  // namespace tellerd::app
