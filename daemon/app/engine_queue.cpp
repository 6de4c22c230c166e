// Queues in the engine: offers that stand wait in them, and what desks do to them comes back as records.
#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/engine_choice.h"
#include "app/engine_statements.h"
#include "core/limits.h"

namespace tellerd::app {

using deliver::Item;
using deliver::QueueCode;
using wire::Kind;

namespace {
constexpr std::size_t kCardsATime = 64;  // a few milliseconds of the engine
}

void Engine::know_template(int number, QueueTemplate made) {
  const auto at = static_cast<std::size_t>(number);
  if (templates_.size() <= at) templates_.resize(at + 1);
  const int queue = number_of("queue", made.queue, 0);
  const auto guard = queues_->lock();
  queues_->name_queue(static_cast<std::size_t>(queue), made.queue);
  queues_->contacts().know(at, made.purpose, made.channel, made.credit, made.action, made.group, made.issue);
  queues_->know(static_cast<deliver::OfferKind>(at),
                {queue, std::clamp(made.priority, 0, deliver::kLevels - 1), made.skills});
  templates_[at] = std::move(made);
}

// After the offers that stand: those of a running load wait for its end.
void Engine::read_queues() {
  queue_rows_ = std::make_unique<deliver::QueueRows>(database_);
  queues_->set_loader([this](std::int64_t offer_id, Item& item) {
    return queue_rows_->find(offer_id, item) && item.number >= offers_->first();
  });
  store::Statement all(database_,
                       "SELECT number,queue,segment,action,type,name_ru,priority,issue,group_name,purpose,channel,"
                       "credit,skills,treatment,parameters FROM offer_template ORDER BY number");
  while (all.step()) {
    QueueTemplate made;
    made.queue = all.text(1);
    made.segment = all.text(2);
    made.action = all.text(3);
    made.type = all.text(4);
    made.name_ru = all.text(5);
    made.priority = static_cast<int>(all.integer(6));
    made.issue = all.text(7);
    made.group = all.text(8);
    made.purpose = static_cast<decide::Purpose>(all.integer(9));
    made.channel = static_cast<decide::Channel>(all.integer(10));
    made.credit = static_cast<decide::Credit>(all.integer(11));
    made.skills = nlohmann::json::parse(all.text(12)).get<std::vector<std::string>>();
    made.terms.treatment = all.text(13);
    made.terms.parameters = nlohmann::json::parse(all.text(14)).get<decltype(made.terms.parameters)>();
    know_template(static_cast<int>(all.integer(0)), std::move(made));
  }
  for (CustomerId id = 1; id < customers_.size(); ++id)
    for (std::uint32_t place = customers_[id].first_offer; place; place = (*offers_)[place].next)
      queue_offer((*offers_)[place].number, id, (*offers_)[place].template_number);
  const auto guard = queues_->lock();
  queue_rows_->read(*queues_, offers_->first());
}

void Engine::queue_offer(std::int64_t number, CustomerId customer, int template_number) {
  const auto guard = queues_->lock();
  queues_->open(number, customer, static_cast<deliver::OfferKind>(template_number), outbox_->is_held(number));
}

bool Engine::unqueue_offer(std::int64_t number, std::string_view reason) {
  const auto guard = queues_->lock();
  const bool was_done = queues_->close(number, reason);
  look_again_at_freed();
  return was_done;
}

void Engine::apply_queue(const Record& record) {
  switch (record.kind) {
    case Kind::kQueueGrant:
      return apply_grant(record);
    case Kind::kQueueOutcome:
      return apply_outcome(record);
    default:
      break;
  }
  run_deadlines(record.runs_all_due ? SIZE_MAX : core::limits::kDeadlinesPerRecord);
  const auto guard = queues_->lock();
  const auto apply_as = [&]<class Told>(Told told) {
    from_payload(record.payload, told);
    queues_->apply(told);
  };
  if (record.kind == Kind::kQueueSession)
    apply_as(deliver::SessionRecord());
  else if (record.kind == Kind::kQueueLease)
    apply_as(deliver::LeaseRecord());
  else
    apply_as(deliver::TimerRecord());
  look_again_at_freed();
}

// Judged in the turn that grants: what is due for these customers has run, so an offer that no longer holds is gone.
void Engine::apply_grant(const Record& record) {
  deliver::GrantRecord grant;
  from_payload(record.payload, grant);
  if (record.runs_all_due) run_deadlines(SIZE_MAX);
  for (const auto& offer : grant.offers)
    if (offer.customer < customers_.size()) run_own_deadlines(offer.customer);
  if (!record.runs_all_due) run_deadlines(core::limits::kDeadlinesPerRecord);
  std::vector<Item> granted, voided;  // made ready without the lock: no desk waits for a card
  for (const auto& offer : grant.offers) {
    bool may_grant = false;
    Item item;
    {
      const auto guard = queues_->lock();
      may_grant = queues_->may_grant(grant, offer);
      if (const auto* known = queues_->cards().find(offer.number, 0)) {
        item.offer_id = known->offer_id;
        item.card = known->text;
      }
    }
    if (!may_grant && !grant.is_promised) continue;
    if (item.card.empty() || !may_grant) {
      const auto facts = offers_->find(offer.number);
      if (!facts) continue;
      item.offer_id = facts->id;
      if (may_grant) item.card = card(*facts, offer.customer);
    }
    item.number = offer.number;
    item.customer = offer.customer;
    item.granted_us = now_us_;
    (may_grant ? granted : voided).push_back(std::move(item));
  }
  const auto guard = queues_->lock();
  queues_->grant(grant, std::move(granted), std::move(voided));
}

bool Engine::make_cards(std::int64_t steady_us) {
  if (!pack_) return false;
  std::vector<std::pair<std::int64_t, std::uint32_t>> wanted;
  {
    const auto guard = queues_->lock();
    if (!queues_->is_asked(steady_us)) return false;
    wanted = queues_->without_card(steady_us, kCardsATime);
  }
  if (wanted.empty()) return true;
  std::vector<deliver::CardStock::Card> made;
  turn_.seq = seq_;
  for (const auto& [number, customer] : wanted) {
    if (is_writing_behind() && !is_card_settled(number, customer)) {
      made.push_back({});
      continue;
    }
    const auto facts = offers_->find(number);
    made.push_back({facts ? facts->id : 0, steady_us, facts ? card(*facts, customer) : std::string()});
    end_reads();
  }
  const auto guard = queues_->lock();
  for (std::size_t at = 0; at < wanted.size(); ++at)
    if (made[at].offer_id) queues_->cards().put(wanted[at].first, std::move(made[at]));
  return true;
}

void Engine::apply_outcome(const Record& record) {
  deliver::OutcomeRecord outcome;
  from_payload(record.payload, outcome);
  if (record.runs_all_due) run_deadlines(SIZE_MAX);
  Item item;
  bool counts = false, is_done = false;
  {
    const auto guard = queues_->lock();
    if (const Item* known = queues_->find_id(outcome.offer_id)) item = *known;
  }
  if (item.customer)
    run_own_deadlines(identities_->leader(item.customer));  // the offer may end before its outcome comes
  if (!record.runs_all_due) run_deadlines(core::limits::kDeadlinesPerRecord);
  {
    const auto guard = queues_->lock();
    const auto disposed = queues_->apply(outcome);
    counts = disposed.counts_for != nullptr;
    if (counts) item = *disposed.counts_for;
    is_done = disposed.code == QueueCode::kOk && item.state == deliver::ItemState::kDone && !disposed.is_amended;
    outcome.is_correction = disposed.is_amended;
    if (!counts) look_again_at_freed();
  }
  if (!counts) return;
  if (is_done) outbox_->say(topic_of(*offers_->find(item.number)), deliver::What::kOfferDone, now_us_, item.number);
  tell_outcome(outcome, item);
}

// The fact that ended the offer: told under this name by a desk, or elsewhere under one of its own.
std::optional<Engine::Amended> Engine::ending_outcome(const Item& item, const std::string& id) {
  const std::string at_desks = deliver::offer_hex(item.offer_id) + "/";
  std::optional<Amended> found;
  std::vector<Seq> told;
  choosing_->find_facts.bind_all(item.number, std::int64_t{0});
  while (choosing_->find_facts.step())
    if (choosing_->find_facts.integer(1) == kOutcomeFact) told.push_back(choosing_->find_facts.integer(0));
  choosing_->find_facts.reset();
  for (const Seq seq : told) {
    const auto row = rows_->read(Kind::kOutcome, seq);
    if (!row) continue;
    const bool is_it =
        item.reason == deliver::kDoneElsewhere ? !row->event.id.starts_with(at_desks) : row->event.id == id;
    if (is_it) found = Amended{std::string(row->event.id), row->event.occurred_us, row->event.version, row->customer};
  }
  return found;
}

// The outcome is a fact like one that a producer tells: a correction is the next version of what it amends, of its
// time.
void Engine::tell_outcome(const deliver::OutcomeRecord& record, const Item& item) {
  const std::string hex = deliver::offer_hex(item.offer_id);
  const std::int64_t epoch = record.epoch ? record.epoch : item.epoch;
  const std::string id = fmt::format("{}/{}", hex, epoch);
  wire::Event event;
  event.id = id;
  event.occurred_us = now_us_;
  CustomerId customer = item.customer;
  const auto amended = record.is_correction ? ending_outcome(item, id) : std::nullopt;
  if (record.is_correction) event.version = static_cast<std::uint64_t>(turn_.seq);
  if (amended) {
    event.id = amended->id;
    event.occurred_us = amended->occurred_us;
    event.version = std::max(event.version, amended->version + 1);
    customer = amended->customer;
  }
  event.body =
      wire::Outcome{hex, record.code, record.note, record.amount_minor, record.promise_date, record.asker.client};
  const CustomerId leader = identities_->leader(customer);
  advance(leader, week_);
  turn_.due_us = 0;
  ++turn_.part;
  told_at_desk_ = item.number;
  apply_fact(event, customer);
  told_at_desk_ = 0;
  const auto guard = queues_->lock();
  look_again_at_freed();
}

}  // namespace tellerd::app
