// The engine's state in teller.db: read whole at start, written where it has changed in one transaction with the
// cursor.
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
#include "core/prefetch.h"

namespace tellerd::app {

using silver::Row;
using wire::Kind;

namespace {

constexpr std::size_t kPairBytes = 12;
// Pages of teller.db grow with the customers; in a burst all of those stay, for each flush writes them again.
constexpr int kCacheKibMin = 8 * 1024, kCacheKibMax = 24 * 1024, kBurstCacheKibMax = 32 * 1024;
constexpr int kCustomersAKib = 2, kBurstCustomersAKib = 3;
constexpr std::size_t kCustomersASlice = 512, kCustomersTakenMax = 32'768;
constexpr std::size_t kFetchAhead = 8, kFetchSpendAhead = 4;  // customers of a flush
constexpr std::size_t kRunBytesMax = 12'000;                  // fits a page of 16 KiB with its header

}  // namespace

store::WriterOptions writer_options(const EngineOptions& options) {
  store::WriterOptions writer;
  writer.is_synced = false;  // bronze can redo it
  writer.page_bytes = 16384;
  writer.cache_kib = kCacheKibMin;
  writer.vfs = options.vfs;
  return writer;
}

Engine::Engine(const EngineOptions& options)
    : options_(options), database_(store::Database::open_writer(options.database, writer_options(options))) {
  migrate(database_);
  if (options_.on_work) database_.while_working(options_.on_work);
  if (options_.is_scratch) database_.execute("PRAGMA synchronous=OFF");
  rows_ = std::make_unique<silver::Rows>(database_);
  statements_ = std::make_unique<Statements>(database_);
  choosing_ = std::make_unique<Choosing>(database_);
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

void Engine::read_back() {
  identities_ = std::make_unique<silver::Identities>(database_);
  outbox_ = std::make_unique<deliver::Outbox>(database_);
  segment_topic_ = outbox_->topic("segment");
  churn_topic_ = outbox_->topic("churn");
  overdue_topic_ = outbox_->topic("overdue");
  quality_ = std::make_unique<silver::QualityCounts>(database_);
  quality_->name_system(0, "-");
  for (CustomerId id = 1; id <= identities_->count(); ++id)
    quality_->name_system(std::size_t{identities_->system(id)} + 1, identities_->system_name(id));
  store::Statement cursor(
      database_,
      "SELECT "
      "seq,now_us,received_us,week,day,zone,pack_seq,offer_count,derive_version,segment_count,"
      "churn_count,dpd_count,first_offer,decisions_below,facts_below,lines_before_us,is_dropping FROM "
      "cursor");
  if (!cursor.step())
    throw core::Fault(
        core::Exit::kDamaged,
        database_.file().string() + ": the cursor is missing: remove teller.db, it is derived again from the log");
  seq_ = cursor.integer(0);
  rows_->starts_at(seq_);
  now_us_ = cursor.integer(1);
  received_us_ = cursor.integer(2);
  week_ = static_cast<Week>(cursor.integer(3));
  day_ = static_cast<Day>(cursor.integer(4));
  zone_ = cursor.text(5);
  if (zone_.empty()) zone_ = "UTC";
  const Seq pack_seq = cursor.integer(6);
  offers_ = std::make_unique<decide::OfferBook>(database_, cursor.integer(7), cursor.integer(12));
  dropping_.decisions_below = cursor.integer(13);
  dropping_.facts_below = cursor.integer(14);
  dropping_.lines_before_us = cursor.integer(15);
  dropping_.is_under_way = cursor.integer(16) != 0;
  histories_ =
      std::make_unique<gold::Histories>(database_, gold::Histories::Counts{cursor.integer(9), cursor.integer(10)});
  dpd_count_ = cursor.integer(11);
  const std::int64_t derived_by = cursor.integer(8);
  cursor.reset();
  calendar_ = std::make_unique<core::Calendar>(zone_);
  was_derived_otherwise_ = seq_ > 0 && derived_by != derivation(*calendar_);
  if (week_ != gold::kNoWeek) week_start_us_ = calendar_->start_of_week(week_);
  read_names();
  read_choices();
  if (pack_seq) {
    store::Statement pack(database_, "SELECT files FROM policy_history WHERE seq=?");
    if (pack.bind(1, pack_seq).step()) use_pack(decide::deserialise_pack(pack.text(0)), pack_seq);
    pack.reset();
  }
  read_churn();
  customers_.resize(1);
  gold::CustomerRows::read_all(database_, [&](CustomerId id, gold::Customer&& customer) {
    if (customers_.size() <= id) customers_.resize(id + 1);
    customers_[id] = std::move(customer);
  });
  customers_.resize(identities_->count() + 1);
  for (const auto& customer : customers_) backfilled_ += customer.is_backfilled;
  read_links();
  read_queues();
  read_contacts();
  read_outcomes();
  read_loans();
  read_keys();
  size_cache();
  for (CustomerId id = 1; id <= identities_->count(); ++id) {
    marketing_.stand(customers_[id], day_, 1);
    queue_deadline(id);
  }
  counters_.applied_seq = counters_.flushed_seq = seq_;
  counters_.now_us = now_us_;
  counters_.customers = identities_->count();
}

void Engine::read_names() {
  store::Statement all(database_, "SELECT what,number,name FROM name_of ORDER BY what,number");
  while (all.step()) {
    Names& names = names_[std::string(all.text(0))];
    names.numbers[std::string(all.text(2))] = static_cast<int>(all.integer(1));
    names.names.emplace_back(all.text(2));
  }
}

void Engine::read_links() {
  for (CustomerId id = 1; id <= identities_->count(); ++id)
    if (identities_->leader(id) != id) members_[identities_->leader(id)].push_back(id);
  for (auto& [leader, joined] : members_) {
    joined.push_back(leader);
    std::sort(joined.begin(), joined.end());
  }
  rows_->each(Kind::kAlias, [&](const Row& row) {
    const auto& fact = std::get<wire::Alias>(row.event.body);
    const CustomerId other = identities_->find(fact.other_system, fact.other_key);
    if (!fact.valid || other == row.customer) return;
    ++links_[row.customer][other];
    ++links_[other][row.customer];
  });
  rows_->each(Kind::kRate, [&](const Row& row) {
    const auto& fact = std::get<wire::Rate>(row.event.body);
    const auto base = core::currency_of(fact.base), quote = core::currency_of(fact.quote);
    if (base && quote) rates_.put(*base, *quote, row.event.occurred_us, row.seq, fact.value_micro);
  });
  read_open_offers();
}

// Of each the view `offer` would look for an end: both tables are in the order of numbers, so one walk finds all.
void Engine::read_open_offers() {
  store::Statement made(database_,
                        "SELECT number,expected_revenue_minor,created_us,days_valid,template,customer FROM offer_made "
                        "WHERE number>=? ORDER BY number");
  store::Statement ends(database_, "SELECT number,count FROM offer_end ORDER BY number");
  std::int64_t ended_from = 0, ended_until = 0;  // the run of ends that is not behind the offer, or the last one
  bool is_left = true;
  made.bind(1, offers_->first());
  while (made.step()) {
    const std::int64_t number = made.integer(0);
    while (is_left && ended_until <= number) {
      is_left = ends.step();  // never again after the last: it would begin anew
      if (!is_left) break;
      ended_from = ends.integer(0);
      ended_until = ended_from + ends.integer(1);
    }
    if (number >= ended_from && number < ended_until) continue;
    offers_->restore(number, made.integer(1), made.integer(2) + made.integer(3) * core::kDay,
                     static_cast<int>(made.integer(4)),
                     customers_[static_cast<CustomerId>(made.integer(5))].first_offer);
  }
}

// Loans stand in memory; each row gives again what it gave, then every loan is refreshed once.
void Engine::read_loans() {
  store::Statement stands(
      database_,
      "SELECT customer,loan_name,loan_seq,dpd,bucket,refreshed_on,left_bucket,moved_on FROM gold_loan "
      "ORDER BY place");
  while (stands.step()) {
    const std::uint32_t place = loan_place(static_cast<CustomerId>(stands.integer(0)), stands.text(1));
    loan_seqs_[place] = stands.integer(2);
    loans_[place].dpd = static_cast<std::int32_t>(stands.integer(3));
    loans_[place].bucket = static_cast<std::int8_t>(stands.integer(4));
    loans_[place].refreshed_on = static_cast<Day>(stands.integer(5));
    loans_[place].left_bucket = static_cast<std::int8_t>(stands.integer(6));
    loans_[place].moved_on = static_cast<Day>(stands.integer(7));
  }
  rows_->each(Kind::kLoan, [&](const Row& row) {
    load_loan(loan_place(row.customer, std::get<wire::Loan>(row.event.body).loan_name), row, true);
  });
  rows_->each(Kind::kLoanChange, [&](const Row& row) {
    load_loan_change(loan_place(row.customer, std::get<wire::LoanChange>(row.event.body).loan_name), row, true);
  });
  rows_->each(Kind::kInstalmentPayment, [&](const Row& row) {
    load_instalment(loan_place(row.customer, std::get<wire::InstalmentPayment>(row.event.body).loan_name), row);
  });
  for (std::uint32_t place = 1; place <= loans_.count(); ++place) {
    loans_.refresh(place, loan_rules_, loans_[place].refreshed_on);
    loans_[place].next_change = gold::next_change(loans_[place], loan_rules_, loans_[place].refreshed_on);
  }
  loans_.dirty_cells().clear();
  store::Statement waiting(database_, "SELECT received_us,seq,kind FROM waiting_reference ORDER BY seq");
  while (waiting.step())
    waiting_references_.push_back({waiting.integer(0), waiting.integer(1), static_cast<Kind>(waiting.integer(2))});
}

void Engine::read_keys() {
  store::Statement runs(database_, "SELECT first_seq,is_dated,pairs FROM key_run ORDER BY first_seq");
  while (runs.step()) {
    auto& keys = runs.integer(1) ? dated_keys_ : lasting_keys_;
    const std::string_view pairs = runs.text(2);
    for (std::size_t at = 0; at + kPairBytes <= pairs.size(); at += kPairBytes) {
      std::uint64_t hash = 0;
      std::uint32_t offset = 0;
      std::memcpy(&hash, pairs.data() + at, 8);
      std::memcpy(&offset, pairs.data() + at + 8, 4);
      keys.insert(hash, runs.integer(0) + offset);
    }
  }
  counters_.facts = dated_keys_.count() + lasting_keys_.count();
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
  if (is_burst == is_burst_) return;
  is_burst_ = is_burst;
  size_cache();
  if (is_burst) return;
  rows_->forget_kept();
  customer_rows_->give_back();
  offers_->give_back();
  choosing_->book->give_back();
  histories_->give_back();
  outbox_->give_back();
  new_dated_.shrink_to_fit();
  new_lasting_.shrink_to_fit();
  ::malloc_trim(0);
}

void Engine::size_cache() {
  sized_for_ = identities_->count();
  const int customers = static_cast<int>(sized_for_);
  rows_->make_room(is_burst_, sized_for_);
  const int kept = std::min(kCacheKibMin + customers / kCustomersAKib, kCacheKibMax);
  const int kib = is_burst_ ? std::min(kept + customers / kBurstCustomersAKib, kBurstCacheKibMax) : kept;
  database_.execute(fmt::format("PRAGMA cache_size=-{}", kib));
}

void Engine::write_appended(std::size_t rows_min) {
  constexpr std::size_t kKeysARow = 8;  // they are small
  if (offers_->unwritten() >= rows_min) offers_->flush();
  if (choosing_->book->unwritten() >= rows_min) choosing_->book->flush();
  if (histories_->unwritten() >= rows_min) histories_->flush();
  if (outbox_->unwritten() >= rows_min) outbox_->write_lines();
  if (new_dated_.size() >= kKeysARow * rows_min) write_keys(new_dated_, true);
}

void Engine::write_rows_behind(std::size_t rows_min, std::function<void()> done) {
  write_appended(rows_min);
  if (rows_->unwritten() < rows_min) return;
  settle();
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

void Engine::take_customers(std::span<const CustomerId> ids) {
  customer_rows_->take(ids, [&](std::size_t at) -> gold::CustomerRows::Shown {
    if (at + kFetchAhead < ids.size()) core::prefetch(&customers_[ids[at + kFetchAhead]], sizeof(gold::Customer));
    if (at + kFetchSpendAhead < ids.size()) customers_[ids[at + kFetchSpendAhead]].spend.prefetch();
    gold::Customer& customer = customers_[ids[at]];
    customer.is_dirty = false;
    const std::uint8_t category =
        pack_ ? customer.spend.largest(pack_->mcc.money_category, pack_->mcc.money_divisor) : decide::kNoCategory;
    return {customer,
            category == decide::kNoCategory ? std::string_view() : std::string_view(pack_->mcc.names[category])};
  });
}

// A flush has many: they are copied by slices.
void Engine::write_customers(std::span<const CustomerId> ids) {
  while (!ids.empty()) {
    const std::size_t count = std::min(ids.size(), kCustomersASlice);
    take_customers(ids.first(count));
    customer_rows_->write_taken();
    ids = ids.subspan(count);
  }
}

// The rows that are closed, and then the rest.
void Engine::go_behind(std::function<void()> work, std::function<void()> done) {
  database_.lend(
      [this, work = std::move(work)] {
        if (options_.on_behind) options_.on_behind();
        rows_->write_closed();
        if (work) work();
      },
      std::move(done));
}

// In the order of their ids, as the table has them. Whoever is touched again after that is written again.
bool Engine::write_ahead_behind(std::size_t customers_max, std::function<void()> done) {
  if (leaving_.size() + dirty_.size() <= customers_max) return true;
  settle();
  offers_->flush();
  histories_->flush();
  outbox_->write_lines();
  if (leaving_.empty()) {
    leaving_.swap(dirty_);
    std::sort(leaving_.begin(), leaving_.end(), std::greater<>());
  }
  const std::size_t count = std::min(customers_max, leaving_.size());
  std::vector<CustomerId> ids(leaving_.rbegin(), leaving_.rbegin() + static_cast<std::ptrdiff_t>(count));
  leaving_.resize(leaving_.size() - count);
  take_customers(ids);
  rows_->close();
  go_behind([this] { customer_rows_->write_taken(); }, std::move(done));
  return false;
}

void Engine::flush() {
  const auto started = std::chrono::steady_clock::now();
  settle();
  write_changes(0);
  write_taken();
  rows_->write_closed();
  commit(seq_, started);
  begin();
}

void Engine::flush_behind(std::int64_t unfolded_bytes_max, std::function<void()> after, std::function<void()> done) {
  const auto started = std::chrono::steady_clock::now();
  settle();
  write_changes(kCustomersTakenMax);
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
  customer_rows_->write_taken();
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

void Engine::write_changes(std::size_t customers_taken_max) {
  rows_->close();
  dirty_.insert(dirty_.end(), leaving_.begin(), leaving_.end());
  leaving_.clear();
  std::sort(dirty_.begin(), dirty_.end());
  if (identities_->count() / 2 > sized_for_) size_cache();
  const std::span<const CustomerId> ids = dirty_;
  const std::size_t taken = std::min(ids.size(), customers_taken_max);
  write_customers(ids.first(ids.size() - taken));
  take_customers(ids.last(taken));
  dirty_.clear();
  write_loans();
  write_churn();
  write_keys(new_dated_, true);
  write_keys(new_lasting_, false);
  if (marketing_.is_dirty() && now_us_ != 0) marketing_.write(database_, day_);
  quality_->flush(database_);
  offers_->flush();
  write_choices();
  histories_->flush();
  queue_rows_->take(*queues_);
  outbox_->flush(database_);
  statements_->put_cursor
      .bind_all(seq_, now_us_, received_us_, std::int64_t{week_}, std::int64_t{day_}, derivation(*calendar_),
                std::string_view(zone_), std::string_view(pack_name_), std::string_view(pack_hash_), pack_seq_,
                offers_->count(), histories_->counts().segments, histories_->counts().churn, dpd_count_,
                offers_->first(), dropping_.decisions_below, dropping_.facts_below, dropping_.lines_before_us,
                std::int64_t{dropping_.is_under_way})
      .run();
  rows_->commit_begins(seq_);
  offers_->commit_begins();
  queue_rows_->commit_begins();
  statements_->contacts.commit_begins();
  statements_->churn_reasons.commit_begins();
}

}  // namespace tellerd::app
