// Outcomes in the engine: which offer a fact speaks of, and what later facts make of it (policy.md 6). An outcome is a
// fact however it came: from a desk, on ingest, or from a file.
#include <algorithm>

#include "app/engine.h"
#include "app/engine_statements.h"
#include "decide/outcome_code.h"

namespace tellerd::app {

using silver::Row;

namespace {

std::int64_t told_by_order(std::string_view status) {
  for (const std::string_view good : {"fulfilled", "paid", "delivered", "completed"})
    if (status == good) return kOrderFulfilled;
  for (const std::string_view bad : {"cancelled", "canceled", "returned", "refunded"})
    if (status == bad) return kOrderCancelled;
  return 0;
}

std::string_view level_name(decide::OutcomeLevel level) {
  switch (level) {
    case decide::OutcomeLevel::kNetwork:
      return "network";
    case decide::OutcomeLevel::kContact:
      return "contact";
    case decide::OutcomeLevel::kOffer:
      return "offer";
    case decide::OutcomeLevel::kCollection:
      return "collection";
  }
  return "";
}

}  // namespace

void Engine::read_outcomes() {
  database_.execute("DELETE FROM outcome_code");
  store::Statement put(database_, "INSERT INTO outcome_code VALUES(?,?,?,?,?,?,?,?,?,?,?,?)");
  for (const auto& code : decide::kOutcomeCodes)
    put.bind_all(code.code, level_name(code.level), std::int64_t{code.human}, std::int64_t{code.right_party},
                 std::int64_t{code.presented}, std::int64_t{code.sale}, std::int64_t{code.reject},
                 std::int64_t{code.do_not_call}, std::int64_t{code.callback}, std::int64_t{code.attempt},
                 std::int64_t{code.conversation}, std::int64_t{code.message})
        .run();
  store::Statement promises(database_,
                            "SELECT customer,seq,number,from_day,to_day,is_kept FROM offer_promise ORDER BY seq");
  while (promises.step())
    promises_[static_cast<CustomerId>(promises.integer(0))].push_back(
        {promises.integer(1), promises.integer(2), static_cast<Day>(promises.integer(3)),
         static_cast<Day>(promises.integer(4)), promises.integer(5) != 0});
}

// An offer of this customer, under any of its keys; 0 when there is none of that name.
std::int64_t Engine::offer_named(CustomerId customer, std::string_view hex) {
  const std::int64_t id = deliver::offer_id_of(hex);
  if (id == 0) return 0;
  for (const CustomerId member : members(identities_->leader(customer)))
    if (const std::int64_t number = offers_->named(customers_[member].last_offer, id)) return number;
  return 0;
}

void Engine::link_outcome(const Row& row, std::int64_t number) {
  const auto& outcome = std::get<wire::Outcome>(row.event.body);
  statements_->put_offer_fact.later(row.seq, number, kOutcomeFact);
  note_contact(row, offers_->find(number)->template_number);
  if (outcome.code != "PROMISE_TO_PAY") return learn_outcome(row, number, true);
  const Day from = calendar_->day_of(row.event.occurred_us), to = core::parse_date(outcome.promise_date).value_or(from);
  promises_[row.customer].push_back({row.seq, number, from, to, false});
  statements_->put_promise.later(row.seq, number, std::int64_t{row.customer}, std::int64_t{from}, std::int64_t{to},
                                 std::int64_t{0});
  learn_outcome(row, number, true);
  refresh_promises(identities_->leader(row.customer));
}

void Engine::apply_told(const Row& row, bool is_given) {
  if (!is_given) {
    const std::string_view named = std::get<wire::Outcome>(row.event.body).offer_id;
    if (const std::int64_t number = told_at_desk_ ? told_at_desk_ : offer_named(row.customer, named))
      learn_outcome(row, number, false);
    statements_->drop_offer_fact.later(row.seq);
    statements_->drop_promise.later(row.seq);
    forget_contact(row);
    if (const auto known = promises_.find(row.customer); known != promises_.end()) {
      std::erase_if(known->second, [&](const Promise& one) { return one.seq == row.seq; });
      if (known->second.empty()) promises_.erase(known);
    }
    return;
  }
  const auto& outcome = std::get<wire::Outcome>(row.event.body);
  const std::int64_t number = told_at_desk_ ? told_at_desk_ : offer_named(row.customer, outcome.offer_id);
  if (number == 0) return wait_for_reference(row);
  link_outcome(row, number);
  const auto* code = decide::find_outcome_code(outcome.code);
  const auto finish = [&] {
    const auto facts = offers_->find(number);
    const auto guard = queues_->lock();
    if (!queues_->finish(number, facts->id, row.customer, outcome.code)) return;
    look_again_at_freed();
    outbox_->say(topic_of(*facts), deliver::What::kOfferDone, now_us_, number);
  };
  if (!told_at_desk_ && code && code->presented) finish();
  recall_forbidden(identities_->leader(row.customer));
}

// An order whose session is an offer's id speaks of that offer.
void Engine::apply_order(const Row& row, bool is_given) {
  const auto& order = std::get<wire::Order>(row.event.body);
  if (order.session.size() != 16) return;
  if (!is_given) {
    if (const std::int64_t number = offer_named(row.customer, order.session)) take_label(number, row.seq);
    return statements_->drop_offer_fact.later(row.seq);
  }
  const std::int64_t what = told_by_order(order.status), number = what ? offer_named(row.customer, order.session) : 0;
  if (number == 0) return;
  statements_->put_offer_fact.later(row.seq, number, what);
  learn_order(number, what == kOrderFulfilled, row.seq);
}

void Engine::refresh_promises(CustomerId leader) {
  if (promises_.empty()) return;
  const std::vector<CustomerId> joined = members(leader);
  const auto was_paid = [&](Day from, Day to) {
    for (const CustomerId member : joined)
      for (std::uint32_t place = customers_[member].first_loan; place; place = loans_[place].next_of_customer)
        for (const auto& one : loans_[place].instalments)
          if (one.paid_on != gold::kNoDay && one.paid_minor > 0 && one.paid_on >= from && one.paid_on <= to)
            return true;
    return false;
  };
  for (const CustomerId member : joined) {
    const auto known = promises_.find(member);
    if (known == promises_.end()) continue;
    for (Promise& one : known->second) {
      const bool is_kept = was_paid(one.from, one.to);
      if (is_kept == one.is_kept) continue;
      one.is_kept = is_kept;
      statements_->put_promise.later(one.seq, one.number, std::int64_t{member}, std::int64_t{one.from},
                                     std::int64_t{one.to}, std::int64_t{is_kept});
      learn_promise(one);
    }
  }
}

int Engine::topic_of(const decide::OfferFacts& offer) {
  return outbox_->topic("offer." + templates_[static_cast<std::size_t>(offer.template_number)].queue);
}

}  // namespace tellerd::app
