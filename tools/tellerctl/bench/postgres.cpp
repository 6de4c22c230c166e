#include "tellerctl/bench/postgres.h"

#include <fmt/core.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <unordered_map>
#include <utility>

#include "core/fault.h"
#include "tellerctl/bench/interrupt.h"
#include "tellerctl/bench/pipeline.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr const char* kBinaries = "/usr/lib/postgresql/15/bin";
constexpr const char* kUser = "postgres";
constexpr auto kStartPatience = std::chrono::seconds(30);
constexpr std::int64_t kPreloadRows = 100'000;

constexpr const char* kSchema = R"(
CREATE TABLE fact(kind smallint, id text, version bigint NOT NULL, customer text NOT NULL, occurred_us bigint NOT NULL,
  amount_minor bigint NOT NULL, minutes int NOT NULL, detail text NOT NULL, PRIMARY KEY(kind, id));
CREATE TABLE customer(key text PRIMARY KEY, transaction_count bigint NOT NULL DEFAULT 0,
  transaction_total_minor bigint NOT NULL DEFAULT 0, transaction_max_minor bigint NOT NULL DEFAULT 0,
  login_count bigint NOT NULL DEFAULT 0, activity_count bigint NOT NULL DEFAULT 0, activity_minutes bigint NOT NULL DEFAULT 0,
  bill_count bigint NOT NULL DEFAULT 0, bill_total_minor bigint NOT NULL DEFAULT 0, weeks bigint NOT NULL DEFAULT 0);
CREATE TEMP TABLE batch(kind smallint, id text, version bigint, customer text, occurred_us bigint, amount_minor bigint,
  minutes int, detail text);
)";

// Deltas first: a correction replaces what its fact had added. Kinds are those of schema/event.fbs.
constexpr const char* kDerive = R"(
INSERT INTO customer AS c(key, transaction_count, transaction_total_minor, transaction_max_minor, login_count,
  activity_count, activity_minutes, bill_count, bill_total_minor, weeks)
SELECT b.customer, count(*) FILTER (WHERE b.kind = 1 AND f.id IS NULL),
  coalesce(sum(b.amount_minor - coalesce(f.amount_minor, 0)) FILTER (WHERE b.kind = 1), 0),
  coalesce(max(b.amount_minor) FILTER (WHERE b.kind = 1), 0), count(*) FILTER (WHERE b.kind = 5 AND f.id IS NULL),
  count(*) FILTER (WHERE b.kind = 6 AND f.id IS NULL),
  coalesce(sum(b.minutes - coalesce(f.minutes, 0)) FILTER (WHERE b.kind = 6), 0),
  count(*) FILTER (WHERE b.kind = 11 AND f.id IS NULL),
  coalesce(sum(b.amount_minor - coalesce(f.amount_minor, 0)) FILTER (WHERE b.kind = 11), 0),
  bit_or(1::bigint << (b.occurred_us / 604800000000 % 62)::int)
FROM batch b LEFT JOIN fact f ON f.kind = b.kind AND f.id = b.id
WHERE f.id IS NULL OR b.version > f.version
GROUP BY b.customer
ON CONFLICT (key) DO UPDATE SET transaction_count = c.transaction_count + excluded.transaction_count,
  transaction_total_minor = c.transaction_total_minor + excluded.transaction_total_minor,
  transaction_max_minor = greatest(c.transaction_max_minor, excluded.transaction_max_minor),
  login_count = c.login_count + excluded.login_count, activity_count = c.activity_count + excluded.activity_count,
  activity_minutes = c.activity_minutes + excluded.activity_minutes, bill_count = c.bill_count + excluded.bill_count,
  bill_total_minor = c.bill_total_minor + excluded.bill_total_minor, weeks = c.weeks | excluded.weeks
)";
constexpr const char* kUpsert = R"(
INSERT INTO fact AS f SELECT * FROM batch ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version,
  customer = excluded.customer, occurred_us = excluded.occurred_us, amount_minor = excluded.amount_minor,
  minutes = excluded.minutes, detail = excluded.detail WHERE excluded.version > f.version
)";

core::Fault failed(const std::string& sentence) { return core::Fault(core::Exit::kFailed, sentence); }

struct Columns {
  std::int64_t amount_minor = 0;
  int minutes = 0;
  std::string detail;
};

// What of a fact has no column of its own goes into one text.
Columns columns_of(const wire::Event& event) {
  Columns found;
  std::visit(
      [&]<class Fact>(const Fact& fact) {
        if constexpr (!std::is_same_v<Fact, std::monostate>) {
          Fact::each(fact, [&]<class Value>(wire::Text name, const Value& value) {
            if (name == "amount_minor") {
              if constexpr (std::is_same_v<Value, std::int64_t>) found.amount_minor = value;
            } else if (name == "minutes") {
              if constexpr (std::is_same_v<Value, std::int32_t>) found.minutes = value;
            } else {
              fmt::format_to(std::back_inserter(found.detail), "{}|", value);
            }
          });
        }
      },
      event.body);
  return found;
}

}  // namespace

struct Postgres::Connection {
  PGconn* handle = nullptr;
  explicit Connection(const std::string& where) : handle(PQconnectdb(where.c_str())) {}
  ~Connection() { PQfinish(handle); }
  Connection(const Connection&) = delete;
  bool is_open() const { return PQstatus(handle) == CONNECTION_OK; }
};

Postgres::Postgres(const std::filesystem::path& folder) : folder_(folder) {
  std::filesystem::create_directories(folder_);
  if (geteuid() == 0) {
    const passwd* account = getpwnam(kUser);
    if (!account) throw failed("there is no user postgres: install PostgreSQL 15");
    if (chown(folder_.c_str(), account->pw_uid, account->pw_gid) != 0)
      throw failed(folder_.string() + " cannot be given to postgres");
    std::filesystem::permissions(folder_.parent_path(),
                                 std::filesystem::perms::group_exec | std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add);
  }
  const std::string cluster = (folder_ / "cluster").string(), log = folder_.string() + ".log";
  const std::string initdb = fmt::format("{}/initdb", kBinaries);
  if (!std::filesystem::exists(initdb)) throw failed(initdb + " is not there: install postgresql-15");
  Child making({initdb, "-D", cluster, "-U", kUser, "-A", "trust", "-N", "-E", "UTF8", "--no-locale"}, log, kUser);
  if (making.wait() != 0) throw failed("initdb failed: see " + log);
  std::vector<std::string> command{fmt::format("{}/postgres", kBinaries), "-D", cluster, "-k", folder_.string()};
  for (const char* setting : {"listen_addresses=", "synchronous_commit=on", "fsync=on", "shared_buffers=512MB",
                              "max_wal_size=4GB", "work_mem=64MB"})
    command.insert(command.end(), {"-c", setting});
  server_ = Child(command, log, kUser);
  const std::string where = fmt::format("host={} user={} dbname=postgres", folder_.string(), kUser);
  const auto until = Clock::now() + kStartPatience;
  do {
    server_.check_alive();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    connection_ = std::make_unique<Connection>(where);
  } while (!connection_->is_open() && Clock::now() < until);
  if (!connection_->is_open())
    throw failed(fmt::format("PostgreSQL does not answer: {}", PQerrorMessage(connection_->handle)));
  execute(kSchema);
}

Postgres::~Postgres() {
  connection_.reset();
  if (server_.pid() > 0) server_.end();
}

void Postgres::execute(const std::string& sql) {
  check_interrupted();
  PGresult* result = PQexec(connection_->handle, sql.c_str());
  const ExecStatusType status = PQresultStatus(result);
  PQclear(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    throw failed(fmt::format("PostgreSQL: {}", PQerrorMessage(connection_->handle)));
}

void Postgres::copy(const std::string& table, const std::string& rows) {
  PGconn* to = connection_->handle;
  PQclear(PQexec(to, fmt::format("COPY {} FROM STDIN", table).c_str()));
  const bool is_sent =
      PQputCopyData(to, rows.data(), static_cast<int>(rows.size())) == 1 && PQputCopyEnd(to, nullptr) == 1;
  PGresult* result = PQgetResult(to);
  const bool is_taken = is_sent && PQresultStatus(result) == PGRES_COMMAND_OK;
  PQclear(result);
  while (PGresult* more = PQgetResult(to)) PQclear(more);
  if (!is_taken) throw failed(fmt::format("PostgreSQL: {}", PQerrorMessage(to)));
}

std::string Postgres::copy_rows(Traffic& traffic, std::int64_t first, std::int64_t count) {
  std::unordered_map<std::string, std::pair<std::uint64_t, std::string>> newest;
  for (std::int64_t n = first; n < first + count; ++n) {
    const wire::Event& event = traffic.fact(n);
    const Columns columns = columns_of(event);
    const std::string key = fmt::format("{}\t{}", static_cast<int>(event.kind()), event.id);
    auto& row = newest[key];
    if (!row.second.empty() && row.first >= event.version) continue;
    row = {event.version, fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", key, event.version, event.customer,
                                      event.occurred_us, columns.amount_minor, columns.minutes, columns.detail)};
  }
  std::string rows;
  for (const auto& [key, row] : newest) rows += row.second;
  return rows;
}

void Postgres::preload(Traffic& traffic, std::int64_t customers, std::int64_t history) {
  std::string keys;
  for (std::int64_t customer = 0; customer < customers; ++customer) keys += Traffic::customer_key(customer) + "\n";
  copy("customer(key)", keys);
  for (std::int64_t begin = 0; begin < history; begin += kPreloadRows)
    take_batch(copy_rows(traffic, begin, std::min(kPreloadRows, history - begin)));
  execute("VACUUM ANALYZE");
  execute("CHECKPOINT");
}

void Postgres::take_batch(const std::string& rows) {
  execute("BEGIN; TRUNCATE batch");
  copy("batch", rows);
  execute(kDerive);
  execute(kUpsert);
  execute("COMMIT");
}

std::int64_t Postgres::facts() {
  PGresult* result = PQexec(connection_->handle, "SELECT count(*) FROM fact");
  const std::int64_t found = PQntuples(result) == 1 ? std::stoll(PQgetvalue(result, 0, 0)) : 0;
  PQclear(result);
  return found;
}

}  // namespace tellerd::tellerctl::bench
