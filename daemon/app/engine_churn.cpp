// Churn in the engine: models and their activations are records; whoever a turn touches is scored in it, and everybody
// else in counted slices when a week begins or the model changes. A score is a function of state, week and model alone,
// so scoring again changes nothing.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "app/engine.h"
#include "app/engine_churn_rows.h"
#include "app/engine_statements.h"
#include "core/assert.h"
#include "core/fault.h"
#include "core/log.h"
#include "model/reasons.h"

namespace tellerd::app {

using gold::ChurnState;
using model::ChurnModel;

namespace {

// Two views with one print score alike.
std::uint64_t print_of(const model::ChurnView& view) noexcept {
  std::uint64_t print = 0x9e3779b97f4a7c15u;
  const auto mix = [&print](std::uint64_t value) {
    print = (print ^ value) * 0xbf58476d1ce4e5b9u;
    print ^= print >> 29;
  };
  for (const std::uint64_t weeks : view.weeks) mix(weeks);
  mix(static_cast<std::uint64_t>(view.minor));
  mix(static_cast<std::uint64_t>(view.count) << 32 | static_cast<std::uint32_t>(view.tenure_weeks));
  mix(static_cast<std::uint64_t>(view.stood.tier_level) << 9 | static_cast<std::uint64_t>(view.stood.dpd_bucket) << 1 |
      view.is_in_population);
  return print | 1;  // never 0, which is "not scored"
}

std::int32_t ppm(double fraction) { return static_cast<std::int32_t>(std::lround(fraction * 1e6)); }

}  // namespace

void Engine::read_churn() {
  churn_rows_ = std::make_unique<ChurnRows>(database_);
  store::Statement fold(database_, "SELECT model,next_customer,watch_week FROM churn_fold");
  if (!fold.step()) return;
  const std::string active(fold.text(0));
  rescored_next_ = static_cast<CustomerId>(fold.integer(1));
  watch_week_ = static_cast<Week>(fold.integer(2));
  fold.reset();
  if (active.empty()) return;
  std::string why;
  churn_model_ = find_model(active, why);
  if (churn_model_) return;
  core::log(core::Level::kError, "model", fmt::format("{}: {}; an earlier one goes on", active, why));
  use_model();
}

// A recorded model, checked again; nothing and the reason when it is not there or not good.
std::unique_ptr<ChurnModel> Engine::find_model(const std::string& id, std::string& why) {
  auto& find = churn_rows_->find_model;
  find.bind(1, std::string_view(id));
  std::unique_ptr<ChurnModel> found;
  try {
    if (find.step())
      found = std::make_unique<ChurnModel>(find.text(0));
    else
      why = "no such model is recorded";
  } catch (const core::Fault& damaged) {
    why = damaged.what();
  }
  find.reset();
  if (found && pack_ && found->scope().horizon_weeks != pack_->churn.horizon_weeks) {
    why = fmt::format("it looks {} weeks ahead, the pack's horizon is {}", found->scope().horizon_weeks,
                      pack_->churn.horizon_weeks);
    found.reset();
  }
  return found;
}

// "<milliseconds it took>[ <JSON: cause, verdict, champion …>]\n<sealed model>". What cannot be used is kept with the
// reason and never scores.
void Engine::record_model(const Record& record) {
  const std::size_t line = record.payload.find('\n');
  const std::string_view sealed =
      line == std::string_view::npos ? std::string_view("") : record.payload.substr(line + 1);
  const std::int64_t took_ms =
      std::atoll(std::string(record.payload.substr(0, std::min<std::size_t>(line, 20))).c_str());
  std::string id, card = "{}", reason;
  try {
    const ChurnModel checked(sealed);
    id = checked.id();
    card = checked.document();
  } catch (const core::Fault& refused) {
    reason = refused.what();
    core::log(core::Level::kError, "model", reason);
  }
  auto& put = churn_rows_->put_model;
  put.bind(1, record.seq)
      .bind(2, now_us_)
      .bind(3, std::string_view(id))
      .bind(4, took_ms)
      .bind(5, std::string_view(reason.empty() ? "recorded" : "refused"));
  put.bind(6, std::string_view(reason)).bind(7, std::string_view(card)).bind_blob(8, sealed).run();
  churn_rows_->put_judged.bind_all(record.seq, std::string_view(card)).run();
  const std::size_t space = record.payload.find(' ');
  const std::string_view beside =
      space < line && line != std::string_view::npos ? record.payload.substr(space + 1, line - space - 1) : "";
  churn_rows_->put_beside.bind_all(record.seq, beside).run();
}

// The payload is the model's id; nothing turns scoring off. A model that cannot be used leaves the last good one in
// place.
void Engine::activate_model(const Record& record) {
  const std::string id(record.payload);
  std::string why;
  auto found = id.empty() ? nullptr : find_model(id, why);
  const bool is_accepted = id.empty() || found;
  churn_rows_->put_activation
      .bind_all(record.seq, now_us_, std::string_view(id), std::int64_t{is_accepted}, std::string_view(why))
      .run();
  if (!is_accepted) return core::log(core::Level::kError, "model", fmt::format("{} is not activated: {}", id, why));
  core::log(core::Level::kNotice, "model", id.empty() ? "no model scores" : fmt::format("model {} scores", id));
  keep_reasons();
  churn_model_ = std::move(found);
  score_everybody();
}

// The newest activated model that fits the pack, or none: after a pack, or where the one in use cannot be read.
void Engine::use_model() {
  if (churn_model_ && pack_ && churn_model_->scope().horizon_weeks == pack_->churn.horizon_weeks) return;
  const std::string before = churn_model_ ? churn_model_->id() : std::string();
  keep_reasons();
  churn_model_.reset();
  std::string why, id;
  for (std::int64_t back = 0; !churn_model_; ++back) {
    auto& last = churn_rows_->last_accepted;
    last.bind(1, back);
    const bool is_there = last.step();
    id = is_there ? last.text(0) : std::string_view();
    last.reset();
    if (!is_there || id.empty()) break;
    churn_model_ = find_model(id, why);
    if (!churn_model_) core::log(core::Level::kWarning, "model", fmt::format("{} does not score: {}", id, why));
  }
  if ((churn_model_ ? churn_model_->id() : std::string()) != before) score_everybody();
}

void Engine::score_everybody() {
  churn_rows_->prints.clear();  // another model, or bits that have moved
  rescored_next_ = identities_->count() > 0 ? 1 : 0;
  is_churn_fold_dirty_ = true;
}

model::ChurnView Engine::churn_view(CustomerId id) const {
  const gold::Customer& customer = customers_[id];
  model::Stood stood;
  if (customer.tier >= 0) {
    const int index = tier_index_[static_cast<std::size_t>(customer.tier)];
    stood.tier_level = index < 0 ? 0 : pack_->segments.tiers[static_cast<std::size_t>(index)].level;
  }
  stood.dpd_bucket = customer.dpd_bucket;
  return model::live_view(customer, week_, stood, churn_model_->scope());
}

bool Engine::score(CustomerId id) {
  const gold::Customer& customer = customers_[id];
  std::int32_t found = model::kNotScored;
  std::uint64_t print = 0;
  auto& prints = churn_rows_->prints;
  if (prints.size() <= id) prints.resize(customers_.size());
  if (churn_model_ && !customer.is_absorbed) {
    const model::ChurnView view = churn_view(id);
    print = print_of(view);
    if (print == prints[id]) return false;  // a login or a bill: the model would say the same
    found = churn_model_->score(view);
  }
  prints[id] = print;
  if (found == customer.churn_ppm) return false;
  customers_.change(id).churn_ppm = found;
  return true;
}

// Reasons are only of those who are at risk, and worked out when they are written or asked for: they cost many times
// the score, and some customers are scored again and again.
void Engine::explain(CustomerId id) {
  churn_rows_->unexplained[id] = churn_view(id);
  statements_->churn_reasons.put(id);
}

void Engine::take_unexplained() {
  TELLERD_ASSERT(churn_rows_->explaining.empty());
  churn_rows_->unexplained.swap(churn_rows_->explaining);
}

// Of what was taken, by whoever has the connection, in the order of the table. The model stays until this is done:
// keep_reasons().
void Engine::write_explained() {
  auto& explaining = churn_rows_->explaining;
  std::vector<CustomerId> ids;
  ids.reserve(explaining.size());
  for (const auto& one : explaining) ids.push_back(one.first);
  std::sort(ids.begin(), ids.end());
  for (const CustomerId id : ids) {
    const std::string reasons = model::reasons_of(*churn_model_, explaining.at(id));
    churn_rows_->put_reason.bind_all(std::int64_t{id}, std::string_view(reasons)).run();
  }
  explaining.clear();
}

// Before another model scores: what this one has said is written by it.
void Engine::keep_reasons() {
  settle();
  if (!churn_model_) return;
  take_unexplained();
  write_explained();
}

// At the end of a turn, when all else about the customer stands.
bool Engine::score_decided(CustomerId id) {
  const gold::Customer& customer = customers_[id];
  if (now_us_ == 0 || !pack_ || customer.is_backfilled) return false;
  const ChurnState before = customer.churn;
  const bool has_changed = score(id);
  if (customer.is_absorbed) return false;
  const bool has_moved = move_churn(id);
  if (customer.churn == ChurnState::kAtRisk && (has_changed || before != ChurnState::kAtRisk)) explain(id);
  return has_moved;
}

// At most so many customers of a re-scoring under way; the share is counted, so a replay interleaves alike.
void Engine::score_slice(std::size_t customers_max) {
  if (now_us_ == 0 || !pack_) return;
  is_churn_fold_dirty_ = true;
  for (std::size_t done = 0; rescored_next_ && done < customers_max; ++done) {
    const CustomerId id = rescored_next_;
    rescored_next_ = id < identities_->count() ? id + 1 : 0;
    ++turn_.part;
    turn_.due_us = 0;
    if (score_decided(id) && rules_->reads_churn()) {
      touch(id).is_unsure = true;
      decide_touched();
    }
    if (customers_[id].is_due_sooner) queue_deadline(id);
    if (watch_week_) forecast(id);
  }
  if (watch_week_ && !rescored_next_) finish_watch();
}

// By inactivity (domain.md 1): churned after more than N weeks without a transaction; returned for N weeks after the
// next. By the score: at risk from the threshold on, and until it is under the lower one.
ChurnState Engine::churn_state_of(CustomerId id) const {
  const gold::Customer& customer = customers_[id];
  const auto& rules = pack_->churn;
  ChurnState state = customer.churn;
  if (customer.last_tx_week == gold::kNoWeek) return ChurnState::kNone;
  if (week_ - customer.last_tx_week > rules.horizon_weeks) return ChurnState::kChurned;
  const bool was_returned =
      state == ChurnState::kReturned && now_us_ >= customer.churn_since_us + rules.horizon_weeks * core::kWeek;
  if (state == ChurnState::kChurned)
    state = ChurnState::kReturned;
  else if (state == ChurnState::kNone || was_returned)
    state = ChurnState::kActive;
  if (state == ChurnState::kAtRisk) return customer.churn_ppm < ppm(rules.at_risk_leave) ? ChurnState::kActive : state;
  return churn_model_ && customer.churn_ppm >= ppm(rules.at_risk_threshold) ? ChurnState::kAtRisk : state;
}

bool Engine::move_churn(CustomerId id) {
  const ChurnState state = churn_state_of(id);
  if (state == customers_[id].churn) return false;
  gold::Customer& customer = customers_.change(id);
  if (customer.churn == ChurnState::kAtRisk) {
    churn_rows_->unexplained.erase(id);
    churn_rows_->drop_reason.later(std::int64_t{id});
    statements_->churn_reasons.put(id);
  }
  customer.churn = state;
  customer.is_due_sooner = true;
  customer.churn_since_us = now_us_;
  if (chooses_) want_choice(id);
  outbox_->say(churn_topic_, deliver::What::kChurn, now_us_, histories_->add_churn({id, now_us_, turn_.seq}, state));
  return true;
}

void Engine::write_churn() {
  take_unexplained();
  if (!is_churn_fold_dirty_) return;
  is_churn_fold_dirty_ = false;
  const std::string id = churn_model_ ? churn_model_->id() : std::string();
  churn_rows_->put_fold.bind_all(std::string_view(id), std::int64_t{rescored_next_}, std::int64_t{watch_week_}).run();
}

}  // namespace tellerd::app
