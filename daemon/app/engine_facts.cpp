// Facts in the engine: natural keys, versions, what a fact gives its customer and takes back when it is replaced.
#include <fmt/core.h>

#include <cstring>

#include "app/engine.h"
#include "app/engine_statements.h"
#include "core/assert.h"
#include "core/limits.h"
#include "ingest/admission.h"

namespace tellerd::app {

using silver::Quality;
using silver::Row;
using silver::RowState;
using wire::Kind;

void Engine::refuse(const Record& record, std::string_view bytes, std::string_view reason, std::string_view field,
                    Kind kind, std::string_view system) {
  const std::string producer =
      options_.producer_name ? options_.producer_name(record.producer) : std::to_string(record.producer);
  statements_->put_quarantine(record.seq, now_us_, producer, record.producer_seq, wire::name_of(kind), reason, field,
                              bytes);
  tell(record.seq, kind, system.empty() ? "main" : system, reason, field);
  counters_.quarantined.fetch_add(1);
}

void Engine::tell(Seq seq, Kind kind, std::string_view system, std::string_view reason, std::string_view field) {
  quality_->count_refused(system, kind, reason, now_us_);
  if (options_.on_verdict) options_.on_verdict(seq, kind, reason, field);
}

// A record that carries an event: judged again when it was refused at the door (the words follow from the same bytes).
void Engine::apply_event(const Record& record, std::string_view bytes) {
  wire::Event event;
  if (record.kind == Kind::kRefused || record.kind == Kind::kRepair) {
    ingest::Judgement judged = ingest::judge_content(bytes, decoder_, event);
    if (judged.is_accepted()) judged = ingest::judge_future(event, record.received_us);
    if (judged.is_accepted()) judged = ingest::judge_age(event, now_us_);
    if (!judged.is_accepted() || record.kind == Kind::kRefused) {
      run_deadlines(record.runs_all_due ? SIZE_MAX : core::limits::kDeadlinesPerRecord);
      return refuse(record, bytes, wire::name_of(judged.code), judged.field, event.kind(), event.system);
    }
  } else {
    event = decoder_.decode(bytes);
  }
  if (event.kind() == Kind::kBackfillEnd) {
    run_deadlines(record.runs_all_due ? SIZE_MAX : core::limits::kDeadlinesPerRecord);
    end_load(record.producer);
    return end_backfill();
  }
  CustomerId customer = 0;
  if (wire::names_a_customer(event.kind())) {
    if (record.runs_all_due) run_deadlines(SIZE_MAX);
    const auto found = identities_->find_or_make(event.system, event.customer);
    customer = found.id;
    if (found.is_new) {
      customers_.add();
      quality_->name_system(std::size_t{identities_->system(customer)} + 1, identities_->system_name(customer));
      counters_.customers.store(identities_->count(), std::memory_order_relaxed);
    }
    const CustomerId leader = identities_->leader(customer);
    run_own_deadlines(leader);
    advance(leader, week_);
    // A fact may lie a few minutes in the next week: the windows move there first.
    const Week week = wire::is_dated_activity(event.kind()) ? calendar_->week_of(event.occurred_us) : week_;
    if (week > customers_[leader].week) {
      touch(leader);
      advance(leader, week);
      gold::recompute_windows(customers_.change(leader), alive_measures(leader), windows_);
    }
  }
  if (!record.runs_all_due)
    run_deadlines(core::limits::kDeadlinesPerRecord);
  else if (!customer)
    run_deadlines(SIZE_MAX);
  turn_.due_us = 0;
  ++turn_.part;
  if (customer && is_of_dropped_loan(event, customer))
    return refuse(record, bytes, wire::name_of(wire::VerdictCode::kTooOld), "loan_name", event.kind(), event.system);
  apply_fact(event, customer);
}

void Engine::apply_fact(wire::Event& event, CustomerId customer) {
  const Kind kind = event.kind();
  const std::uint16_t system = customer ? identities_->system(customer) : std::uint16_t{0};
  const std::size_t quality_at = customer ? std::size_t{system} + 1 : 0;
  silver::natural_key(event, customer, system, key_);
  const std::uint64_t hash = silver::key_hash(kind, key_);
  auto& keys = wire::is_dated_activity(kind) ? dated_keys_ : lasting_keys_;
  std::optional<Row> old;
  const Seq old_seq = keys.find(hash, [&](Seq seq) {
    old = rows_->read(kind, seq);
    if (!old || old->state == RowState::kReplaced) return false;
    silver::natural_key(old->event, old->customer,
                        old->customer ? identities_->system(old->customer) : std::uint16_t{0}, old_key_);
    return old_key_ == key_;
  });
  Row row;
  if (old_seq) {
    const bool is_older = event.version < old->event.version;
    const bool is_repeat = !is_older && event.version == old->event.version && old->customer == customer &&
                           silver::is_same_content(event, old->event);
    if (is_older || is_repeat)
      return quality_->count(quality_at, kind, is_older ? Quality::kOutdated : Quality::kRepeated, now_us_);
    row = row_of(event, customer);
    take_back(*old, row);
    rows_->set_state(kind, old_seq, RowState::kReplaced);
    keys.replace(hash, old_seq, turn_.seq);
    quality_->count(quality_at, kind, Quality::kCorrected, now_us_);
  } else {
    row = row_of(event, customer);
    keys.insert(hash, turn_.seq);
    counters_.facts.fetch_add(1, std::memory_order_relaxed);
  }
  (wire::is_dated_activity(kind) ? new_dated_ : new_lasting_).push_back({hash, turn_.seq});
  quality_->count(quality_at, kind, Quality::kAccepted, now_us_);
  if (wire::is_dated_activity(kind) && event.occurred_us < week_start_us_)
    quality_->count(quality_at, kind, Quality::kLate, now_us_);

  if (customer && (wire::is_dated_activity(kind) || kind == Kind::kHolding)) {
    gold::Customer& of = customers_.change(customer);
    std::int64_t& chain = kind == Kind::kHolding ? of.holding_chain : of.chain;
    row.prev = chain;
    chain = silver::fact_ref(row.seq, kind);
  }
  if (row.state == RowState::kWaitsForRate)
    tell(row.seq, kind, identities_->system_name(customer), "NO_RATE", "currency");
  rows_->append(row);
  give(row);
}

Row Engine::row_of(const wire::Event& event, CustomerId customer) const {
  const Kind kind = event.kind();
  Row row;
  row.seq = turn_.seq;
  row.customer = customer;
  row.mark = silver::has_mark(kind) ? mark_of(event) : std::nullopt;
  row.state = (kind == Kind::kTransaction || kind == Kind::kBillPayment) && !row.mark ? RowState::kWaitsForRate
                                                                                      : RowState::kAlive;
  row.event = event;
  return row;
}

void Engine::note_foreign(const Row& row) {
  if (!pack_ || !pack_->aggregates.convert_currency) return;
  const auto* transaction = std::get_if<wire::Transaction>(&row.event.body);
  const auto* bill = std::get_if<wire::BillPayment>(&row.event.body);
  if (!transaction && !bill) return;
  const wire::Text code = transaction ? transaction->currency : bill->currency;
  if (core::currency_of(code) == branch_currency_) return;
  statements_->put_foreign.later(code, row.event.occurred_us, row.seq, static_cast<std::int64_t>(row.event.kind()));
}

void Engine::give(const Row& row) {
  const Kind kind = row.event.kind();
  switch (kind) {
    case Kind::kLoan:
      return apply_loan(row, true);
    case Kind::kInstalmentPayment:
      return apply_instalment(row, true);
    case Kind::kLoanChange:
      return apply_loan_change(row, true);
    case Kind::kProfile:
      return apply_profile(row);
    case Kind::kAlias:
      return apply_alias(row, true);
    case Kind::kRate:
      return apply_rate(row, true);
    case Kind::kConsent:
    case Kind::kRestriction:
      return apply_mark(row, true);
    case Kind::kOutcome:
      apply_told(row, true);
      break;
    case Kind::kOrder:
      apply_order(row, true);
      break;
    default:
      break;
  }
  if (!row.customer) return;
  const CustomerId leader = identities_->leader(row.customer);
  if (kind == Kind::kHolding) {
    const auto& fact = std::get<wire::Holding>(row.event.body);
    gold::Customer& customer = touch(leader);
    ++customer.holding_count;
    customer.portfolio_value_minor +=
        core::multiply_ratio(fact.quantity_micro, fact.current_price_minor, 1'000'000).value_or(0);
    return;
  }
  if (!wire::is_dated_activity(kind)) return;
  if (const auto* view = std::get_if<wire::ProductView>(&row.event.body); view && !is_known_product(view->product))
    wait_for_reference(row);
  gold::Customer& customer = touch(leader);
  note_foreign(row);
  const gold::Measure measure = measure_of(row);
  gold::add(customer, measure, windows_);
  // Its leaving a window, or the churn horizon, may come before what is queued: the widest step of a zone is under four
  // days.
  const Instant soonest_us =
      (measure.week + gold::shortest_wait(measure.kind, windows_, pack_ ? pack_->churn.horizon_weeks : 0)) *
          core::kWeek -
      4 * core::kDay;
  if (soonest_us < customer.queued_us) customer.is_due_sooner = true;
}

void Engine::take_back(const Row& row, const Row& replacement) {
  const Kind kind = row.event.kind();
  switch (kind) {
    case Kind::kLoan:
      return apply_loan(row, false);
    case Kind::kInstalmentPayment:
      return apply_instalment(row, false);
    case Kind::kLoanChange:
      return apply_loan_change(row, false);
    case Kind::kAlias:
      return apply_alias(row, false);
    case Kind::kRate:
      return apply_rate(row, false);
    case Kind::kConsent:
    case Kind::kRestriction:
      return apply_mark(row, false);
    case Kind::kOutcome:
      apply_told(row, false);
      break;
    case Kind::kOrder:
      apply_order(row, false);
      break;
    default:
      break;
  }
  if (!row.customer) return;
  const CustomerId leader = identities_->leader(row.customer);
  if (kind == Kind::kHolding) {
    const auto& fact = std::get<wire::Holding>(row.event.body);
    gold::Customer& customer = touch(leader);
    --customer.holding_count;
    customer.portfolio_value_minor -=
        core::multiply_ratio(fact.quantity_micro, fact.current_price_minor, 1'000'000).value_or(0);
    return;
  }
  if (!wire::is_dated_activity(kind)) return;
  gold::Customer& customer = touch(leader);
  const gold::Measure measure = measure_of(row);
  const Seq seq = row.seq;
  const gold::Measure next = measure_of(replacement);
  const bool keeps_week =
      next.counts && next.week == measure.week && identities_->leader(replacement.customer) == leader;
  const gold::Doubt doubt = gold::retract(customer, measure, windows_, keeps_week);
  if (!keeps_week) customer.is_due_sooner = true;
  if (!doubt.is_any()) return;
  rows_->set_state(kind, seq, RowState::kReplaced);  // so that the walk does not meet it
  settle(leader, doubt);
}

void Engine::settle(CustomerId leader, const gold::Doubt& doubt) {
  gold::settle(customers_.change(leader), doubt, alive_measures(leader), windows_);
}

// Every dated fact that counts or waits, of all ids joined into the customer, by walking the chains newest first.
void Engine::each_dated(CustomerId leader, const std::function<void(const Row&)>& visit) {
  counters_.chains_walked.fetch_add(1, std::memory_order_relaxed);
  for (const CustomerId member : members(leader)) {
    for (silver::FactRef at = customers_[member].chain; at;) {
      const auto row = rows_->read(silver::kind_of(at), silver::seq_of(at));
      if (!row) break;  // retention has dropped it and all before it
      if (row->state != RowState::kReplaced) visit(*row);
      at = row->prev;
    }
  }
}

std::vector<gold::Measure> Engine::alive_measures(CustomerId leader) {
  std::vector<gold::Measure> measures;
  each_dated(leader, [&](const Row& row) {
    if (row.state == RowState::kAlive) measures.push_back(measure_of(row));
  });
  return measures;
}

// A rate has come, gone or changed: the facts it covers are converted again.
void Engine::convert_again(core::Currency base, const gold::Rates::Span& span) {
  if (!pack_ || !pack_->aggregates.convert_currency) return;
  std::vector<std::pair<Seq, Kind>> covered;
  auto& find = statements_->covered_foreign;
  const std::string code(core::code_of(base));
  find.bind_all(std::string_view(code), span.from_us, span.until_us);
  while (find.step()) covered.emplace_back(find.integer(0), static_cast<Kind>(find.integer(1)));
  for (const auto& [seq, kind] : covered) {
    auto row = rows_->read(kind, seq);
    if (!row || row->state == RowState::kReplaced) continue;
    const auto mark = mark_of(row->event);
    if (mark == row->mark) continue;
    const CustomerId leader = identities_->leader(row->customer);
    gold::Customer& customer = touch(leader);
    const gold::Measure before = measure_of(*row);
    row->mark = mark;
    row->state = mark ? RowState::kAlive : RowState::kWaitsForRate;
    const gold::Measure after = measure_of(*row);
    const gold::Doubt doubt = gold::retract(customer, before, windows_);
    gold::add(customer, after, windows_);
    customer.is_due_sooner = true;
    rows_->set_mark(kind, seq, mark);
    rows_->set_state(kind, seq, mark ? RowState::kAlive : RowState::kWaitsForRate);
    if (doubt.is_any()) settle(leader, doubt);
  }
}

bool Engine::is_known_product(std::string_view product) {
  wire::Product named;
  named.product = product;
  wire::Event asked;
  asked.body = named;
  std::string key;
  silver::natural_key(asked, 0, 0, key);
  return lasting_keys_.find(silver::key_hash(Kind::kProduct, key), [&](Seq seq) {
    const auto known = rows_->read(Kind::kProduct, seq);
    return known && known->state == RowState::kAlive && std::get<wire::Product>(known->event.body).product == product;
  }) != 0;
}

// A repair names the quarantined seq (eight bytes) and brings the event's bytes.
void Engine::repair(const Record& record) {
  Seq quarantined = 0;
  if (record.payload.size() < sizeof quarantined) return;
  std::memcpy(&quarantined, record.payload.data(), sizeof quarantined);
  const std::uint64_t before = counters_.quarantined.load();
  apply_event(record, record.payload.substr(sizeof quarantined));
  const bool is_refused = counters_.quarantined.load() != before;
  statements_->answer_quarantine.later(quarantined, std::string_view(is_refused ? "refused again" : "repaired"),
                                       record.seq);
}

}  // namespace tellerd::app
