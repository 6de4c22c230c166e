// Facts that tie things together in the engine: loans and their instalments, profiles, rates, joins of keys.
#include <fmt/core.h>

#include <algorithm>

#include "app/engine.h"
#include "app/engine_statements.h"
#include "core/text.h"

namespace tellerd::app {

using silver::Row;
using wire::Kind;

namespace {
Day day_or_none(std::string_view text) {
  return text.empty() ? gold::kNoDay : core::parse_date(text).value_or(gold::kNoDay);
}
}  // namespace

std::uint32_t Engine::loan_place(CustomerId customer, std::string_view name) {
  const std::uint32_t place = loans_.find_or_make(customer, name, customers_.passing(customer).first_loan);
  if (loan_seqs_.size() <= place) loan_seqs_.resize(place + 1, 0);
  return place;
}

void Engine::load_loan(std::uint32_t place, const Row& row, bool is_given) {
  const auto& fact = std::get<wire::Loan>(row.event.body);
  gold::Loan& loan = loans_[place];
  loan.is_known = is_given;
  loan.amount_minor = fact.amount_minor;
  loan.planned_minor = fact.planned_minor;
  loan.start = day_or_none(fact.start_date);
  loan.closed = day_or_none(fact.closed_date);
  loan_seqs_[place] = is_given ? row.seq : 0;
}

void Engine::load_instalment(std::uint32_t place, const Row& row) {
  const auto& fact = std::get<wire::InstalmentPayment>(row.event.body);
  loans_.put_instalment(place, {fact.payment_number, day_or_none(fact.payment_date), day_or_none(fact.fact_date),
                                fact.paid_minor, row.seq});
}

void Engine::load_loan_change(std::uint32_t place, const Row& row, bool is_given) {
  const auto& fact = std::get<wire::LoanChange>(row.event.body);
  gold::Loan& loan = loans_[place];
  if (fact.change == "pause") {
    std::erase_if(loan.pauses, [&](const gold::Pause& pause) { return pause.seq == row.seq; });
    if (is_given) loan.pauses.push_back({day_or_none(fact.from_date), day_or_none(fact.to_date), row.seq});
  } else if (fact.change == "write_off") {
    loan.written_off = is_given ? day_or_none(fact.from_date) : gold::kNoDay;
  }
}

void Engine::apply_loan(const Row& row, bool is_given) {
  const std::uint32_t place = loan_place(row.customer, std::get<wire::Loan>(row.event.body).loan_name);
  load_loan(place, row, is_given);
  refresh_loan(place);
}

void Engine::apply_instalment(const Row& row, bool is_given) {
  const auto& fact = std::get<wire::InstalmentPayment>(row.event.body);
  const std::uint32_t place = loan_place(row.customer, fact.loan_name);
  if (!is_given) {
    loans_.take_instalment(place, fact.payment_number, row.seq);
    refresh_loan(place);
    return refresh_promises(identities_->leader(row.customer));
  }
  load_instalment(place, row);
  if (!loans_[place].is_known) wait_for_reference(row);
  refresh_loan(place);
  refresh_promises(identities_->leader(row.customer));
}

void Engine::apply_loan_change(const Row& row, bool is_given) {
  const std::uint32_t place = loan_place(row.customer, std::get<wire::LoanChange>(row.event.body).loan_name);
  load_loan_change(place, row, is_given);
  refresh_loan(place);
}

// The loan's cells, days past due and bucket, after anything it depends on has changed.
void Engine::refresh_loan(std::uint32_t place) {
  gold::Loan& loan = loans_[place];
  const std::int32_t before = loan.dpd;
  const Day as_of = loan.refreshed_on;
  loans_.refresh(place, loan_rules_, day_);
  loan.refreshed_on = day_;
  loan.dpd = gold::days_past_due(loan, loan_rules_, day_);
  loan.next_change = gold::next_change(loan, loan_rules_, day_);
  const auto bucket = static_cast<std::int8_t>(gold::dpd_bucket(loan.dpd));
  dirty_loans_.insert(place);
  const CustomerId leader = identities_->leader(loan.customer);
  touch(leader).is_due_sooner = true;
  if (chooses_) want_choice(leader);
  if (bucket != loan.bucket && now_us_ != 0) {
    const bool is_by_time = before > 0 && loan.dpd > before && loan.dpd - before <= day_ - as_of;
    loan.left_bucket = is_by_time ? loan.bucket : std::int8_t{0};
    loan.bucket = bucket;
    loan.moved_on = day_;
    statements_->put_dpd.later(++dpd_count_, std::int64_t{loan.customer}, std::string_view(loan.name), now_us_,
                               turn_.seq, std::int64_t{day_}, std::int64_t{loan.dpd}, std::int64_t{bucket});
    if (!turn_.is_backfill) outbox_->say(overdue_topic_, deliver::What::kOverdue, now_us_, dpd_count_);
  }
  refresh_overdue(leader);
}

void Engine::refresh_overdue(CustomerId leader) {
  gold::Customer& customer = customers_.change(leader);
  std::int32_t worst = 0;
  int overdue = 0;
  for (const CustomerId member : members(leader))
    for (std::uint32_t place = customers_[member].first_loan; place; place = loans_[place].next_of_customer) {
      worst = std::max(worst, loans_[place].dpd);
      overdue += loans_[place].dpd > 0;
    }
  const bool was_overdue = customer.dpd > 0;
  customer.dpd = worst;
  customer.dpd_bucket = static_cast<std::int8_t>(gold::dpd_bucket(worst));
  customer.overdue_loans = static_cast<std::uint16_t>(overdue);
  if (was_overdue != (worst > 0)) note_overdue(leader);
}

void Engine::apply_profile(const Row& row) {
  const auto& fact = std::get<wire::Profile>(row.event.body);
  const std::string masked = core::masked_name(fact.name);
  statements_->put_profile.later(std::int64_t{row.customer}, row.seq, std::string_view(masked), fact.city,
                                 fact.registered_on, std::int64_t{fact.client_code}, fact.region, fact.gender,
                                 fact.job_type);
  statements_->contacts.put(row.customer, {row.seq, masked, std::string(fact.city)});
  note_zone(row.customer, fact.timezone);
  const CustomerId leader = identities_->leader(row.customer);
  gold::Customer& customer = touch(leader);
  customer.has_profile = true;
  const Day registered = day_or_none(fact.registered_on);
  if (leader == row.customer || customer.registered_on == gold::kNoDay) customer.registered_on = registered;
  if (leader == row.customer || customer.client_code == 0)
    customer.client_code = static_cast<std::uint8_t>(fact.client_code);
  if (pack_ && pack_->offers.marketing.new_is_registered_today && registered == day_) customer.new_on = day_;
}

void Engine::apply_rate(const Row& row, bool is_given) {
  const auto& fact = std::get<wire::Rate>(row.event.body);
  const auto base = core::currency_of(fact.base), quote = core::currency_of(fact.quote);
  if (!base || !quote) return;
  const auto span = is_given ? rates_.put(*base, *quote, row.event.occurred_us, row.seq, fact.value_micro)
                             : rates_.take(*base, *quote, row.event.occurred_us, row.seq);
  if (*quote == branch_currency_) convert_again(*base, span);
}

const std::vector<CustomerId>& Engine::members(CustomerId leader) {
  const auto joined = members_.find(leader);
  if (joined != members_.end()) return joined->second;
  alone_[0] = leader;
  return alone_;
}

void Engine::apply_alias(const Row& row, bool is_given) {
  const auto& fact = std::get<wire::Alias>(row.event.body);
  const auto other = identities_->find_or_make(fact.other_system, fact.other_key);
  if (other.is_new) {
    customers_.add();
    advance(other.id, week_);
    quality_->name_system(std::size_t{identities_->system(other.id)} + 1, identities_->system_name(other.id));
  }
  if (!fact.valid || other.id == row.customer) return;
  const int sign = is_given ? 1 : -1;
  for (const auto& [from, to] : {std::pair{row.customer, other.id}, std::pair{other.id, row.customer}}) {
    int& ties = links_[from][to];
    ties += sign;
    if (ties == 0) links_[from].erase(to);
  }
  rejoin(row.customer, other.id);
}

// What the two ids and all they are tied to are now: one customer a connected set, named by its smallest key.
void Engine::rejoin(CustomerId a, CustomerId b) {
  std::set<CustomerId> affected{a, b};
  for (const CustomerId id : {a, b}) {
    const std::vector<CustomerId> before = members(identities_->leader(id));
    affected.insert(before.begin(), before.end());
  }
  std::vector<CustomerId> leaders;
  for (const CustomerId id : affected) members_.erase(identities_->leader(id));
  while (!affected.empty()) {
    std::vector<CustomerId> joined{*affected.begin()};
    affected.erase(affected.begin());
    for (std::size_t at = 0; at < joined.size(); ++at)
      for (const auto& [next, ties] : links_[joined[at]])
        if (std::find(joined.begin(), joined.end(), next) == joined.end()) {
          joined.push_back(next);
          affected.erase(next);
        }
    std::sort(joined.begin(), joined.end());
    const CustomerId leader = *std::min_element(joined.begin(), joined.end(), [&](CustomerId left, CustomerId right) {
      return identities_->is_before(left, right);
    });
    for (const CustomerId id : joined) {
      if (identities_->leader(id) != leader) identities_->set_leader(id, leader);
      touch(id);
    }
    if (joined.size() > 1) members_[leader] = joined;
    note_joined(leader, joined);
    leaders.push_back(leader);
    for (const CustomerId id : joined) {  // open offers were made for somebody else
      while (const std::uint32_t place = customers_[id].first_offer) close_offer(id, place, "WITHDRAWN");
      customers_.change(id).is_absorbed = id != leader;
      if (id != leader) customers_.change(id).is_unsure = true;
    }
  }
  for (const CustomerId leader : leaders) {
    rederive(leader);
    for (const CustomerId id : members(leader)) note_overdue(id);
  }
}

// The customer from silver alone: the union of what its ids brought.
void Engine::rederive(CustomerId leader) {
  gold::Customer& customer = customers_.change(leader);
  advance(leader, week_);
  gold::recompute_all(customer, alive_measures(leader), windows_);
  customer.holding_count = 0;
  customer.portfolio_value_minor = 0;
  customer.has_profile = false;
  customer.registered_on = gold::kNoDay;
  customer.client_code = 0;
  customer.is_unsure = customer.is_due_sooner = true;
  for (const CustomerId member : members(leader)) {
    for (silver::FactRef at = customers_[member].holding_chain; at;) {
      const auto row = rows_->read(Kind::kHolding, silver::seq_of(at));
      if (!row) break;
      const auto& fact = std::get<wire::Holding>(row->event.body);
      if (row->state == silver::RowState::kAlive) {
        ++customer.holding_count;
        customer.portfolio_value_minor +=
            core::multiply_ratio(fact.quantity_micro, fact.current_price_minor, 1'000'000).value_or(0);
      }
      at = row->prev;
    }
    auto& find = statements_->find_profile;
    find.bind(1, std::int64_t{member});
    if (find.step()) {
      customer.has_profile = true;
      if (member == leader || customer.registered_on == gold::kNoDay)
        customer.registered_on = day_or_none(find.text(0));
      if (member == leader || customer.client_code == 0)
        customer.client_code = static_cast<std::uint8_t>(find.integer(1));
    }
    find.reset();
  }
  refresh_overdue(leader);
}

}  // namespace tellerd::app
