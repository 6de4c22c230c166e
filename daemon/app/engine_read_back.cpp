// Reading back what a flush has written: state as of the cursor, before the first record is applied.
#include <future>

#include "app/engine.h"
#include "app/engine_choice.h"
#include "app/engine_churn_rows.h"
#include "app/engine_statements.h"
#include "core/fault.h"

namespace tellerd::app {

using silver::Row;
using wire::Kind;

// Who is who and which facts are known takes about as long as all else: another thread reads it by a reader of its own,
// into memory that nobody looks at meanwhile.
void Engine::read_back() {
  identities_ = std::make_unique<silver::Identities>(database_);
  auto reader = store::Database::open_reader(database_.file());
  auto known = std::async(std::launch::async, [&] {
    identities_->read(reader);
    read_keys(reader);
  });
  outbox_ = std::make_unique<deliver::Outbox>(database_);
  segment_topic_ = outbox_->topic("segment");
  churn_topic_ = outbox_->topic("churn");
  overdue_topic_ = outbox_->topic("overdue");
  quality_ = std::make_unique<silver::QualityCounts>(database_);
  quality_->name_system(0, "-");
  store::Statement cursor(database_,
                          "SELECT "
                          "seq,now_us,received_us,week,day,zone,pack_seq,offer_count,derive_version,segment_count,"
                          "churn_count,dpd_count,first_offer,decisions_below,facts_below,lines_before_us,is_dropping,"
                          "next_loan,loan_count FROM "
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
  dropping_.next_loan = static_cast<std::uint32_t>(cursor.integer(17));
  const auto loan_count = static_cast<std::uint32_t>(cursor.integer(18));
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
    if (pack.bind(1, pack_seq).step())
      use_pack(std::make_unique<decide::Pack>(decide::parse_pack(decide::deserialise_pack(pack.text(0)))), pack_seq);
    pack.reset();
    store::Statement coming(database_, "SELECT seq,files FROM policy_coming");
    if (coming.step()) coming_.emplace(coming.text(1), coming.integer(0));
  }
  read_churn();
  gold::CustomerRows::read_all(database_, [&](CustomerId id, gold::Customer&& customer) {
    backfilled_ += customer.is_backfilled;
    customers_.restore(id, std::move(customer));
  });
  known.get();
  for (CustomerId id = 1; id <= identities_->count(); ++id)
    quality_->name_system(std::size_t{identities_->system(id)} + 1, identities_->system_name(id));
  customers_.extend_to(identities_->count());
  read_links();
  read_queues();
  read_contacts();
  read_outcomes();
  read_loans(loan_count);
  counters_.facts = dated_keys_.count() + lasting_keys_.count();
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
  store::Statement made(
      database_,
      "SELECT number,expected_revenue_minor,created_us,days_valid,template,customer,offer_id FROM offer_made "
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
    const std::int64_t days_valid = made.integer(3);
    offers_->restore({number, made.integer(6), made.integer(1), made.integer(2) + days_valid * core::kDay,
                      static_cast<std::uint16_t>(made.integer(4)), static_cast<std::uint16_t>(days_valid)},
                     customers_.passing(static_cast<CustomerId>(made.integer(5))).first_offer);
  }
}

// Loans stand in memory; each row gives again what it gave. The cells hold more: what dropped loans left.
void Engine::read_loans(std::uint32_t count) {
  store::Statement dropped(database_, "SELECT key_hash FROM dropped_loan");
  while (dropped.step()) loans_.restore_dropped(static_cast<std::uint64_t>(dropped.integer(0)));
  store::Statement stands(
      database_,
      "SELECT customer,loan_name,loan_seq,dpd,bucket,refreshed_on,left_bucket,moved_on,place FROM gold_loan "
      "ORDER BY place");
  while (stands.step()) {
    loans_.skip_to(static_cast<std::uint32_t>(stands.integer(8)));
    const std::uint32_t place = loan_place(static_cast<CustomerId>(stands.integer(0)), stands.text(1));
    loan_seqs_[place] = stands.integer(2);
    loans_[place].dpd = static_cast<std::int32_t>(stands.integer(3));
    loans_[place].bucket = static_cast<std::int8_t>(stands.integer(4));
    loans_[place].refreshed_on = static_cast<Day>(stands.integer(5));
    loans_[place].left_bucket = static_cast<std::int8_t>(stands.integer(6));
    loans_[place].moved_on = static_cast<Day>(stands.integer(7));
  }
  loans_.skip_to(count + 1);
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
    if (!loans_.holds(place)) continue;
    loans_.restore_parts(place, loan_rules_, loans_[place].refreshed_on);
    loans_[place].next_change = gold::next_change(loans_[place], loan_rules_, loans_[place].refreshed_on);
  }
  store::Statement cells(database_,
                         "SELECT month,bucket,loans,overdue_loans,issued_minor,overdue_paid_minor FROM gold_loan_cell");
  while (cells.step())
    loans_.restore_cell(static_cast<std::int32_t>(cells.integer(0)), static_cast<int>(cells.integer(1)),
                        {cells.integer(2), cells.integer(3), cells.integer(4), cells.integer(5)});
  store::Statement waiting(database_, "SELECT received_us,seq,kind FROM waiting_reference ORDER BY seq");
  while (waiting.step())
    waiting_references_.push_back({waiting.integer(0), waiting.integer(1), static_cast<Kind>(waiting.integer(2))});
}

}  // namespace tellerd::app
