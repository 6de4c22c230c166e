// Retention in the engine (design.md 2): what is older than its weeks goes, some rows a record, so that a replay drops
// alike. Dated facts go with the week their records came in; offers, with their ends, outcomes, labels and decisions,
// with the week they were made in, but none that comes after one that stands or waits for its answer; lines of the feed
// sooner. A loan goes with its instalments five years after its closing.
#include <algorithm>

#include "app/engine.h"
#include "app/engine_choice.h"
#include "app/engine_statements.h"
#include "core/limits.h"

namespace tellerd::app {

namespace limits = core::limits;

// A week has begun.
void Engine::begin_dropping(Seq first_seq) {
  statements_->put_week.bind_all(std::int64_t{week_}, first_seq, offers_->count() + 1, choosing_->book->count() + 1)
      .run();
  dropping_ = {};
  dropping_.is_under_way = true;
  dropping_.lines_before_us = std::int64_t{week_ - limits::kFeedWeeksKept} * core::kWeek;
  auto& find = statements_->find_week;
  find.bind(1, std::int64_t{week_ - limits::kActivityWeeksKept});
  std::int64_t first_offer = 0;
  if (find.step()) {
    dropping_.facts_below = find.integer(0);
    first_offer = find.integer(1);
    dropping_.decisions_below = find.integer(2);
  }
  find.reset();
  if (first_offer) drop_offers_below(first_offer);
}

// The number of the first offer that stands, or whose label waits.
std::int64_t Engine::oldest_in_use() const {
  std::int64_t oldest = offers_->count() + 1;
  queues_->ready().each_standing(offers_->first(), [&](std::int64_t number, const deliver::ReadyIndex::Slot&) {
    oldest = number;
    return false;
  });
  for (const auto& one : choosing_->pending) oldest = std::min(oldest, one.offer);
  return oldest;
}

// But none that is in use, nor one after it. From here on nobody finds them. What was learnt from them stays learnt; a
// correction learns anew without them.
void Engine::drop_offers_below(std::int64_t number) {
  settle();
  take_appended(0);
  write_taken_appended();
  write_choices();
  if (const std::int64_t oldest = oldest_in_use(); oldest < number) {
    number = oldest;
    if (const auto decided = choosing_->book->first_of(number))
      dropping_.decisions_below = std::min(dropping_.decisions_below, *decided);
  }
  if (number <= offers_->first()) return;
  offers_->drop_below(number);
  {
    const auto guard = queues_->lock();
    queues_->drop_below(number);
  }
  for (auto& [customer, promises] : promises_)
    std::erase_if(promises, [&](const Promise& one) { return one.number < number; });
  std::erase_if(promises_, [](const auto& of) { return of.second.empty(); });
  statements_->drop_promises.bind(1, number).run();
}

void Engine::drop_old() {
  if (!dropping_.is_under_way) return;
  const int rows_max = static_cast<int>(limits::kDeadlinesPerRecord);
  bool is_done = true;
  if (dropping_.facts_below) {
    if (rows_->drop_below(dropping_.facts_below, rows_max)) {
      dated_keys_.drop_below(dropping_.facts_below);
      statements_->drop_keys.bind(1, dropping_.facts_below).run();
      statements_->drop_foreign.bind(1, dropping_.facts_below).run();
    } else {
      is_done = false;
    }
  }
  const auto drop = [&](store::Statement& rows, std::int64_t below) {
    rows.bind_all(below, std::int64_t{rows_max}).run();
    is_done = is_done && database_.changes() < rows_max;
  };
  drop(statements_->drop_offers, offers_->first());
  if (is_done)  // an offer without its end would stand again
    for (store::Statement* rows :
         {&statements_->drop_ends, &statements_->drop_items, &statements_->drop_facts, &statements_->drop_labels})
      drop(*rows, offers_->first());
  if (is_done) drop(statements_->drop_decisions, dropping_.decisions_below);
  is_done = outbox_->drop_before(dropping_.lines_before_us, rows_max) && is_done;
  is_done = drop_closed_loans() && is_done;
  if (is_done) dropping_ = {};
}

// True when all have been looked at.
bool Engine::drop_closed_loans() {
  std::uint32_t& next = dropping_.next_loan;
  const std::uint32_t end = std::min(next + limits::kLoansLookedAtPerRecord, loans_.count() + 1);
  for (std::uint32_t left = limits::kLoansDroppedPerRecord; next < end && left > 0; ++next) {
    const gold::Loan& loan = loans_[next];
    if (!loan.is_known || loan.closed == gold::kNoDay || loan.closed >= day_ - limits::kLoanDaysKept) continue;
    drop_loan(next);
    --left;
  }
  return next > loans_.count();
}

// Its facts and all their versions, and its row; months keep what it added to them.
void Engine::drop_loan(std::uint32_t place) {
  settle();
  const CustomerId customer = loans_[place].customer;
  const std::string name = loans_[place].name;
  rows_->drop_loan(customer, name);
  statements_->drop_loan.bind_all(std::int64_t{customer}, std::string_view(name)).run();
  const std::uint64_t key = loans_.drop(place, customers_.passing(customer).first_loan);
  statements_->put_dropped_loan.bind_all(static_cast<std::int64_t>(key)).run();
  loan_seqs_[place] = 0;
  dirty_loans_.erase(place);
}

// What comes again for it is a correction of what retention has dropped (domain.md 6).
bool Engine::is_of_dropped_loan(const wire::Event& event, CustomerId customer) const {
  const auto is_dropped = [&](std::string_view name) { return loans_.is_dropped(customer, name); };
  if (const auto* loan = std::get_if<wire::Loan>(&event.body)) return is_dropped(loan->loan_name);
  if (const auto* change = std::get_if<wire::LoanChange>(&event.body)) return is_dropped(change->loan_name);
  const auto* payment = std::get_if<wire::InstalmentPayment>(&event.body);
  return payment && is_dropped(payment->loan_name);
}

}  // namespace tellerd::app
