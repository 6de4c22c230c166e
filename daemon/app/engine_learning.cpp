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
  auto& rows = choosing_->state(id).shown;
  choosing_->mark(id);
  for (auto& row : rows)
    if (row.acceptance == acceptance) return row;
  rows.emplace_back();
  rows.back().acceptance = acceptance;
  return rows.back();
}

// Of an outcome, given or taken back, that speaks of this offer.
void Engine::learn_outcome(const Row& row, std::int64_t number, bool is_given) {
  if (choosing_->acceptance_of_template.empty()) return;
  const auto facts = offers_->find(number);
  if (!facts) return;
  const auto known = choosing_->acceptance_of_template.find(facts->template_number);
  if (known == choosing_->acceptance_of_template.end()) return;
  const auto* code = decide::find_outcome_code(std::get<wire::Outcome>(row.event.body).code);
  if (!code) return;
  auto& shown = shown_row(row.customer, known->second);
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
  if (code->presented) set_label(number, known->second, code->sale ? 1 : code->reject ? 0 : -1, row.seq);
}

void Engine::learn_order(std::int64_t number, bool is_fulfilled, Seq seq) {
  const auto facts = offers_->find(number);
  if (!facts) return;
  const auto known = choosing_->acceptance_of_template.find(facts->template_number);
  if (known != choosing_->acceptance_of_template.end()) set_label(number, known->second, is_fulfilled, seq);
}

std::optional<std::pair<int, Seq>> Engine::label_of(std::int64_t number) {
  auto& find = choosing_->find_label;
  find.bind(1, number);
  std::optional<std::pair<int, Seq>> label;
  if (find.step()) label = {static_cast<int>(find.integer(0)), find.integer(1)};
  find.reset();
  return label;
}

// -1 waits for an answer and never replaces one.
void Engine::set_label(std::int64_t number, int acceptance, int value, Seq seq) {
  const auto old = label_of(number);
  if (value < 0 && old) return;
  const Instant due_us = now_us_ + kAnswerWaitUs;
  choosing_->put_label.bind_all(number, std::int64_t{value}, seq, std::int64_t{acceptance}, due_us).run();
  if (value < 0) {
    choosing_->pending.push_back({due_us, number});
    return;
  }
  if (old && old->first == value) return;
  const auto made = choosing_->book->of_offer(number);
  if (!made) return;
  auto& learnt = choosing_->acceptances[acceptance];
  learnt.is_dirty = true;
  if (old && old->first >= 0) learnt.model->take_back(old->first == 1);
  learnt.model->learn(decide::features_of_bytes(made->situation), value == 1);
  ++choosing_->learnt;
}

// The outcome it rested on is replaced: what takes its place comes with the next fact.
void Engine::take_label(std::int64_t number, Seq seq) {
  const auto old = label_of(number);
  if (!old || old->second != seq) return;
  choosing_->drop_label.bind(1, number).run();
  const auto facts = offers_->find(number);
  const auto known = choosing_->acceptance_of_template.find(facts ? facts->template_number : -1);
  if (old->first < 0 || known == choosing_->acceptance_of_template.end()) return;
  auto& learnt = choosing_->acceptances[known->second];
  learnt.is_dirty = true;
  learnt.model->take_back(old->first == 1);
}

// Presented, and no answer for two weeks: a no.
void Engine::expire_labels() {
  while (!choosing_->pending.empty() && choosing_->pending.front().due_us <= now_us_) {
    const std::int64_t number = choosing_->pending.front().offer;
    choosing_->pending.pop_front();
    const auto label = label_of(number);
    if (!label || label->first >= 0) continue;
    const auto facts = offers_->find(number);
    const auto known = choosing_->acceptance_of_template.find(facts ? facts->template_number : -1);
    if (known == choosing_->acceptance_of_template.end()) continue;
    set_label(number, known->second, 0, label->second);
  }
}

}  // namespace tellerd::app
