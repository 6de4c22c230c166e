// Time in the engine: days and weeks that begin, deadlines in the order (due, customer, kind).
#include <algorithm>

#include "app/engine.h"
#include "app/engine_statements.h"
#include "core/assert.h"
#include "core/limits.h"

namespace tellerd::app {

namespace limits = core::limits;
using gold::DueKind;
using gold::kNoDay;
using gold::kNoWeek;

void Engine::move_time(const Record& record) {
  TELLERD_ASSERT(record.now_us >= now_us_);
  now_us_ = record.now_us;
  received_us_ = record.received_us;
  turn_ = {record.seq, now_us_, received_us_, 0, record.producer, 0, outbox_->is_loading(record.producer), record.is_backfill};
  const Day day = calendar_->day_of(now_us_);
  if (day != day_) close_day(day);
  const Week week = core::week_of_day(day);
  if (week != week_) {
    week_ = week;
    week_start_us_ = calendar_->start_of_week(week);
    statements_->put_week.bind_all(std::int64_t{week}, record.seq).run();
    statements_->find_week.bind(1, std::int64_t{week - limits::kActivityWeeksKept});
    if (statements_->find_week.step()) dropping_below_ = statements_->find_week.integer(0);
    statements_->find_week.reset();
  }
  if (dropping_below_ && rows_->drop_below(dropping_below_, static_cast<int>(limits::kDeadlinesPerRecord))) {
    dated_keys_.drop_below(dropping_below_);
    statements_->drop_keys.bind(1, dropping_below_).run();
    dropping_below_ = 0;
  }
  expire_references(record.received_us);
  for (const std::int32_t producer : outbox_->overdue_loads(record.received_us)) end_load(producer);
}

void Engine::close_day(Day day) {
  if (day_ != kNoDay && marketing_.is_dirty() && now_us_ != 0) marketing_.write(database_, day_);
  marketing_.close_day();
  day_ = day;
}

// The customer's exact next deadline, from its state alone.
std::pair<Instant, DueKind> Engine::next_due(CustomerId id) const {
  std::pair<Instant, DueKind> next{core::kNever, DueKind::kOffer};
  const gold::Customer& customer = customers_[id];
  if (customer.is_absorbed || !pack_) return next;
  auto consider = [&](Instant due_us, DueKind kind) {
    if (due_us < next.first) next = {due_us, kind};
  };
  if (const Week leaving = gold::next_leaving_week(customer, windows_); leaving != kNoWeek) consider(calendar_->start_of_week(leaving), DueKind::kWindow);
  if (customer.is_backfilled) return next;             // decides nothing until its backfill ends
  const bool can_churn = customer.churn == gold::ChurnState::kActive || customer.churn == gold::ChurnState::kReturned || customer.churn == gold::ChurnState::kAtRisk;
  if (can_churn && customer.last_tx_week != kNoWeek) consider(calendar_->start_of_week(customer.last_tx_week + pack_->churn.horizon_weeks + 1), DueKind::kChurn);
  if (customer.churn == gold::ChurnState::kReturned) consider(customer.churn_since_us + pack_->churn.horizon_weeks * core::kWeek, DueKind::kChurn);
  if (customer.downgrade_since_us) consider(customer.downgrade_since_us + rules_->downgrade_wait_us(), DueKind::kDowngrade);
  if (customer.first_offer) consider(offers_->first_expiry(customer.first_offer), DueKind::kOffer);
  auto consider_loans = [&](CustomerId member) {
    for (std::uint32_t place = customers_[member].first_loan; place; place = loans_[place].next_of_customer)
      if (loans_[place].next_change != kNoDay) consider(calendar_->start_of_day(loans_[place].next_change), DueKind::kLoan);
  };
  const auto joined = members_.find(id);
  if (joined == members_.end()) consider_loans(id);
  else for (const CustomerId member : joined->second) consider_loans(member);
  return next;
}

void Engine::queue_deadline(CustomerId id) {
  gold::Customer& customer = customers_[id];
  customer.is_due_sooner = false;
  const Instant due_us = next_due(id).first;
  if (due_us >= customer.queued_us) return;
  customer.queued_us = due_us;
  deadlines_.push(due_us, id);
}

// One turn of the customer's earliest deadline when it is due.
bool Engine::run_next_deadline(CustomerId id) {
  const auto [due_us, kind] = next_due(id);
  if (due_us > now_us_) return false;
  ++turn_.part;
  turn_.due_us = due_us;
  counters_.deadlines.fetch_add(1, std::memory_order_relaxed);
  gold::Customer& customer = touch(id);
  switch (kind) {
    case DueKind::kWindow:                             // the only deadline that moves the customer's week: sums follow it
      advance(id, week_);
      gold::recompute_windows(customer, alive_measures(id), windows_);
      break;
    case DueKind::kDowngrade: customer.is_unsure = true; break;
    case DueKind::kOffer:
      for (std::uint32_t place = customer.first_offer; place;) {
        const std::uint32_t next = (*offers_)[place].next;
        if ((*offers_)[place].expires_us <= now_us_) close_offer(id, place, "EXPIRED");
        place = next;
      }
      customer.is_unsure = true;                       // what has expired is renewed, also when others still stand
      break;
    case DueKind::kLoan:
      for (const CustomerId member : members(id))
        for (std::uint32_t place = customers_[member].first_loan; place; place = loans_[place].next_of_customer)
          if (loans_[place].next_change != kNoDay && loans_[place].next_change <= day_) refresh_loan(place);
      break;
    case DueKind::kChurn: break;                       // decide() moves the state
  }
  decide_touched();
  return true;
}

void Engine::run_own_deadlines(CustomerId id) {
  if (now_us_ == 0 || customers_[id].queued_us > now_us_) return;
  while (run_next_deadline(id)) {}
}

void Engine::run_deadlines(std::size_t turns_max) {
  if (now_us_ == 0) return;
  std::size_t turns = 0;
  while (turns < turns_max && !deadlines_.is_empty() && deadlines_.next().due_us <= now_us_) {
    const auto entry = deadlines_.next();
    deadlines_.pop();
    gold::Customer& customer = customers_[entry.customer];
    if (customer.queued_us == entry.due_us) customer.queued_us = core::kNever;
    // The entry is a lower bound: a later exact deadline only goes back into the queue.
    if (next_due(entry.customer).first == entry.due_us && run_next_deadline(entry.customer)) ++turns;
    queue_deadline(entry.customer);
  }
}

Instant Engine::next_due_us() {
  while (!deadlines_.is_empty()) {
    const auto entry = deadlines_.next();
    const Instant exact = next_due(entry.customer).first;
    if (exact == entry.due_us) return exact;
    deadlines_.pop();
    if (customers_[entry.customer].queued_us == entry.due_us) customers_[entry.customer].queued_us = core::kNever;
    queue_deadline(entry.customer);
  }
  return core::kNever;
}

void Engine::expire_references(Instant received_us) {
  while (!waiting_references_.empty() && received_us - waiting_references_.front().first > limits::kReferenceWaitUs) {
    const Seq seq = waiting_references_.front().second;
    waiting_references_.pop_front();
    statements_->drop_waiting.bind(1, seq).run();
    const auto row = rows_->read(wire::Kind::kInstalmentPayment, seq);
    if (!row || row->state != silver::RowState::kAlive) continue;
    const auto& fact = std::get<wire::InstalmentPayment>(row->event.body);
    std::uint32_t& first = customers_[row->customer].first_loan;
    const std::uint32_t place = loans_.find_or_make(row->customer, fact.loan_name, first);
    if (loans_[place].is_known) continue;
    statements_->put_quarantine(seq, now_us_, "", 0, "instalment_payment", "UNKNOWN_REFERENCE", "loan_name", fact.loan_name);
    quality_->count_refused(identities_->system_name(row->customer), wire::Kind::kInstalmentPayment, "UNKNOWN_REFERENCE", now_us_);
    counters_.quarantined.fetch_add(1);
    apply_instalment(*row, false);
    rows_->set_state(wire::Kind::kInstalmentPayment, seq, silver::RowState::kReplaced);
  }
}

}  // namespace tellerd::app
