// The engine's state in teller.db: written where it has changed, in one transaction with the cursor.
#include <fmt/core.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>

#include "app/engine.h"
#include "app/engine_choice.h"
#include "app/engine_churn_rows.h"
#include "app/engine_statements.h"
#include "app/migrations.h"
#include "core/checksum.h"
#include "core/crash_step.h"
#include "core/fault.h"
#include "store/paced_vfs.h"

namespace tellerd::app {

using silver::Row;
using wire::Kind;

namespace {

constexpr std::size_t kPairBytes = 12;
constexpr Seq kKeysAheadMax = 4'000'000;  // room made for facts that wait in the log: 40 MB
// Pages of teller.db grow with the customers. In a burst all of those stay, for each flush writes them again, and a
// page that was put out before the commit and changes again costs a reading of the rest of the log; of so many
// customers that they would not fit anyway only what is written in between stays.
constexpr int kCacheKibMin = 8 * 1024, kCacheKibMax = 12 * 1024;
constexpr int kBurstCacheKibMax = 128 * 1024, kBurstCacheKibOfALargeBank = 32 * 1024, kLargeBank = 400'000;
constexpr int kCustomersAKib = 2, kBurstBytesACustomer = 600;
constexpr std::size_t kRunBytesMax = 12'000;  // fits a page of 16 KiB with its header

}  // namespace

store::WriterOptions writer_options(const EngineOptions& options) {
  store::WriterOptions writer;
  writer.is_synced = false;  // bronze can redo it
  writer.page_bytes = 16384;
  writer.cache_kib = kCacheKibMin;
  writer.is_paced = true;
  writer.is_scratch = options.is_scratch;
  return writer;
}

Engine::Engine(const EngineOptions& options)
    : options_(options), database_(store::Database::open_writer(options.database, writer_options(options))) {
  migrate(database_);
  if (options_.on_work) database_.while_working(options_.on_work);
  rows_ = std::make_unique<silver::Rows>(database_);
  statements_ = std::make_unique<Statements>(database_);
  choosing_ = std::make_unique<Choosing>(database_, customers_);
  customers_.copy_with([choosing = choosing_.get()](CustomerId id, std::uint32_t round, std::string& bytes) {
    choosing->copy_state(id, round, bytes);
  });
  customer_rows_ = std::make_unique<gold::CustomerRows>(database_);
  begin();
  read_back();
}

Engine::~Engine() { database_.end_lending(); }

std::int64_t derivation(const core::Calendar& calendar) {
  const auto hash = core::hash64(fmt::format("{} {} {}", kDeriveVersion, schema_number(), calendar.fingerprint()));
  return static_cast<std::int64_t>(hash >> 1);
}

void Engine::begin() { transaction_.emplace(database_); }

void Engine::read_keys(store::Database& from) {
  // Room for those in the log as well, most of which are dated: growing costs more while facts come than at once.
  const Seq waiting = std::clamp<Seq>(options_.log_end - from.integer("SELECT seq FROM cursor"), 0, kKeysAheadMax);
  const auto bytes = [&](bool is_dated) {
    return from.integer(fmt::format("SELECT SUM(length(pairs)) FROM key_run WHERE is_dated={:d}", is_dated));
  };
  lasting_keys_.reserve(static_cast<std::uint64_t>(bytes(false)) / kPairBytes);
  dated_keys_.reserve(static_cast<std::uint64_t>(bytes(true)) / kPairBytes + static_cast<std::uint64_t>(waiting));
  silver::KeyLoader dated(dated_keys_), lasting(lasting_keys_);
  store::Statement runs(from, "SELECT first_seq,is_dated,pairs FROM key_run ORDER BY first_seq");
  while (runs.step()) {
    auto& keys = runs.integer(1) ? dated : lasting;
    const std::string_view pairs = runs.text(2);
    for (std::size_t at = 0; at + kPairBytes <= pairs.size(); at += kPairBytes) {
      std::uint64_t hash = 0;
      std::uint32_t offset = 0;
      std::memcpy(&hash, pairs.data() + at, 8);
      std::memcpy(&offset, pairs.data() + at + 8, 4);
      keys.insert(hash, runs.integer(0) + offset);
    }
  }
  dated.end();
  lasting.end();
}

void Engine::write_keys(std::vector<KeyPair>& pairs, bool is_dated) {
  std::string run;
  for (std::size_t at = 0; at < pairs.size();) {
    run.clear();
    const Seq first = pairs[at].seq;
    Seq last = first;
    for (; at < pairs.size() && run.size() + kPairBytes <= kRunBytesMax; ++at) {
      char pair[kPairBytes];
      const auto offset = static_cast<std::uint32_t>(pairs[at].seq - first);
      std::memcpy(pair, &pairs[at].hash, 8);
      std::memcpy(pair + 8, &offset, 4);
      run.append(pair, kPairBytes);
      last = pairs[at].seq;
    }
    statements_->put_keys.bind(1, first).bind(2, std::int64_t{is_dated}).bind(3, last).bind_blob(4, run).run();
  }
  pairs.clear();
}

void Engine::write_loans() {
  for (const std::uint32_t place : dirty_loans_) {
    const gold::Loan& loan = loans_[place];
    const std::string start = loan.start == gold::kNoDay ? std::string() : core::format_date(loan.start);
    statements_->put_loan
        .bind_all(std::int64_t{loan.customer}, std::string_view(loan.name), std::int64_t{place}, loan_seqs_[place],
                  loan.amount_minor, loan.planned_minor, std::string_view(start), std::int64_t{loan.dpd},
                  std::int64_t{loan.bucket}, std::int64_t{loan.refreshed_on}, std::int64_t{loan.left_bucket},
                  std::int64_t{loan.moved_on})
        .run();
  }
  dirty_loans_.clear();
  for (const auto& key : loans_.dirty_cells()) {
    const auto cell = loans_.cells().find(key);
    if (cell == loans_.cells().end())
      statements_->drop_cell.bind_all(std::int64_t{key.first}, std::int64_t{key.second}).run();
    else
      statements_->put_cell
          .bind_all(std::int64_t{key.first}, std::int64_t{key.second}, cell->second.loans, cell->second.overdue_loans,
                    cell->second.issued_minor, cell->second.overdue_paid_minor)
          .run();
  }
  loans_.dirty_cells().clear();
}

void Engine::expect_burst(bool is_burst) {
  if (!is_burst) customers_.give_back();
  if (is_burst == is_burst_) return;
  is_burst_ = is_burst;
  size_cache();
  if (is_burst) return;
  rows_->forget_kept();
  offers_->give_back();
  choosing_->book->give_back();
  histories_->give_back();
  outbox_->give_back();
  for (auto* keys : {&new_dated_, &new_lasting_, &taken_dated_, &taken_lasting_}) keys->shrink_to_fit();
  ::malloc_trim(0);
}

void Engine::hurry(bool is_hurried) {
  if (is_hurried == is_hurried_) return;
  is_hurried_ = is_hurried;
  settle();
  store::set_pace(database_, is_hurried ? store::kPaceOfBurst : store::kPaceOfCalm);
}

void Engine::size_cache() {
  sized_for_ = identities_->count();
  const int customers = static_cast<int>(sized_for_);
  rows_->make_room(is_burst_, sized_for_, options_.kept_rows_max);
  offers_->make_room(sized_for_);
  const int kept = std::min(kCacheKibMin + customers / kCustomersAKib, kCacheKibMax);
  const int in_burst = customers > kLargeBank
                           ? kBurstCacheKibOfALargeBank
                           : std::min(kept + customers * kBurstBytesACustomer / 1024, kBurstCacheKibMax);
  const int kib = is_burst_ ? in_burst : kept;
  database_.execute(fmt::format("PRAGMA cache_size=-{}", kib));
}

// While the connection is the engine's own.
bool Engine::take_appended(std::size_t rows_min) {
  constexpr std::size_t kKeysForARow = 8;  // they are small
  bool is_any = false;
  const auto take_when = [&](bool is_much, auto&& take) {
    if (is_much) take();
    is_any = is_any || is_much;
  };
  take_when(offers_->unwritten() >= rows_min, [this] { offers_->take(); });
  take_when(choosing_->book->unwritten() >= rows_min, [this] { choosing_->book->take(); });
  take_when(histories_->unwritten() >= rows_min, [this] { histories_->take(); });
  take_when(outbox_->unwritten() >= rows_min, [this] { outbox_->take_lines(); });
  take_when(new_dated_.size() >= kKeysForARow * rows_min, [this] { taken_dated_.swap(new_dated_); });
  return is_any;
}

// By whoever has the connection.
void Engine::write_taken_appended() {
  offers_->write_taken();
  choosing_->book->write_taken();
  histories_->write_taken();
  outbox_->write_taken_lines();
  write_keys(taken_dated_, true);
  write_keys(taken_lasting_, false);
}

void Engine::write_rows_behind(std::size_t rows_min, std::function<void()> done) {
  end_writing();
  if (!take_appended(rows_min) && rows_->unwritten() < rows_min) return;
  rows_->close();
  go_behind({}, std::move(done));
}

void Engine::fold_wal(bool is_idle) {
  settle();
  if (counters_.flushed_seq != seq_) return;
  rows_->write_out();
  transaction_->commit();
  database_.checkpoint(is_idle);
  begin();
}

void Engine::snapshot_into(const std::filesystem::path& file) {
  settle();
  rows_->write_out();
  transaction_->commit();
  database_.snapshot_into(file);
  begin();
}

std::unique_ptr<store::DatabaseCopy> Engine::begin_copy(const std::filesystem::path& into) {
  return std::make_unique<store::DatabaseCopy>(database_, into);
}

bool Engine::go_on(store::DatabaseCopy& copy, int pages_max) {
  if (database_.is_borrower()) return copy.go_on(pages_max);  // after the commit that it was lent for
  settle();
  if (counters_.flushed_seq != seq_) return false;
  rows_->write_out();
  transaction_->commit();
  bool is_complete = false;
  try {
    is_complete = copy.go_on(pages_max);
  } catch (const core::Fault&) {  // of the copy; what is flushed stands
    begin();
    throw;
  }
  begin();
  return is_complete;
}

// By whoever has the connection, as all that was taken: rules stay until this is done (use_pack).
void Engine::write_customers() {
  const auto category_of = [this](gold::SpendView spend) -> std::string_view {
    const std::uint8_t category =
        pack_ ? spend.largest(pack_->mcc.money_category, pack_->mcc.money_divisor) : decide::kNoCategory;
    return category == decide::kNoCategory ? std::string_view() : std::string_view(pack_->mcc.names[category]);
  };
  customers_.write_changed([&](std::span<const gold::CustomerCopy> customers) {
    customer_rows_->write(customers, category_of);
    choosing_->write_states(customers);
  });
}

// The rows that are closed, what is only added to, and then the rest.
void Engine::go_behind(std::function<void()> work, std::function<void()> done) {
  database_.lend(
      [this, work = std::move(work)] {
        try {
          if (options_.on_behind) options_.on_behind();
          rows_->write_closed();
          write_taken_appended();
          if (work) work();
        } catch (...) {
          customers_.forget_cut();
          throw;
        }
      },
      std::move(done));
}

void Engine::flush() {
  const auto started = std::chrono::steady_clock::now();
  settle();
  write_changes();
  write_taken_appended();
  write_taken();
  rows_->write_closed();
  commit(seq_, started);
  begin();
}

void Engine::flush_behind(std::int64_t unfolded_bytes_max, std::function<void()> after, std::function<void()> done) {
  const auto started = std::chrono::steady_clock::now();
  settle();
  write_changes();
  go_behind(
      [this, seq = seq_, started, unfolded_bytes_max, after = std::move(after)] {
        write_taken();
        commit(seq, started);
        if (after) after();
        if (database_.unfolded_bytes() > unfolded_bytes_max) database_.checkpoint(false);
        begin();
      },
      std::move(done));
}

// By whoever has the connection.
void Engine::write_taken() {
  write_customers();
  queue_rows_->write_taken();
  write_explained();
}

void Engine::commit(Seq seq, std::chrono::steady_clock::time_point started) {
  core::crash_step("before_flush_commit");
  transaction_->commit();
  core::crash_step("after_flush_commit");
  rows_->commit_is_through();
  offers_->commit_is_through();
  counters_.flushed_seq.store(seq, std::memory_order_release);
  counters_.flushes.fetch_add(1);
  counters_.flush_us.fetch_add(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started).count()));
}

void Engine::write_changes() {
  rows_->close();
  customers_.cut();
  if (identities_->count() / 2 > sized_for_) size_cache();
  write_loans();
  write_churn();
  if (marketing_.is_dirty() && now_us_ != 0) marketing_.write(database_, day_);
  quality_->flush(database_);
  write_choices();
  take_appended(0);
  taken_lasting_.swap(new_lasting_);
  queue_rows_->take(*queues_);
  outbox_->write_topics();
  statements_->put_cursor
      .bind_all(seq_, now_us_, received_us_, std::int64_t{week_}, std::int64_t{day_}, derivation(*calendar_),
                std::string_view(zone_), std::string_view(pack_name_), std::string_view(pack_hash_), pack_seq_,
                offers_->count(), histories_->counts().segments, histories_->counts().churn, dpd_count_,
                offers_->first(), dropping_.decisions_below, dropping_.facts_below, dropping_.lines_before_us,
                std::int64_t{dropping_.is_under_way}, std::int64_t{dropping_.next_loan}, std::int64_t{loans_.count()})
      .run();
  rows_->commit_begins(seq_);
  offers_->commit_begins();
  queue_rows_->commit_begins();
  statements_->contacts.commit_begins();
  statements_->churn_reasons.commit_begins();
}

}  // namespace tellerd::app
