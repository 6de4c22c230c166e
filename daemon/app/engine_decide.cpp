// Decisions in the engine: at the end of a turn each customer it touched is decided once, in the order of ids.
#include <algorithm>

#include "app/engine.h"
#include "app/engine_statements.h"
#include "core/assert.h"

namespace tellerd::app {

void Engine::advance(CustomerId id, Week now) {
  if (gold::would_advance(customers_[id], now)) gold::advance(customers_.change(id), now);
}

gold::Customer& Engine::touch(CustomerId leader) {
  gold::Customer& customer = customers_.change(leader);
  if (customer.is_touched) return customer;
  customer.is_touched = true;
  if (coming_ && coming_->gold) coming_->gold->touch(leader);
  marketing_.stand(customer, day_, -1);
  touched_.push_back({leader, decide::numbers_of(customer, day_)});
  if (chooses_) note_before(leader);
  return customer;
}

void Engine::ask_again(CustomerId id) { touch(id).is_unsure = customers_.passing(id).is_due_sooner = true; }

void Engine::decide_touched() {
  if (touched_.size() > 1)
    std::sort(touched_.begin(), touched_.end(), [](const Touched& a, const Touched& b) { return a.id < b.id; });
  for (std::size_t at = 0; at < touched_.size(); ++at) {
    const Touched touched = touched_[at];
    decide(touched.id, touched.before);
    if (churn_model_ && score_decided(touched.id) && rules_->reads_churn()) {
      customers_.change(touched.id).is_unsure =
          true;  // once more with the new state, and the score of the new standing
      decide(touched.id, touched.before);
      if (score_decided(touched.id))
        customers_.change(touched.id).is_unsure = true;  // the two disagree: not in this turn
    }
    if (chooses_) choose_touched(at);
    gold::Customer& customer = customers_.change(touched.id);
    marketing_.stand(customer, day_, 1);
    customer.is_touched = false;
    if (customer.is_due_sooner || customer.queued_us == core::kNever) queue_deadline(touched.id);
  }
  touched_.clear();
  if (chooses_) end_choices();
}

void Engine::decide(CustomerId id, const decide::Numbers& before) {
  gold::Customer& customer = customers_.change(id);
  if (turn_.is_backfill && !customer.is_backfilled) {
    customer.is_backfilled = true;
    ++backfilled_;
  }
  if (customer.is_absorbed) customer.combined = -1;
  if (now_us_ == 0 || !pack_ || customer.is_absorbed) return;
  const decide::Numbers after = decide::numbers_of(customer, day_);
  const bool is_asked = customer.is_unsure;  // by something else than the columns, which a choice looks at itself
  if (rules_->crosses(before, after)) customer.is_unsure = true;
  if (customer.is_backfilled) return;
  if (!churn_model_ && move_churn(id) && rules_->reads_churn())  // else when it is scored, after all else
    customer.is_unsure = true;
  const bool may_decide = customer.has_profile || !pack_->aggregates.decide_needs_profile;
  if (!may_decide) {  // its profile went with an undone join: it stands nowhere
    customer.tier = customer.left_tier = customer.combined = customer.factor = -1;
    customer.tier_since_us = customer.downgrade_since_us = 0;
    while (customer.first_offer) close_offer(id, customer.first_offer, "WITHDRAWN");
    customer.is_unsure = true;
    return;
  }
  if (!customer.is_unsure) {
    if (!customer.first_offer) hold_offers(id, false);
    return;
  }
  counters_.decisions.fetch_add(1, std::memory_order_relaxed);
  const int present = customer.tier < 0 ? -1 : tier_index_[static_cast<std::size_t>(customer.tier)];
  const auto standing =
      rules_->stand(after, present, customer.downgrade_since_us, now_us_, gold::name_of(customer.churn));
  customer.is_unsure = false;
  customer.is_due_sooner = customer.is_due_sooner || standing.downgrade_since_us != customer.downgrade_since_us;
  customer.downgrade_since_us = standing.downgrade_since_us;
  move_segment(id, standing);
  if (chooses_) {
    if (is_asked) want_choice(id);
    return;
  }
  hold_offers(id);
}

void Engine::move_segment(CustomerId id, const decide::Standing& standing) {
  gold::Customer& customer = customers_.change(id);
  const int tier = tier_number_[static_cast<std::size_t>(standing.tier)],
            combined = combined_number_[static_cast<std::size_t>(standing.combined)];
  customer.factor = static_cast<std::int8_t>(standing.factor);
  if (tier == customer.tier && combined == customer.combined) return;
  const std::int64_t number = histories_->add_segment({id, now_us_, turn_.seq}, tier, combined,
                                                      tier_reason_[static_cast<std::size_t>(standing.tier)]);
  if (tier != customer.tier) {
    customer.left_tier = customer.tier;
    customer.tier_since_us = now_us_;
  }
  customer.tier = static_cast<std::int8_t>(tier);
  customer.combined = static_cast<std::int8_t>(combined);
  outbox_->say(segment_topic_, deliver::What::kSegment, now_us_, number);
}

// The offers of the present segment at their present revenue: what stands and is not wanted any more is superseded,
// what is wanted and does not stand is made (domain.md 5).
void Engine::hold_offers(CustomerId id, bool is_decided_anew) {
  if (chooses_) return;
  const gold::Customer& customer = customers_[id];
  struct Wanted {
    std::size_t index;
    std::int64_t revenue_minor;
    bool is_held;
  };
  std::array<Wanted, 32> wanted;
  std::size_t count = 0;
  for (std::size_t index = 0; index < pack_->offers.templates.size() && count < wanted.size(); ++index)
    if (combined_number_[pack_->offers.templates[index].segment] == customer.combined)
      wanted[count++] = {index, rules_->expected_revenue(pack_->offers.templates[index].base_minor, customer.factor),
                         false};
  for (std::uint32_t place = customer.first_offer; place;) {
    const decide::OpenOffer& offer = (*offers_)[place];
    const std::uint32_t next = offer.next;
    const auto match =
        std::find_if(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(count), [&](const Wanted& one) {
          return !one.is_held && template_number_[one.index] == offer.template_number &&
                 one.revenue_minor == offer.revenue_minor;
        });
    if (match != wanted.begin() + static_cast<std::ptrdiff_t>(count))
      match->is_held = true;
    else
      close_offer(id, place, "SUPERSEDED");
    place = next;
  }
  for (std::size_t at = 0; at < count; ++at)
    if (!wanted[at].is_held)
      open_offer(id, pack_->offers.templates[wanted[at].index], template_number_[wanted[at].index],
                 wanted[at].revenue_minor, is_decided_anew);
}

void Engine::open_offer(CustomerId id, const decide::Template& offer, int number, std::int64_t revenue_minor,
                        bool is_decided_anew) {
  const auto kind = static_cast<deliver::OfferKind>(number);
  const bool has_room = queues_->has_room(kind);
  if (!has_room && !is_decided_anew) return;  // it was refused already, and nothing has changed
  decide::NewOffer made;
  made.customer = id;
  made.decided_seq = turn_.seq;
  made.due_us = turn_.due_us;
  made.created_us = now_us_;
  made.template_number = number;
  gold::Customer& customer = customers_.change(id);
  made.tier = customer.tier;
  made.days_valid = offer.days_valid;
  made.action = offer.action;
  made.revenue_minor = revenue_minor;
  made.prev = customer.last_offer;
  const std::int64_t offer_number = offers_->open(made, customer.first_offer);
  customer.last_offer = offer_number;
  if (!has_room) return refuse_offer(id, offer_number, kind);
  customer.is_due_sooner = true;
  counters_.offers.fetch_add(1, std::memory_order_relaxed);
  if (turn_.is_load)
    outbox_->hold(turn_.producer, offer_number);
  else
    offers_->leaves(offer_number, outbox_->say(template_topic(number), deliver::What::kOffer, now_us_, offer_number));
  displace(kind);
  queue_offer(offer_number, id, number);
}

// What has to leave a full queue before an offer of a higher priority comes in.
void Engine::displace(deliver::OfferKind kind) {
  std::int64_t number = 0;
  deliver::ReadyIndex::Slot leaves;
  {
    const auto guard = queues_->lock();
    number = queues_->displaced_by(kind);
    if (number == 0) return;
    leaves = *queues_->ready().find(number);
    queues_->refuse(leaves.kind);
  }
  close_offer(leaves.customer, place_of_offer(leaves.customer, number), "QUEUE_FULL");
}

std::uint32_t Engine::place_of_offer(CustomerId id, std::int64_t number) const {
  std::uint32_t place = customers_[id].first_offer;
  while ((*offers_)[place].number != number) place = (*offers_)[place].next;
  return place;
}

// Made and ended in one breath: it never leaves, and its row says why.
void Engine::refuse_offer(CustomerId id, std::int64_t number, deliver::OfferKind kind) {
  offers_->close(id, place_of_offer(id, number), customers_.passing(id).first_offer, "QUEUE_FULL", now_us_, turn_.seq);
  const auto guard = queues_->lock();
  queues_->refuse(kind);
}

void Engine::close_offer(CustomerId id, std::uint32_t place, std::string_view state) {
  const std::int64_t number = (*offers_)[place].number;
  const int topic = template_topic((*offers_)[place].template_number);
  offers_->close(id, place, customers_.passing(id).first_offer, state, now_us_, turn_.seq);
  const bool was_done = unqueue_offer(number, state);
  if (outbox_->is_held(number))
    outbox_->let_go(number);
  else if (!was_done)
    outbox_->say(topic, deliver::What::kOfferEnd, now_us_, number);
}

// A pack that chooses has actions for several queues.
int Engine::template_topic(int number) {
  return chooses_ ? outbox_->topic("offer." + templates_[static_cast<std::size_t>(number)].queue) : offer_topic_;
}

// The offers that a load has made and that still stand leave now.
void Engine::end_load(std::int32_t producer) {
  for (const std::int64_t offer : outbox_->end_load(producer)) {
    const int topic = chooses_ ? topic_of(*offers_->find(offer)) : offer_topic_;
    offers_->leaves(offer, outbox_->say(topic, deliver::What::kOffer, now_us_, offer));
    const auto guard = queues_->lock();
    queues_->let_out(offer);
  }
}

void Engine::end_backfill() {
  turn_.is_backfill = false;
  for (CustomerId id = 1; backfilled_ > 0 && id <= identities_->count(); ++id) {
    if (!customers_[id].is_backfilled) continue;
    customers_.change(id).is_backfilled = false;
    --backfilled_;
    while (now_us_ != 0 && run_next_deadline(id)) {
    }  // what became due meanwhile is not in the queue
    ask_again(id);
    ++turn_.part;
    turn_.due_us = 0;
    decide_touched();
  }
}

}  // namespace tellerd::app
