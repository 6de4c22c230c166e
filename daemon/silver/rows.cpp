#include "silver/rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "core/assert.h"
#include "store/paired_select.h"

namespace tellerd::silver {
namespace {

using wire::Kind;
using wire::Text;

constexpr int kHeadColumns = 7;
// Of some 220 bytes each: kept, of which half may wait to be written. In a burst a small bank has no room for that,
// and rows are written while they are in the processor's cache.
constexpr std::size_t kKeptMax = 100'000;
constexpr std::size_t kKeptMaxInBurst = 16'384, kCustomersOfASmallBank = 10'000, kKeptACustomer = 10;
constexpr std::size_t kKeptMaxOfALargeBank = 500'000;
constexpr std::size_t kUnwrittenMaxInBurst = 8'192;

struct ListColumns {
  std::string& list;
  template <class T>
  void operator()(Text name, const T&) {
    list += fmt::format(",{}", name);
  }
};

struct ReadFields {
  const store::Statement& statement;
  int at;
  void operator()(Text, Text& value) { value = statement.text(at++); }
  void operator()(Text, bool& value) { value = statement.integer(at++) != 0; }
  template <class T>
  void operator()(Text, T& value) {
    value = static_cast<T>(statement.integer(at++));
  }
};

template <class V>
void each_field(wire::Body& body, V&& v) {
  std::visit(
      [&]<class Fact>(Fact& fact) {
        if constexpr (!std::is_same_v<Fact, std::monostate>) Fact::each(fact, v);
      },
      body);
}

struct CountTexts {
  std::size_t& bytes;
  void operator()(Text, const Text& value) const { bytes += value.size(); }
  template <class T>
  void operator()(Text, const T&) const {}
};

struct KeepTexts {  // has room for all of them
  std::string& texts;
  void operator()(Text, Text& value) const {
    const std::size_t at = texts.size();
    texts += value;
    value = std::string_view(texts).substr(at);
  }
  template <class T>
  void operator()(Text, const T&) const {}
};

std::string columns_of(Kind kind) {
  std::string list = "seq,customer,prev,occurred_us,version,state,id";
  if (kind == Kind::kTransaction || kind == Kind::kBillPayment) list += ",branch_minor";
  if (kind == Kind::kSms || kind == Kind::kHostVisit) list += ",is_competitor";
  with_fact(kind, [&]<class Fact>(const Fact& fact) { Fact::each(fact, ListColumns{list}); });
  return list;
}

Row row_from(const store::Statement& statement, Kind kind) {
  Row row;
  row.seq = statement.integer(0);
  row.customer = static_cast<CustomerId>(statement.integer(1));
  row.prev = statement.integer(2);
  row.event.occurred_us = statement.integer(3);
  row.event.version = static_cast<std::uint64_t>(statement.integer(4));
  row.state = static_cast<RowState>(statement.integer(5));
  row.event.id = statement.text(6);
  int at = kHeadColumns;
  if (has_mark(kind)) {
    if (!statement.is_null(at)) row.mark = statement.integer(at);
    ++at;
  }
  with_fact(kind, [&]<class Fact>(const Fact&) {
    Fact::each(row.event.body.emplace<Fact>(), ReadFields{statement, at});
  });
  return row;
}

}  // namespace

struct Rows::Statements {
  struct Verbs {
    std::optional<store::BulkInsert> insert;
    std::optional<store::PairedSelect> select;
    std::optional<store::Statement> state, mark;
  };
  std::array<Verbs, wire::kEventKinds + 1> of;
  Verbs& operator[](Kind kind) { return of[static_cast<std::size_t>(kind)]; }
};

Rows::Rows(store::Database& database)
    : database_(database), statements_(std::make_unique<Statements>()), kept_max_(kKeptMax) {
  for (int number = 1; number <= wire::kEventKinds; ++number) {
    const Kind kind = static_cast<Kind>(number);
    if (!has_rows(kind)) continue;
    auto& verbs = (*statements_)[kind];
    verbs.insert.emplace(database, fmt::format("INSERT INTO silver_{}", wire::name_of(kind)), columns_of(kind));
    verbs.select.emplace(database,
                         fmt::format("SELECT {} FROM silver_{} WHERE seq=?", columns_of(kind), wire::name_of(kind)));
    verbs.state.emplace(database, fmt::format("UPDATE silver_{} SET state=?2 WHERE seq=?1", wire::name_of(kind)));
    if (kind == Kind::kTransaction || kind == Kind::kBillPayment)
      verbs.mark.emplace(database,
                         fmt::format("UPDATE silver_{} SET branch_minor=?2 WHERE seq=?1", wire::name_of(kind)));
    if (kind == Kind::kSms || kind == Kind::kHostVisit)
      verbs.mark.emplace(database,
                         fmt::format("UPDATE silver_{} SET is_competitor=?2 WHERE seq=?1", wire::name_of(kind)));
  }
}

Rows::~Rows() = default;

void Rows::append(const Row& row) {
  if (!tails_.back().has_room()) open_tail();
  tails_.back().append(row);
  ++unwritten_;
  ++kept_;
}

void Rows::write_out() {
  database_.take_back();
  close();
  write_closed();
}

void Rows::Change::add(const Change& later) {
  if (later.state) state = later.state;
  if (later.mark) mark = later.mark;
}

void Rows::Change::apply_to(Row& row) const {
  if (state) row.state = *state;
  if (mark) row.mark = *mark;
}

void Rows::apply(const Changes& changes, Row& row) {
  if (const auto change = changes.find(row.seq); change != changes.end()) change->second.apply_to(row);
}

void Rows::Change::apply_to(Tail& tail, Seq seq) const {
  if (state) tail.set_state(seq, *state);
  if (mark) tail.set_mark(seq, *mark);
}

void Rows::close() {
  for (auto& verbs : statements_->of)
    if (verbs.select) verbs.select->reset();
  unwritten_ = 0;
  for (Tail& tail : tails_) {
    if (tail.stage() == Tail::Stage::kBeingWritten) tail.move_to(Tail::Stage::kWritten);
    if (tail.stage() == Tail::Stage::kWritten || tail.count() == 0) continue;
    tail.move_to(Tail::Stage::kBeingWritten);
    closed_.push_back(&tail);
  }
  for (const auto& [seq, change] : changed_meanwhile_) change.apply_to(*tail_with(seq), seq);
  changed_meanwhile_.clear();
  if (tails_.back().count() > 0) add_tail();
  forget_written();
}

void Rows::write_closed() {
  for (const Tail* tail : closed_)
    for (int number = 1; number <= wire::kEventKinds; ++number) {
      const Kind kind = static_cast<Kind>(number);
      if (auto& insert = (*statements_)[kind].insert)
        insert->run(tail->count(kind), [&](std::size_t at, store::BulkRow& row) { tail->fill(kind, at, row); });
    }
  closed_.clear();
  forgotten_.clear();
}

// One more; in a burst, or when many wait, all are written first. While the connection is lent they wait longer.
void Rows::open_tail() {
  const std::size_t many = kept_max_ / 2;
  if (unwritten_ >= (is_burst_ && !database_.is_lent() ? kUnwrittenMaxInBurst : many)) return write_out();
  add_tail();
}

void Rows::add_tail() {
  if (!spares_.empty()) {
    tails_.push_back(std::move(spares_.back()));
    spares_.pop_back();
  } else if (next_) {
    for (auto& pages : next_->pages) pages.take();
    tails_.push_back(std::move(next_->tail));
    next_.reset();
  } else {
    tails_.emplace_back();
  }
  if (is_burst_ && spares_.empty() && !next_) have_next_touched();
}

// By another thread, as much of it as the last one took: fresh pages cost the engine more than filling them.
void Rows::have_next_touched() {
  if (tails_.size() < 2) return;
  next_ = std::make_unique<Next>();
  const auto room = next_->tail.room_for_as_much_as(tails_[tails_.size() - 2]);
  for (std::size_t part = 0; part < room.size(); ++part) next_->pages[part].ask(room[part].data(), room[part].size());
}

// Those of commits that are through are found in teller.db.
void Rows::forget_written() {
  const auto may_go = [this](const Tail& tail) {
    return tail.stage() == Tail::Stage::kWritten && (tail.last_seq() <= committed_ || kept_ > kept_max_);
  };
  while (may_go(tails_.front())) {
    kept_ -= tails_.front().count();
    const bool is_spare = is_burst_ || spares_.empty();
    if (is_spare) tails_.front().clear();
    (is_spare ? spares_ : forgotten_).push_back(std::move(tails_.front()));
    tails_.pop_front();
  }
}

void Rows::make_room(bool is_burst, std::size_t customers, std::size_t rows_max) {
  is_burst_ = is_burst;
  const std::size_t beyond_small = std::max(customers, kCustomersOfASmallBank) - kCustomersOfASmallBank;
  kept_max_ = std::min(kKeptMaxInBurst + beyond_small * kKeptACustomer, kKeptMaxOfALargeBank);
  if (!is_burst) kept_max_ = std::max(kept_max_, kKeptMax);
  kept_max_ = std::min(kept_max_, rows_max);
}

void Rows::forget_kept() {
  spares_.clear();
  next_.reset();
  if (unwritten_ == 0 && closed_.empty()) forget_all();
}

void Rows::forget_all() {
  tails_.clear();
  tails_.emplace_back();
  spares_.clear();
  next_.reset();
  kept_ = 0;
  changed_meanwhile_.clear();
}

void Rows::commit_begins(Seq newest) {
  committed_ = committing_;
  committing_ = newest;
  is_through_.store(false, std::memory_order_relaxed);
  is_seen_through_ = false;
  changing_.swap(changed_);
  changed_.clear();
  forget_written();
}

void Rows::end_aside() noexcept {
  for (; aside_; aside_ &= aside_ - 1)
    statements_->of[static_cast<std::size_t>(std::countr_zero(aside_))].select->reset();
}

Tail* Rows::tail_with(Seq seq) {
  const auto tail = std::partition_point(tails_.begin(), std::prev(tails_.end()),
                                         [seq](const Tail& earlier) { return earlier.last_seq() < seq; });
  return tail->has(seq) ? &*tail : nullptr;
}

std::optional<Row> Rows::read(Kind kind, Seq seq) {
  if (const Tail* tail = tail_with(seq)) {
    auto row = tail->find(kind, seq);
    if (row) apply(changed_meanwhile_, *row);
    return row;
  }
  const bool is_aside = is_committed(seq) && database_.is_lent();
  if (!is_aside && database_.is_lent()) {
    std::optional<Row> between;
    if (database_.interject([&] { between = read_between(kind, seq); })) return between;
  }
  // The row's texts live in the statement until it is asked again.
  if (is_aside) aside_ |= 1ull << static_cast<unsigned>(kind);
  store::Statement& select = (*statements_)[kind].select->fresh(is_aside, true);
  if (!select.bind(1, seq).step()) return std::nullopt;
  Row row = row_from(select, kind);
  apply(changing_, row);
  apply(changed_, row);
  return row;
}

// Of the table as whoever has the connection has left it, with what it does not know of yet.
std::optional<Row> Rows::read_between(Kind kind, Seq seq) {
  auto& selects = *(*statements_)[kind].select;
  store::Statement& select = selects.fresh(false);
  if (!select.bind(1, seq).step()) {
    selects.reset();
    return std::nullopt;
  }
  Row row = row_from(select, kind);
  std::string& texts = texts_[static_cast<std::size_t>(kind)];
  std::size_t bytes = row.event.id.size();
  each_field(row.event.body, CountTexts{bytes});
  texts.clear();
  texts.reserve(bytes);
  KeepTexts{texts}("id", row.event.id);
  each_field(row.event.body, KeepTexts{texts});
  selects.reset();
  apply(changing_, row);
  apply(changed_, row);
  return row;
}

// What is held of the row; false when that is all there is yet.
bool Rows::change_held(Kind kind, Seq seq, const Change& change) {
  if (Tail* tail = tail_with(seq)) {
    if (tail->stage() == Tail::Stage::kBeingWritten)
      changed_meanwhile_[seq].add(change);
    else
      change.apply_to(*tail, seq);
    if (tail->stage() == Tail::Stage::kOpen) return false;
  }
  changed_[seq].add(change);
  (*statements_)[kind].select->reset();
  return true;
}

void Rows::set_state(Kind kind, Seq seq, RowState state) {
  if (!change_held(kind, seq, {state, std::nullopt})) return;
  (*statements_)[kind].state->later(seq, static_cast<std::int64_t>(state));
}

void Rows::set_mark(Kind kind, Seq seq, std::optional<std::int64_t> mark) {
  if (!change_held(kind, seq, {std::nullopt, mark})) return;
  auto& update = *(*statements_)[kind].mark;
  if (mark)
    update.later(seq, *mark);
  else
    update.later(seq, std::nullopt);
}

void Rows::for_each(Kind kind, void (*visit)(void*, const Row&), void* context) {
  write_out();
  store::Statement all(database_, fmt::format("SELECT {} FROM silver_{} WHERE state<>1 ORDER BY seq", columns_of(kind),
                                              wire::name_of(kind)));
  while (all.step()) visit(context, row_from(all, kind));
}

RowScan::RowScan(store::Database& reader, Kind kind)
    : kind_(kind),
      next_(reader, fmt::format("SELECT {} FROM silver_{} WHERE seq>? AND state<>1 ORDER BY seq LIMIT ?",
                                columns_of(kind), wire::name_of(kind))) {}

bool RowScan::visit_next(int rows_max, void (*visit)(void*, const Row&), void* context) {
  next_.bind_all(after_, std::int64_t{rows_max});
  int visited = 0;
  for (; next_.step(); ++visited) {
    const Row row = row_from(next_, kind_);
    after_ = row.seq;
    visit(context, row);
  }
  next_.reset();
  return visited < rows_max;
}

bool Rows::drop_below(Seq floor, int rows_max) {
  dropped_below_ = floor;
  if (tails_.front().holds_below(floor)) {
    write_out();
    forget_all();
  }
  std::int64_t dropped = 0;
  for (int number = 1; number <= wire::kEventKinds && dropped < rows_max; ++number) {
    const Kind kind = static_cast<Kind>(number);
    if (!has_rows(kind) || !wire::is_dated_activity(kind)) continue;
    store::Statement drop(
        database_,
        fmt::format("DELETE FROM silver_{0} WHERE seq IN (SELECT seq FROM silver_{0} WHERE seq<? ORDER BY seq LIMIT ?)",
                    wire::name_of(kind)));
    drop.bind_all(floor, rows_max - dropped).run();
    dropped += database_.changes();
  }
  return dropped < rows_max;
}

void Rows::drop_loan(CustomerId customer, std::string_view name) {
  write_out();
  forget_all();
  for (const Kind kind : {Kind::kLoan, Kind::kLoanChange, Kind::kInstalmentPayment})
    store::Statement(database_,
                     fmt::format("DELETE FROM silver_{} WHERE customer=? AND loan_name=?", wire::name_of(kind)))
        .bind_all(std::int64_t{customer}, name)
        .run();
}

}  // namespace tellerd::silver
