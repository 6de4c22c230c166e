#include "store/database.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <utility>

#include "core/assert.h"
#include "core/fault.h"
#include "core/log.h"
#include "store/paced_vfs.h"

namespace tellerd::store {
namespace {

// For a writer, which is the only one: a reader that finds the index of the write-ahead log half written, or not yet
// made, holds the writer's lock for an instant to look again. Who holds it longer is another writer, and a fault.
constexpr int kGlanceMs = 1'000;

void log_sqlite(void*, int code, const char* text) {
  if (code == SQLITE_NOTICE_RECOVER_WAL || code == SQLITE_SCHEMA || code == SQLITE_WARNING_AUTOINDEX) return;
  core::log(core::Level::kWarning, "store", fmt::format("SQLite {}: {}", code, text));
}

// Before the first connection; settings of faults.md 5.2. MEMSTATUS off: its lock is taken at every allocation.
void initialise_once() {
  static const bool done = [] {
    sqlite3_config(SQLITE_CONFIG_LOG, log_sqlite, nullptr);
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_initialize();
    return true;
  }();
  static_cast<void>(done);
}

core::Exit exit_for(int code) noexcept {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return core::Exit::kDamaged;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return core::Exit::kDisk;
    default:
      return core::Exit::kFailed;
  }
}

std::int64_t steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

sqlite3* open_handle(const std::string& name, int flags, const char* vfs) {
  initialise_once();
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
  if (code != SQLITE_OK) {
    const std::string why = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
    sqlite3_close(handle);
    throw core::Fault(exit_for(code), fmt::format("{}: cannot open: {}", name, why));
  }
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  return handle;
}

}  // namespace

// One of a text: a second that is wanted at the same time is prepared and dropped.
struct Database::Kept {
  static constexpr std::size_t kMost = 100;
  struct Idle {
    sqlite3_stmt* statement;
    std::uint64_t since;
  };
  std::unordered_map<std::string, Idle> idle;
  std::uint64_t given_back = 0;

  ~Kept() {
    for (const auto& [text, one] : idle) sqlite3_finalize(one.statement);
  }
  void drop_oldest() {
    const auto oldest = std::min_element(idle.begin(), idle.end(),
                                         [](const auto& a, const auto& b) { return a.second.since < b.second.since; });
    sqlite3_finalize(oldest->second.statement);
    idle.erase(oldest);
  }
  sqlite3_stmt* take(std::string_view sql) {
    const auto found = idle.find(std::string(sql));
    if (found == idle.end()) return nullptr;
    sqlite3_stmt* statement = found->second.statement;
    idle.erase(found);
    return statement;
  }
  void give_back(sqlite3_stmt* statement) {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (idle.size() >= kMost) drop_oldest();  // texts with numbers in them fill it
    if (!idle.emplace(sqlite3_sql(statement), Idle{statement, ++given_back}).second) sqlite3_finalize(statement);
  }
};

void Database::keep_statements() {
  if (!kept_) kept_ = std::make_shared<Kept>();
}

Statement::Statement(Database& database, std::string_view sql) : database_(&database) {
  database.own();
  if (database.kept_) statement_ = database.kept_->take(sql);
  if (statement_) return;
  const int code = sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  if (code != SQLITE_OK) database.fail(sql);
  TELLERD_ASSERT(statement_ != nullptr);
}

Statement::~Statement() {
  if (statement_ && database_->kept_)
    database_->kept_->give_back(statement_);
  else
    sqlite3_finalize(statement_);
}
Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      database_(other.database_),
      reads_as_it_stands_(other.reads_as_it_stands_) {}
Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  std::swap(database_, other.database_);
  std::swap(reads_as_it_stands_, other.reads_as_it_stands_);
  return *this;
}
void Statement::own() { database_->own(reads_as_it_stands_); }

// The connection is taken back first, and what waits is done, for it may bind the same statement.
Statement& Statement::bind(int at, std::int64_t value) {
  own();
  TELLERD_ASSERT(sqlite3_bind_int64(statement_, at, value) == SQLITE_OK);
  return *this;
}
Statement& Statement::bind(int at, double value) {
  own();
  TELLERD_ASSERT(sqlite3_bind_double(statement_, at, value) == SQLITE_OK);
  return *this;
}
Statement& Statement::bind(int at, std::string_view text) {
  own();
  const char* bytes = text.data() ? text.data() : "";
  TELLERD_ASSERT(sqlite3_bind_text(statement_, at, bytes, static_cast<int>(text.size()), SQLITE_STATIC) == SQLITE_OK);
  return *this;
}
Statement& Statement::bind_blob(int at, std::string_view bytes) {
  own();
  const char* data = bytes.data() ? bytes.data() : "";
  TELLERD_ASSERT(sqlite3_bind_blob(statement_, at, data, static_cast<int>(bytes.size()), SQLITE_STATIC) == SQLITE_OK);
  return *this;
}
Statement& Statement::bind_null(int at) {
  own();
  TELLERD_ASSERT(sqlite3_bind_null(statement_, at) == SQLITE_OK);
  return *this;
}

WriteQueue& Statement::begin_later() {
  database_->waiting_->begin(*this);
  return *database_->waiting_;
}

bool Statement::step() {
  own();
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_);
    return false;
  }
  const std::string sql = sqlite3_sql(statement_);
  sqlite3_reset(statement_);
  database_->fail(sql);
}

void Statement::reset() noexcept {
  TELLERD_ASSERT(!database_ || !database_->is_lent() || database_->is_borrower());
  sqlite3_reset(statement_);
}
int Statement::columns() const noexcept { return sqlite3_column_count(statement_); }
std::string_view Statement::name(int column) const noexcept { return sqlite3_column_name(statement_, column); }
bool Statement::is_null(int column) const noexcept { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
bool Statement::is_text(int column) const noexcept { return sqlite3_column_type(statement_, column) == SQLITE_TEXT; }
bool Statement::is_real(int column) const noexcept { return sqlite3_column_type(statement_, column) == SQLITE_FLOAT; }
std::int64_t Statement::integer(int column) const noexcept { return sqlite3_column_int64(statement_, column); }
double Statement::real(int column) const noexcept { return sqlite3_column_double(statement_, column); }
std::string_view Statement::text(int column) const noexcept {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return {bytes ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Database Database::open_writer(const std::filesystem::path& file, const WriterOptions& options) {
  Database database;
  database.file_ = file;
  initialise_once();
  // Our files count on syncs (store/paced_vfs.h), which a scratch database has none of.
  const char* vfs = options.is_scratch ? nullptr : options.is_paced ? paced_vfs() : files_vfs();
  database.handle_ = open_handle(file.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, vfs);
  // EXTRA: a new file is made with a rollback journal, and that journal must not come back after a power cut. Until it
  // has a write-ahead log a reader that looks in is in the way, so its glance is waited for.
  database.execute(
      fmt::format("PRAGMA busy_timeout=5000; PRAGMA page_size={}; PRAGMA synchronous=EXTRA", options.page_bytes));
  Statement wal(database, "PRAGMA journal_mode=WAL");
  if (!wal.step() || wal.text(0) != "wal") database.fail("switch to WAL mode");
  wal.reset();
  database.execute(fmt::format(
      "PRAGMA synchronous={}; PRAGMA wal_autocheckpoint=0; PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON;"
      "PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA busy_timeout={};"
      "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-{}",
      options.is_scratch  ? "OFF"
      : options.is_synced ? "FULL"
                          : "NORMAL",
      kGlanceMs, options.cache_kib));
  database.page_bytes_ = database.integer("PRAGMA page_size");
  database.wal_pages_ = std::make_unique<std::int64_t>(0);
  const auto note_pages = [](void* known, sqlite3*, const char*, int pages) {
    *static_cast<std::int64_t*>(known) = pages;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(database.handle_, note_pages, database.wal_pages_.get());
  return database;
}

Database Database::open_reader(const std::filesystem::path& file) {
  Database database;
  database.file_ = file;
  database.handle_ = open_handle(file.string(), SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, nullptr);
  database.execute(
      "PRAGMA query_only=ON; PRAGMA wal_autocheckpoint=0; PRAGMA busy_timeout=1000; PRAGMA mmap_size=0; PRAGMA "
      "temp_store=MEMORY");
  return database;
}

Database Database::open_unsafe(const std::filesystem::path& file) {
  Database database;
  database.file_ = file;
  database.handle_ =
      open_handle(file.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, nullptr);
  database.execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF");
  return database;
}

Database Database::in_memory() {
  Database database;
  database.file_ = ":memory:";
  database.handle_ = open_handle(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  return database;
}

Database::~Database() {
  end_lending();
  kept_.reset();
  if (handle_) sqlite3_close(handle_);
}
Database::Database(Database&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      file_(std::move(other.file_)),
      kept_(std::move(other.kept_)),
      read_deadline_(std::move(other.read_deadline_)),
      beat_(std::move(other.beat_)),
      wal_pages_(std::move(other.wal_pages_)),
      read_limit_us_(other.read_limit_us_),
      page_bytes_(other.page_bytes_),
      bulk_table_(std::move(other.bulk_table_)),
      aside_(std::move(other.aside_)),
      waiting_(std::move(other.waiting_)),
      lent_(std::move(other.lent_)),
      lending_(std::move(other.lending_)) {}
Database& Database::operator=(Database&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(file_, other.file_);
  std::swap(kept_, other.kept_);
  std::swap(read_deadline_, other.read_deadline_);
  std::swap(beat_, other.beat_);
  std::swap(wal_pages_, other.wal_pages_);
  std::swap(read_limit_us_, other.read_limit_us_);
  std::swap(page_bytes_, other.page_bytes_);
  std::swap(bulk_table_, other.bulk_table_);
  std::swap(aside_, other.aside_);
  std::swap(waiting_, other.waiting_);
  std::swap(lent_, other.lent_);
  std::swap(lending_, other.lending_);
  return *this;
}

void Database::lend(std::function<void()> work, std::function<void()> done) {
  wait();
  // What stays open beside it would be read by later questions as it was before.
  TELLERD_ASSERT(!aside_ || sqlite3_txn_state(aside_->handle_, nullptr) == SQLITE_TXN_NONE);
  if (!lending_) lending_ = std::make_unique<Lending>();
  std::swap(waiting_, lent_);
  lending_->start(
      [waiting = lent_.get(), work = std::move(work)] {
        waiting->run();
        work();
      },
      std::move(done));
}

void Database::pause_lent_while(std::function<bool()> is_in_the_way) {
  wait();
  if (!lending_) lending_ = std::make_unique<Lending>();
  lending_->pause_while(std::move(is_in_the_way));
}

void Database::press_lent(bool is_pressed) {
  if (!lending_) lending_ = std::make_unique<Lending>();
  lending_->press(is_pressed);
}

void Database::wait() {
  if (lending_ && !lending_->is_settled()) lending_->wait();
}

void Database::own(bool is_left_as_it_stands) {
  if (lending_ && !lending_->is_settled()) {
    if (lending_->is_inside()) return lending_->let_in();
    if (lending_->is_interjecting()) return;
    lending_->wait();
  }
  if (!waiting_->is_empty() && !is_left_as_it_stands) waiting_->run();
}

// What waits is of later records than the work under way: that must not find it, nor anybody after.
void Database::end_lending() noexcept {
  if (lending_) lending_->end();
  lending_.reset();
  for (auto* writes : {&waiting_, &lent_})
    if (*writes) (*writes)->forget();
}

Database& Database::aside() {
  constexpr int kAsideCacheKib = 2'048;
  if (!aside_) {
    aside_ = std::make_unique<Database>(open_reader(file_));
    aside_->execute(fmt::format("PRAGMA cache_size=-{}", kAsideCacheKib));
  }
  return *aside_;
}

void Database::execute(std::string_view sql) {
  own();
  const std::string text(sql);
  if (sqlite3_exec(handle_, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(sql);
}

std::int64_t Database::integer(std::string_view sql) {
  Statement query(*this, sql);
  const std::int64_t value = query.step() ? query.integer(0) : 0;
  query.reset();
  return value;
}

std::int64_t Database::changes() const noexcept { return sqlite3_changes64(handle_); }
bool Database::is_in_transaction() const noexcept { return sqlite3_get_autocommit(handle_) == 0; }
void Database::interrupt() noexcept { sqlite3_interrupt(handle_); }

bool Database::checkpoint(bool is_truncating) {
  own();
  const int mode = is_truncating ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  int frames = 0, done = 0;
  sqlite3_busy_timeout(handle_, 0);  // whoever reads is not waited for
  const int code = sqlite3_wal_checkpoint_v2(handle_, nullptr, mode, &frames, &done);
  sqlite3_busy_timeout(handle_, kGlanceMs);
  if ((code & 0xff) == SQLITE_BUSY) return false;
  if (code != SQLITE_OK) fail("checkpoint");
  if (frames == done && wal_pages_) *wal_pages_ = 0;  // the next commit begins the log anew
  return frames == done;
}

std::int64_t Database::wal_bytes() const {
  std::error_code none;
  const auto size = std::filesystem::file_size(file_.string() + "-wal", none);
  return none ? 0 : static_cast<std::int64_t>(size);
}

void Database::limit_read_time(std::int64_t us) {
  if (!read_deadline_) read_deadline_ = std::make_unique<std::int64_t>(0);
  *read_deadline_ = steady_us() + us;
  sqlite3_progress_handler(
      handle_, 20'000, [](void* deadline) { return steady_us() > *static_cast<std::int64_t*>(deadline) ? 1 : 0; },
      read_deadline_.get());
}

void Database::while_working(std::function<void()> beat) {
  constexpr int kStepsABeat = 100'000;  // a few milliseconds
  beat_ = std::make_unique<std::function<void()>>(std::move(beat));
  auto call = [](void* function) { return (*static_cast<std::function<void()>*>(function))(), 0; };
  sqlite3_progress_handler(handle_, kStepsABeat, call, beat_.get());
}

void Database::snapshot_into(const std::filesystem::path& file) {
  Statement vacuum(*this, "VACUUM INTO ?");
  const std::string name = file.string();
  vacuum.bind(1, std::string_view(name)).run();
}

std::string Database::quick_check() {
  Statement check(*this, "PRAGMA quick_check(1)");
  std::string answer = check.step() ? std::string(check.text(0)) : "no answer";
  check.reset();
  return answer;
}

void Database::fail(std::string_view doing) const {
  const int code = sqlite3_extended_errcode(handle_);
  throw core::Fault(exit_for(code), fmt::format("{}: {} ({}) while doing: {}", file_.string(), sqlite3_errmsg(handle_),
                                                code, doing.substr(0, std::min<std::size_t>(doing.find('\n'), 160))));
}

Transaction::Transaction(Database& database) : database_(database) { database_.execute("BEGIN IMMEDIATE"); }
Transaction::~Transaction() {
  if (is_open_ && database_.is_in_transaction())
    sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}
void Transaction::commit() {
  database_.execute("COMMIT");
  is_open_ = false;
}

}  // namespace tellerd::store
