// Time in the engine: days and weeks that begin, deadlines in the order (due, customer, kind).
#include <algorithm>

#include "app/engine_choice.h"
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
  turn_ = {record.seq,        now_us_, received_us_, 0, record.producer, 0, outbox_->is_loading(record.producer),
           record.is_backfill};
  const Day day = calendar_->day_of(now_us_);
  if (day != day_) close_day(day);
  const Week week = core::week_of_day(day);
  bool is_new_week = false;
  if (week != week_) {
    week_ = week;
    week_start_us_ = calendar_->start_of_week(week);
    if (churn_model_) {
      score_everybody();
      watch_week_ = week;
    }
    is_new_week = true;
  }
  if (!choosing_->pending.empty()) expire_labels();
  if (is_new_week) begin_dropping(record.seq);
  drop_old();
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
  if (const Week leaving = gold::next_leaving_week(customer, windows_); leaving != kNoWeek)
    consider(calendar_->start_of_week(leaving), DueKind::kWindow);
  if (customer.is_backfilled) return next;  // decides nothing until its backfill ends
  const bool can_churn = customer.churn == gold::ChurnState::kActive || customer.churn == gold::ChurnState::kReturned ||
                         customer.churn == gold::ChurnState::kAtRisk;
  if (can_churn && customer.last_tx_week != kNoWeek)
    consider(calendar_->start_of_week(customer.last_tx_week + pack_->churn.horizon_weeks + 1), DueKind::kChurn);
  if (customer.churn == gold::ChurnState::kReturned)
    consider(customer.churn_since_us + pack_->churn.horizon_weeks * core::kWeek, DueKind::kChurn);
  if (customer.downgrade_since_us)
    consider(customer.downgrade_since_us + rules_->downgrade_wait_us(), DueKind::kDowngrade);
  if (customer.first_offer) consider(offers_->first_expiry(customer.first_offer), DueKind::kOffer);
  if (chooses_) consider(choice_due_us(id), DueKind::kChoice);
  auto consider_loans = [&](CustomerId member) {
    for (std::uint32_t place = customers_[member].first_loan; place; place = loans_[place].next_of_customer)
      if (loans_[place].next_change != kNoDay)
        consider(calendar_->start_of_day(loans_[place].next_change), DueKind::kLoan);
  };
  const auto joined = members_.find(id);
  if (joined == members_.end())
    consider_loans(id);
  else
    for (const CustomerId member : joined->second) consider_loans(member);
  return next;
}

void Engine::queue_deadline(CustomerId id) {
  gold::Passing& passing = customers_.passing(id);
  passing.is_due_sooner = false;
  const Instant due_us = next_due(id).first;
  if (due_us >= passing.queued_us) return;
  passing.queued_us = due_us;
  deadlines_.push(due_us, id);
}

gold::Deadlines::Entry Engine::take_deadline() {
  const auto entry = deadlines_.next();
  deadlines_.pop();
  gold::Passing& passing = customers_.passing(entry.customer);
  if (passing.queued_us == entry.due_us) passing.queued_us = core::kNever;
  return entry;
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
    case DueKind::kWindow:  // the only deadline that moves the customer's week: sums follow it
      advance(id, week_);
      gold::recompute_windows(customer, alive_measures(id), windows_);
      break;
    case DueKind::kDowngrade:
      customer.is_unsure = true;
      break;
    case DueKind::kOffer:
      for (std::uint32_t place = customer.first_offer; place;) {
        const std::uint32_t next = (*offers_)[place].next;
        if ((*offers_)[place].expires_us <= now_us_) close_offer(id, place, "EXPIRED");
        place = next;
      }
      customer.is_unsure = true;  // what has expired is renewed, also when others still stand
      break;
    case DueKind::kLoan:
      for (const CustomerId member : members(id))
        for (std::uint32_t place = customers_[member].first_loan; place; place = loans_[place].next_of_customer)
          if (loans_[place].next_change != kNoDay && loans_[place].next_change <= day_) refresh_loan(place);
      break;
    case DueKind::kChurn:
      break;                // decide() moves the state
    case DueKind::kChoice:  // weeks go on; what leaves a window with them has a deadline of its own
      if (const Week leaving = gold::next_leaving_week(customer, windows_); leaving == kNoWeek || leaving > week_)
        advance(id, week_);
      break;
  }
  decide_touched();
  return true;
}

void Engine::run_own_deadlines(CustomerId id) {
  if (now_us_ == 0 || customers_[id].queued_us > now_us_) return;
  while (run_next_deadline(id)) {
  }
}

void Engine::run_deadlines(std::size_t turns_max) {
  if (now_us_ == 0) return;
  std::size_t turns = 0;
  while (turns < turns_max && !deadlines_.is_empty() && deadlines_.next().due_us <= now_us_) {
    const auto entry = take_deadline();
    // The entry is a lower bound: a later exact deadline only goes back into the queue.
    if (next_due(entry.customer).first == entry.due_us && run_next_deadline(entry.customer)) ++turns;
    queue_deadline(entry.customer);
  }
  if (rescored_next_) score_slice(turns_max);
}

// Besides the customers' deadlines: a reference that has waited long enough, a load that fell silent.
Instant Engine::next_due_us() {
  if (rescored_next_ && now_us_ != 0) return now_us_;
  Instant soonest = outbox_->next_overdue_us();
  if (!waiting_references_.empty())
    soonest = std::min(soonest, waiting_references_.front().received_us + limits::kReferenceWaitUs + 1);
  return std::min(soonest, next_customer_due_us());
}

Instant Engine::next_customer_due_us() {
  while (!deadlines_.is_empty()) {
    const auto entry = deadlines_.next();
    const Instant exact = next_due(entry.customer).first;
    if (exact == entry.due_us) return exact;
    take_deadline();
    queue_deadline(entry.customer);
  }
  return core::kNever;
}

// A fact that names another waits here for it; what it gives meanwhile is taken back when that does not come in time.
void Engine::wait_for_reference(const silver::Row& row) {
  waiting_references_.push_back({turn_.received_us, row.seq, row.event.kind()});
  statements_->put_waiting.later(row.seq, turn_.received_us, static_cast<std::int64_t>(row.event.kind()));
}

void Engine::expire_references(Instant received_us) {
  while (!waiting_references_.empty() &&
         received_us - waiting_references_.front().received_us > limits::kReferenceWaitUs) {
    const WaitingReference waiting = waiting_references_.front();
    waiting_references_.pop_front();
    statements_->drop_waiting.later(waiting.seq);
    const auto row = rows_->read(waiting.kind, waiting.seq);
    if (row && row->state == silver::RowState::kAlive && !has_reference(*row)) refuse_reference(*row);
  }
}

bool Engine::has_reference(const silver::Row& row) {
  if (const auto* payment = std::get_if<wire::InstalmentPayment>(&row.event.body))
    return loans_[loan_place(row.customer, payment->loan_name)].is_known;
  if (const auto* outcome =
          std::get_if<wire::Outcome>(&row.event.body)) {  // an alias may have brought the offer's customer
    const std::int64_t number = offer_named(row.customer, outcome->offer_id);
    if (number) link_outcome(row, number);
    return number != 0;
  }
  const auto* view = std::get_if<wire::ProductView>(&row.event.body);
  return !view || is_known_product(view->product);
}

// Into quarantine with the bytes it would be sent as again, and out of everything derived.
void Engine::refuse_reference(const silver::Row& row) {
  const wire::Kind kind = row.event.kind();
  wire::Event event = row.event;
  event.system = identities_->system_name(row.customer);
  event.customer = identities_->key(row.customer);
  wire::Encoder encoder;
  const std::string_view field = kind == wire::Kind::kProductView ? "product"
                                 : kind == wire::Kind::kOutcome   ? "offer_id"
                                                                  : "loan_name";
  statements_->put_quarantine(row.seq, now_us_, "", 0, wire::name_of(kind), "UNKNOWN_REFERENCE", field,
                              encoder.encode(event));
  tell(row.seq, kind, event.system, "UNKNOWN_REFERENCE", field);
  counters_.quarantined.fetch_add(1);
  if (kind == wire::Kind::kInstalmentPayment) apply_instalment(row, false);
  rows_->set_state(kind, row.seq, silver::RowState::kReplaced);
}

}  // namespace tellerd::app
