#include "store/bulk_insert.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include <algorithm>
#include <string>

#include "core/assert.h"

namespace tellerd::store {

// The rows that the running statement asks for; one a connection, since a connection runs one bulk insert at a time.
struct BulkTable {
  Database* database = nullptr;
  void (*fill)(void* context, std::size_t row, BulkRow& values) = nullptr;
  void* context = nullptr;
  std::size_t rows = 0;
  int columns = 0;

  static void answer(const BulkRow& row, int column, sqlite3_context* result) {
    const auto& value = row.values_[static_cast<std::size_t>(column)];
    const char* bytes = value.bytes.data() ? value.bytes.data() : "";
    const int size = static_cast<int>(value.bytes.size());
    switch (value.type) {
      case BulkRow::Type::kNull:
        return sqlite3_result_null(result);
      case BulkRow::Type::kInteger:
        return sqlite3_result_int64(result, value.integer);
      case BulkRow::Type::kText:
        return sqlite3_result_text(result, bytes, size, SQLITE_STATIC);
      case BulkRow::Type::kBlob:
        return sqlite3_result_blob(result, bytes, size, SQLITE_STATIC);
    }
  }

  void load(std::size_t at, BulkRow& row) const {
    row.count_ = 0;
    fill(context, at, row);
    TELLERD_ASSERT(row.count_ == columns);
  }
};

namespace {

struct Table : sqlite3_vtab {
  BulkTable* source;
};

struct Cursor : sqlite3_vtab_cursor {
  std::size_t at;
  BulkRow row;
};

const BulkTable& source_of(const sqlite3_vtab_cursor* cursor) {
  return *static_cast<const Table*>(cursor->pVtab)->source;
}

int connect(sqlite3* handle, void* source, int, const char* const*, sqlite3_vtab** made, char**) {
  std::string sql = "CREATE TABLE x(c0";
  for (int column = 1; column < BulkRow::kColumnsMax; ++column) sql += fmt::format(",c{}", column);
  const int code = sqlite3_declare_vtab(handle, (sql + ")").c_str());
  if (code != SQLITE_OK) return code;
  auto* table = new Table{};
  table->source = static_cast<BulkTable*>(source);
  *made = table;
  return SQLITE_OK;
}

int disconnect(sqlite3_vtab* table) {
  delete static_cast<Table*>(table);
  return SQLITE_OK;
}

int best_index(sqlite3_vtab*, sqlite3_index_info* plan) {
  plan->estimatedCost = 1'000;
  plan->estimatedRows = 1'000;
  return SQLITE_OK;
}

int open_cursor(sqlite3_vtab*, sqlite3_vtab_cursor** made) {
  *made = new Cursor{};
  return SQLITE_OK;
}

int close_cursor(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Cursor*>(cursor);
  return SQLITE_OK;
}

int filter(sqlite3_vtab_cursor* base, int, const char*, int, sqlite3_value**) {
  auto* cursor = static_cast<Cursor*>(base);
  cursor->at = 0;
  if (source_of(base).rows > 0) source_of(base).load(0, cursor->row);
  return SQLITE_OK;
}

int next(sqlite3_vtab_cursor* base) {
  auto* cursor = static_cast<Cursor*>(base);
  source_of(base).database->let_in();
  if (++cursor->at < source_of(base).rows) source_of(base).load(cursor->at, cursor->row);
  return SQLITE_OK;
}

int is_at_end(sqlite3_vtab_cursor* base) { return static_cast<Cursor*>(base)->at >= source_of(base).rows; }

int column(sqlite3_vtab_cursor* base, sqlite3_context* result, int at) {
  BulkTable::answer(static_cast<Cursor*>(base)->row, at, result);
  return SQLITE_OK;
}

int row_number(sqlite3_vtab_cursor* base, sqlite3_int64* number) {
  *number = static_cast<sqlite3_int64>(static_cast<Cursor*>(base)->at);
  return SQLITE_OK;
}

const sqlite3_module& module() {
  static const sqlite3_module made = [] {
    sqlite3_module rows{};
    rows.xConnect = connect;  // no xCreate: it cannot be made a table of the file
    rows.xBestIndex = best_index;
    rows.xDisconnect = disconnect;
    rows.xOpen = open_cursor;
    rows.xClose = close_cursor;
    rows.xFilter = filter;
    rows.xNext = next;
    rows.xEof = is_at_end;
    rows.xColumn = column;
    rows.xRowid = row_number;
    return rows;
  }();
  return made;
}

// OR ROLLBACK: SQLite then keeps no copy of each page as it was before the statement.
std::string insert_sql(std::string_view into, std::string_view columns, int count) {
  std::string from = "c0";
  for (int column = 1; column < count; ++column) from += fmt::format(",c{}", column);
  std::string verb(into);
  if (verb.starts_with("INSERT")) verb.insert(6, " OR ROLLBACK");
  return fmt::format("{}({}) SELECT {} FROM bulk_rows", verb, columns, from);
}

}  // namespace

BulkTable& Database::bulk_table() {
  if (!bulk_table_) {
    bulk_table_ = std::make_shared<BulkTable>();
    if (sqlite3_create_module_v2(handle_, "bulk_rows", &module(), bulk_table_.get(), nullptr) != SQLITE_OK)
      fail("bulk_rows");
  }
  return *bulk_table_;
}

BulkInsert::BulkInsert(Database& database, std::string_view into, std::string_view columns)
    : database_(database), columns_(1 + static_cast<int>(std::count(columns.begin(), columns.end(), ','))) {
  TELLERD_ASSERT(columns_ <= BulkRow::kColumnsMax);
  database.bulk_table();
  insert_ = Statement(database, insert_sql(into, columns, columns_));
}

void BulkInsert::run(std::size_t rows, FillRow fill, void* context) {
  if (rows == 0) return;
  database_.take_back();  // the table is the connection's, too
  BulkTable& table = database_.bulk_table();
  TELLERD_ASSERT(table.rows == 0);  // one at a time
  table = {&database_, fill, context, rows, columns_};
  struct Done {
    BulkTable& table;
    ~Done() { table = {}; }
  } const done{table};
  insert_.run();
}

BulkAppend::BulkAppend(Database& database, std::string_view table, std::string_view key, std::string_view columns)
    : database_(database),
      first_(database, fmt::format("INSERT INTO {}", table), fmt::format("{},{}", key, columns)),
      rest_(database, fmt::format("INSERT INTO {}", table), columns) {}

void BulkAppend::check(std::int64_t last) const {
  TELLERD_ASSERT(sqlite3_last_insert_rowid(database_.handle()) == last);
}

}  // namespace tellerd::store
