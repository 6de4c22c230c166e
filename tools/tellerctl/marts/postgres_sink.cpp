#include "tellerctl/marts/postgres_sink.h"

#include <fmt/core.h>
#include <libpq-fe.h>

#include <memory>
#include <sstream>
#include <vector>

#include "core/fault.h"
#include "tellerctl/marts/export.h"

namespace tellerd::tellerctl {
namespace {

constexpr std::size_t kCopyBytes = 1u << 20;

class Server {
 public:
  explicit Server(const std::string& where) : handle_(PQconnectdb(where.c_str()), PQfinish) {
    if (PQstatus(handle_.get()) != CONNECTION_OK) fail("cannot be reached");
  }
  void execute(const std::string& sql, ExecStatusType wanted = PGRES_COMMAND_OK) {
    const Answer answer(PQexec(handle_.get(), sql.c_str()), PQclear);
    if (PQresultStatus(answer.get()) != wanted) fail("refused");
  }
  void copy(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += kCopyBytes) {
      const std::string_view part = bytes.substr(at, kCopyBytes);
      if (PQputCopyData(handle_.get(), part.data(), static_cast<int>(part.size())) != 1) fail("does not take rows");
    }
  }
  void end_copy() {
    if (PQputCopyEnd(handle_.get(), nullptr) != 1) fail("does not take rows");
    const Answer answer(PQgetResult(handle_.get()), PQclear);
    if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK) fail("refused the rows");
    while (const Answer rest{PQgetResult(handle_.get()), PQclear}) {
    }
  }
  std::string quoted(const std::string& name) {
    const std::unique_ptr<char, decltype(&PQfreemem)> safe(PQescapeIdentifier(handle_.get(), name.data(), name.size()),
                                                           PQfreemem);
    if (!safe) fail("cannot name " + name);
    return safe.get();
  }

 private:
  using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;
  [[noreturn]] void fail(const std::string& what) {
    std::string why = PQerrorMessage(handle_.get());
    while (!why.empty() && (why.back() == '\n' || why.back() == ' ')) why.pop_back();
    for (char& c : why) c = c == '\n' ? ' ' : c;
    throw core::Fault(core::Exit::kFailed, fmt::format("PostgreSQL {}: {}", what, why));
  }
  std::unique_ptr<PGconn, decltype(&PQfinish)> handle_;
};

struct Column {
  std::string name, quoted, type;
};

// Of the first row that knows: SQLite's views have values, not types.
std::vector<Column> columns_of(store::Database& database, const std::string& sql, Server& server) {
  std::vector<Column> columns;
  store::Statement rows(database, sql);
  for (int at = 0; at < rows.columns(); ++at)
    columns.push_back({std::string(rows.name(at)), server.quoted(std::string(rows.name(at))), ""});
  std::size_t unknown = columns.size();
  while (unknown > 0 && rows.step())
    for (int at = 0; at < rows.columns(); ++at) {
      std::string& type = columns[static_cast<std::size_t>(at)].type;
      if (!type.empty() || rows.is_null(at)) continue;
      type = rows.is_text(at) ? "text" : rows.is_real(at) ? "double precision" : "bigint";
      --unknown;
    }
  for (Column& column : columns)
    if (column.type.empty()) column.type = column.name == "probability" ? "double precision" : "text";
  return columns;
}

std::string listed(const std::vector<Column>& columns, const char* pattern) {
  std::string list;
  for (const Column& column : columns)
    list += (list.empty() ? "" : ", ") +
            fmt::format(fmt::runtime(pattern), fmt::arg("name", column.quoted), fmt::arg("type", column.type));
  return list;
}

// What came in becomes what the table holds.
void take_over(Server& server, const std::vector<Column>& columns, const std::string& table, const SinkTable& wanted) {
  if (wanted.key.empty()) {
    server.execute(fmt::format("DELETE FROM {}", table));
    return server.execute(
        fmt::format("INSERT INTO {0} ({1}) SELECT {1} FROM tellerd_incoming", table, listed(columns, "{name}")));
  }
  const std::string key = server.quoted(wanted.key);
  server.execute(fmt::format(
      "DELETE FROM {0} t WHERE NOT EXISTS (SELECT 1 FROM tellerd_incoming i WHERE i.{1} = t.{1})", table, key));
  server.execute(
      fmt::format("INSERT INTO {0} ({1}) SELECT {1} FROM tellerd_incoming ON CONFLICT ({2}) DO UPDATE SET {3}", table,
                  listed(columns, "{name}"), key, listed(columns, "{name} = excluded.{name}")));
}

}  // namespace

std::int64_t export_to_postgres(store::Database& database, const std::string& sql, const std::string& where,
                                const SinkTable& wanted, const Rewording* rewording) {
  Server server(where);
  server.execute("SET client_min_messages = warning");
  const auto columns = columns_of(database, sql, server);
  const std::string table = server.quoted(wanted.name);
  server.execute("BEGIN");
  const std::string key = wanted.key.empty() ? "" : fmt::format(", PRIMARY KEY ({})", server.quoted(wanted.key));
  server.execute(fmt::format("CREATE TABLE IF NOT EXISTS {} ({}{})", table, listed(columns, "{name} {type}"), key));
  server.execute(
      fmt::format("CREATE TEMP TABLE tellerd_incoming ({}) ON COMMIT DROP", listed(columns, "{name} {type}")));
  std::ostringstream rows;
  const std::int64_t count = export_rows(database, sql, ExportFormat::kCsv, rows, rewording);
  server.execute("COPY tellerd_incoming FROM STDIN (FORMAT csv, HEADER true)", PGRES_COPY_IN);
  server.copy(rows.view());
  server.end_copy();
  take_over(server, columns, table, wanted);
  server.execute("COMMIT");
  return count;
}

}  // namespace tellerd::tellerctl
