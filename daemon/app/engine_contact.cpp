// The contact policy in the engine: what facts say of contacting a customer goes to the queues' book, where a lease is
// judged (policy.md 3). Whoever changes it has the customer's parked offers looked at again.
#include <algorithm>

#include "app/contact_rows.h"
#include "app/engine.h"
#include "app/engine_statements.h"
#include "decide/outcome_code.h"

namespace tellerd::app {

using decide::Mark;
using silver::Row;
using wire::Kind;

namespace {

std::optional<Mark> told_mark(const Row& row) {
  if (const auto* consent = std::get_if<wire::Consent>(&row.event.body))
    return decide::mark_of(*consent, row.event.occurred_us, row.seq);
  return decide::mark_of(std::get<wire::Restriction>(row.event.body), row.event.occurred_us, row.seq);
}

}  // namespace

// After the queues and the joins.
void Engine::read_contacts() {
  const auto guard = queues_->lock();
  decide::ContactBook& contacts = queues_->contacts();
  app::read_contacts(database_, std::nullopt, contacts);
  for (const auto& [leader, joined] : members_) contacts.join(leader, joined);
  for (CustomerId id = 1; id < customers_.size(); ++id)
    if (customers_[id].dpd > 0 && identities_->leader(id) == id) contacts.set_overdue(id, true);
}

// The pack's rules and the branch's zone, and with them every look that was taken before.
void Engine::use_contact_policy() {
  std::map<std::string, std::pair<int, int>> bounds;  // taken a day, waiting
  for (const auto& [queue, most] : pack_->contact.capacity) bounds[queue].first = most;
  for (const auto& [queue, most] : pack_->contact.waiting) bounds[queue].second = most;
  std::map<std::size_t, std::pair<int, int>> numbered;
  for (const auto& [queue, most] : bounds)
    if (most.first || most.second) numbered[static_cast<std::size_t>(number_of("queue", queue, 0))] = most;
  const auto guard = queues_->lock();
  for (const auto& [number, most] : numbered) queues_->name_queue(number, names_["queue"].names[number]);
  for (std::size_t number = 0; number < queues_->queue_count(); ++number)
    queues_->set_bounds(number, numbered[number].first, numbered[number].second);
  queues_->contacts().set_branch_zone(zone_);
  queues_->contacts().set_rules(pack_->contact, pack_->holidays);
  queues_->unpark_all();
}

void Engine::look_again(CustomerId id) {
  for (std::uint32_t place = customers_[identities_->leader(id)].first_offer; place; place = (*offers_)[place].next)
    queues_->unpark((*offers_)[place].number);
}

void Engine::look_again_at_freed() {
  for (const CustomerId id : queues_->take_freed()) look_again(id);
}

void Engine::apply_mark(const Row& row, bool is_given) {
  const auto mark = told_mark(row);
  if (!mark) return;
  {
    const auto guard = queues_->lock();
    if (is_given)
      queues_->contacts().put(row.customer, *mark);
    else
      queues_->contacts().take_mark(row.customer, row.seq);
    look_again(row.customer);
  }
  if (!is_given || !queues_->contacts().has_rules()) return;
  const CustomerId leader = identities_->leader(row.customer);
  recall_forbidden(leader);
  touch(leader).is_unsure = true;  // what was withdrawn is made anew where that is right
}

// A desk that holds what must not be offered any more hears of it.
void Engine::recall_forbidden(CustomerId leader) {
  if (!queues_->contacts().has_rules()) return;
  std::vector<std::uint32_t> forbidden;
  {
    const auto guard = queues_->lock();
    for (std::uint32_t place = customers_[leader].first_offer; place; place = (*offers_)[place].next) {
      const deliver::Item* item = queues_->find((*offers_)[place].number);
      if (!item || item->state != deliver::ItemState::kLeased) continue;
      const auto verdict = queues_->contacts().check(leader, (*offers_)[place].template_number, now_us_);
      const bool is_forbidden = std::any_of(verdict.hits.begin(), verdict.hits.end(), [](const decide::Hit& hit) {
        return hit.why == decide::Why::kConsent || hit.why == decide::Why::kDoNotCall ||
               hit.why == decide::Why::kSuppressed;
      });
      if (is_forbidden) forbidden.push_back(place);
    }
  }
  for (const std::uint32_t place : forbidden) close_offer(leader, place, "WITHDRAWN");
  if (!forbidden.empty()) touch(leader);
}

void Engine::note_zone(CustomerId id, std::string_view zone) {
  if (zone.empty() && !queues_->contacts().knows(id)) return;
  const auto guard = queues_->lock();
  if (!queues_->contacts().set_zone(id, std::string(zone))) return;
  statements_->put_zone.later(std::int64_t{id}, zone);
  look_again(id);
}

void Engine::note_contact(const Row& row, int template_number) {
  const auto* code = decide::find_outcome_code(std::get<wire::Outcome>(row.event.body).code);
  if (!code) return;
  const auto guard = queues_->lock();
  const auto subject = static_cast<std::uint16_t>(template_number);
  queues_->contacts().put(row.customer,
                          decide::PastContact{row.event.occurred_us, row.seq, subject,
                                              decide::made_by(*code, queues_->contacts().subject(subject).channel)});
}

void Engine::forget_contact(const Row& row) {
  const auto guard = queues_->lock();
  queues_->contacts().take_contact(row.customer, row.seq);
  look_again(row.customer);
}

void Engine::note_overdue(CustomerId id) {
  const bool is_overdue = identities_->leader(id) == id && customers_[id].dpd > 0;
  const auto guard = queues_->lock();
  if (queues_->contacts().set_overdue(id, is_overdue)) look_again(id);
}

void Engine::note_joined(CustomerId leader, const std::vector<CustomerId>& joined) {
  const auto guard = queues_->lock();
  queues_->contacts().join(leader, joined);
}

}  // namespace tellerd::app
