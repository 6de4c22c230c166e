// What outcomes teach the choices (policy.md 6): a label for what was presented, at once or after two weeks of silence,
// corrected by later facts; and how often something was shown without an answer.
#include <algorithm>

#include "app/engine_choice.h"
#include "app/engine_statements.h"
#include "decide/outcome_code.h"

namespace tellerd::app {

using silver::Row;

namespace {
constexpr Instant kAnswerWaitUs = 14 * core::kDay;
}

Engine::ShownRow& Engine::shown_row(CustomerId id, int acceptance) {
  auto& rows = choosing_->change(id).shown;
  for (auto& row : rows)
    if (row.acceptance == acceptance) return row;
  rows.emplace_back();
  rows.back().acceptance = acceptance;
  return rows.back();
}

int Engine::acceptance_of(std::int64_t number) {
  if (choosing_->acceptance_of_template.empty()) return -1;
  const auto facts = offers_->find(number);
  if (!facts) return -1;
  const auto known = choosing_->acceptance_of_template.find(facts->template_number);
  return known == choosing_->acceptance_of_template.end() ? -1 : known->second;
}

Engine::Told Engine::told_by(const Promise& promise) const {
  if (promise.is_kept) return {1, 0};
  return {promise.to < day_ ? 0 : -1, calendar_->start_of_day(promise.to + 1)};
}

// Of an outcome that presented the offer. A promise to pay is open until it is kept or its day has passed.
Engine::Told Engine::told_by(const Row& row) const {
  if (const auto known = promises_.find(row.customer); known != promises_.end())
    for (const Promise& one : known->second)
      if (one.seq == row.seq) return told_by(one);
  const auto* code = decide::find_outcome_code(std::get<wire::Outcome>(row.event.body).code);
  return {code->sale ? 1 : code->reject ? 0 : -1, now_us_ + kAnswerWaitUs};
}

// Of an outcome, given or taken back, that speaks of this offer.
void Engine::learn_outcome(const Row& row, std::int64_t number, bool is_given) {
  const int acceptance = acceptance_of(number);
  const auto* code = decide::find_outcome_code(std::get<wire::Outcome>(row.event.body).code);
  if (acceptance < 0 || !code) return;
  auto& shown = shown_row(row.customer, acceptance);
  const bool was_shown = code->attempt || code->message || code->presented;
  if (is_given && was_shown) {
    shown.before = shown.unanswered;
    shown.unanswered = code->sale || code->reject ? 0 : shown.unanswered + 1;
    shown.last_us = std::max(shown.last_us, row.event.occurred_us);
    shown.seq = row.seq;
  } else if (!is_given && shown.seq == row.seq) {
    shown.unanswered = shown.before;
    shown.seq = 0;
  }
  if (!is_given) return take_label(number, row.seq);
  if (chooses_) want_choice(identities_->leader(row.customer));  // what may follow is another question now
  if (code->presented) set_label(number, acceptance, told_by(row), row.seq);
}

void Engine::learn_order(std::int64_t number, bool is_fulfilled, Seq seq) {
  if (const int acceptance = acceptance_of(number); acceptance >= 0)
    set_label(number, acceptance, {is_fulfilled, 0}, seq);
}

// A promise that is kept now, or is not after all.
void Engine::learn_promise(const Promise& promise) {
  const int acceptance = acceptance_of(promise.number);
  if (acceptance < 0) return;
  if (!promise.is_kept) take_label(promise.number, promise.seq);
  set_label(promise.number, acceptance, told_by(promise), promise.seq);
}

std::optional<Engine::Label> Engine::label_of(std::int64_t number) {
  auto& find = choosing_->find_label;
  find.bind(1, number);
  std::optional<Label> label;
  if (find.step())
    label =
        Label{static_cast<int>(find.integer(0)), find.integer(1), static_cast<int>(find.integer(2)), find.integer(3)};
  find.reset();
  return label;
}

// What is open waits for an answer and never replaces one.
void Engine::set_label(std::int64_t number, int acceptance, const Told& told, Seq seq) {
  const auto old = label_of(number);
  const int value = told.value;
  if (value < 0 && old) return;
  const auto put = [&](std::int64_t place) {
    choosing_->put_label.later(number, std::int64_t{value}, seq, std::int64_t{acceptance}, place);
  };
  if (value < 0) {
    put(told.until_us);
    const Choosing::PendingLabel one{told.until_us, seq, number};
    auto& pending = choosing_->pending;
    pending.insert(std::upper_bound(pending.begin(), pending.end(), one), one);
    return;
  }
  if (old && old->value == value) return put(old->place);  // the same, said again
  put(++choosing_->learnt);
  const auto made = choosing_->book->of_offer(number, offers_->is_committed(number));
  if (!made) return;
  auto& learnt = choosing_->acceptances[acceptance];
  learnt.is_dirty = true;
  if (old && old->value >= 0) learnt.is_stale = choosing_->is_any_stale = true;
  if (!learnt.is_stale) learnt.model->learn(decide::features_of_bytes(made->situation), value == 1);
}

// The fact it rested on is replaced: what other facts say of the offer stands, and what takes its place comes next.
void Engine::take_label(std::int64_t number, Seq seq) {
  const auto old = label_of(number);
  if (!old || old->seq != seq) return;
  choosing_->drop_label.later(number);
  if (old->value >= 0) {
    auto& learnt = choosing_->acceptances[old->acceptance];
    learnt.is_dirty = learnt.is_stale = choosing_->is_any_stale = true;
  }
  std::vector<std::pair<Seq, std::int64_t>> others;
  choosing_->find_facts.bind_all(number, seq);
  while (choosing_->find_facts.step())
    others.emplace_back(choosing_->find_facts.integer(0), choosing_->find_facts.integer(1));
  choosing_->find_facts.reset();
  for (const auto& [other, what] : others) {
    if (what != kOutcomeFact) {
      set_label(number, old->acceptance, {what == kOrderFulfilled, 0}, other);
      continue;
    }
    const auto row = rows_->read(wire::Kind::kOutcome, other);
    const auto* code = row ? decide::find_outcome_code(std::get<wire::Outcome>(row->event.body).code) : nullptr;
    if (code && code->presented) set_label(number, old->acceptance, told_by(*row), other);
  }
}

// Costs as many steps as the action has labels: corrections are few, and several before a question cost one.
void Engine::learn_anew() {
  if (!choosing_->is_any_stale) return;
  choosing_->is_any_stale = false;
  choosing_->book->flush();
  for (auto& [number, one] : choosing_->acceptances) {
    if (!one.is_stale) continue;
    one.is_stale = false;
    *one.model = model::Propensity(decide::kFeatures);
    auto& labels = choosing_->find_labels;
    labels.bind_all(std::int64_t{number}, offers_->first());
    while (labels.step()) one.model->learn(decide::features_of_bytes(labels.text(1)), labels.integer(0) == 1);
    labels.reset();
  }
}

// Presented, and no answer for two weeks, or a promise whose day has passed: a no.
void Engine::expire_labels() {
  auto& pending = choosing_->pending;
  while (!pending.empty() && pending.front().due_us <= now_us_) {
    const auto one = pending.front();
    pending.pop_front();
    const auto label = label_of(one.offer);
    if (label && label->value < 0 && label->seq == one.seq && label->place <= now_us_)
      set_label(one.offer, label->acceptance, {0, 0}, one.seq);
  }
}

}  // namespace tellerd::app
