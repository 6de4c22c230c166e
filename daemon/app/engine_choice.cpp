// Choices in the engine: in packs that choose, one action at a time for whom a turn has changed, or whose time has
// come.
#include "app/engine_choice.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

#include "app/contact_gate.h"
#include "core/assert.h"
#include "core/checksum.h"
#include "core/prefetch.h"
#include "core/varint.h"

namespace tellerd::app {

namespace {

constexpr int kBitsSeen = 13;  // weeks that "competitor_sms_weeks" and its like count
constexpr std::array<std::string_view, 5> kChurnStates{"", "active", "at_risk", "churned", "returned"};

std::int64_t weeks_of(const gold::WeekBits& bits) {
  return std::popcount(bits.any & ((std::uint64_t{1} << kBitsSeen) - 1));
}

std::uint64_t silence_of(std::string_view reasons) { return (core::hash64(reasons) | 2) >> 1; }

std::string_view channel_name(decide::Channel channel) {
  return channel == decide::Channel::kMessage ? "message" : "call";
}

}  // namespace

void Engine::read_choices() {
  store::Statement fold(database_, "SELECT decisions,learnt FROM choice_fold");
  if (fold.step()) {
    choosing_->book = std::make_unique<decide::DecisionBook>(database_, fold.integer(0));
    choosing_->learnt = fold.integer(1);
  }
  fold.reset();
  store::Statement learnt(database_, "SELECT number,positives,negatives,bytes FROM acceptance ORDER BY number");
  while (learnt.step())
    choosing_->acceptances[static_cast<int>(learnt.integer(0))].model->restore(learnt.integer(1), learnt.integer(2),
                                                                               learnt.text(3));
  store::Statement pending(database_,
                           "SELECT due_us,seq,offer FROM acceptance_label WHERE label=-1 ORDER BY due_us,seq,offer");
  while (pending.step()) choosing_->pending.push_back({pending.integer(0), pending.integer(1), pending.integer(2)});
  store::Statement made(database_, "SELECT template,acceptance FROM choice_template");
  while (made.step())
    choosing_->acceptance_of_template[static_cast<int>(made.integer(0))] = static_cast<int>(made.integer(1));
  store::Statement states(database_, "SELECT customer,again_us,silence,shown FROM choice_state ORDER BY customer");
  while (states.step()) {
    auto& state = choosing_->state(static_cast<CustomerId>(states.integer(0)));
    state.again_us = states.integer(1);
    state.silence = static_cast<std::uint64_t>(states.integer(2));
    for (std::string_view bytes = states.text(3); !bytes.empty();) {
      ShownRow row;
      row.acceptance = static_cast<int>(core::take_varint(bytes));
      row.unanswered = static_cast<int>(core::take_varint(bytes));
      row.before = static_cast<int>(core::take_varint(bytes));
      row.last_us = core::take_varint(bytes);
      row.seq = core::take_varint(bytes);
      row.told_instalment = core::take_varint(bytes);
      state.shown.push_back(row);
    }
  }
}

namespace {
struct StateHead {  // of a copy's bytes; what was shown follows
  std::int64_t again_us, silence;
};
}  // namespace

void Engine::Choosing::copy_state(CustomerId id, std::uint32_t round, std::string& bytes) const {
  if (id >= states_at_cut || states.begin()[id].changed_in != round) return;  // they grow meanwhile
  const State& state = states.begin()[id];
  const StateHead head{state.again_us, static_cast<std::int64_t>(state.silence)};
  bytes.append(reinterpret_cast<const char*>(&head), sizeof head);
  for (const auto& row : state.shown)
    for (const std::int64_t value : {std::int64_t{row.acceptance}, std::int64_t{row.unanswered},
                                     std::int64_t{row.before}, row.last_us, row.seq, row.told_instalment})
      core::put_varint(bytes, value);
}

void Engine::Choosing::write_states(std::span<const gold::CustomerCopy> copies) {
  written.clear();
  for (const auto& copy : copies)
    if (!copy.beside.empty()) written.push_back(&copy);
  put_states.run(written.size(), [&](std::size_t at, store::BulkRow& row) {
    const std::string_view bytes = written[at]->beside;
    StateHead head;
    std::memcpy(&head, bytes.data(), sizeof head);
    row.add_all(std::int64_t{written[at]->id}, head.again_us, head.silence);
    row.add_blob(bytes.substr(sizeof head));
  });
}

void Engine::write_choices() {
  learn_anew();
  choosing_->states_at_cut = choosing_->states.size();
  for (auto& [number, one] : choosing_->acceptances) {
    if (!one.is_dirty) continue;
    one.is_dirty = false;
    const std::string learnt = one.model->bytes();
    choosing_->put_acceptance.bind_all(std::int64_t{number}, one.model->positives(), one.model->negatives(),
                                       static_cast<std::int64_t>(one.model->auc() * 1e6 + 0.5),
                                       model::name_of(one.model->health()));
    choosing_->put_acceptance.bind_blob(6, learnt).run();
  }
  choosing_->put_fold.bind_all(choosing_->book->count(), choosing_->learnt).run();
}

// The pack's candidates get their numbers; each is a template for every segment that may have it.
void Engine::drop_catalogue() {
  choosing_->chooser.reset();
  choosing_->before.clear();
}

void Engine::use_catalogue() {
  chooses_ = pack_->catalogue.has_value();
  if (!chooses_) return;
  choosing_->chooser = std::make_unique<decide::Chooser>(*pack_);
  const auto& chooser = *choosing_->chooser;
  choosing_->acceptance_of.clear();
  const std::size_t segments = pack_->segments.combined.size();
  choosing_->templates_of.assign(segments, std::vector<int>(chooser.candidates().size(), -1));
  for (std::size_t candidate = 0; candidate < chooser.candidates().size(); ++candidate) {
    const decide::Action& action = chooser.action(candidate);
    const decide::Channel channel = chooser.candidates()[candidate].channel;
    const int acceptance = number_of("acceptance", fmt::format("{}|{}", action.name, channel_name(channel)), 0);
    choosing_->acceptance_of.push_back(acceptance);
    for (std::size_t segment = 0; segment < segments; ++segment) {
      const bool is_offered = action.segments.empty() || std::find(action.segments.begin(), action.segments.end(),
                                                                   segment) != action.segments.end();
      if (!is_offered) continue;
      decide::Template made;
      made.segment = segment;
      made.action = action.name;
      made.type = action.type;
      made.name_ru = action.name_ru;
      made.base_minor = action.base_minor;
      made.priority = action.priority;
      made.issue = action.issue;
      made.group = action.group;
      made.purpose = action.purpose;
      made.channel = channel;
      made.credit = action.credit;
      made.days_valid = action.days_valid;
      made.terms = action.terms;
      const int number = number_template(made, action.queue);
      choosing_->templates_of[segment][candidate] = number;
      choosing_->acceptance_of_template[number] = acceptance;
      database_.execute(
          fmt::format("REPLACE INTO choice_template(template,acceptance) VALUES({},{})", number, acceptance));
    }
  }
  choosing_->candidate_of_template.assign(names_["template"].names.size(), -1);
  for (const auto& templates : choosing_->templates_of)
    for (std::size_t candidate = 0; candidate < templates.size(); ++candidate)
      if (const int number = templates[candidate]; number >= 0)
        choosing_->candidate_of_template[static_cast<std::size_t>(number)] = static_cast<int>(candidate);
  choosing_->tiers = &names_["tier"].names;
  choosing_->segments = &names_["combined"].names;
  choosing_->shown.resize(chooser.candidates().size());
  choosing_->learned.clear();
  for (const int number : choosing_->acceptance_of)
    choosing_->learned.push_back(choosing_->acceptances[number].model.get());  // the model stays where it is
  for (const Touched& one : touched_) note_before(one.id);                     // under the pack before
}

// Asked again as soon as a turn allows: something it was decided by has changed.
void Engine::want_choice(CustomerId id) {
  if (choosing_->state(id).again_us <= now_us_) return;
  choosing_->change(id).again_us = now_us_;
  customers_.passing(id).is_due_sooner = true;
}

Instant Engine::choice_due_us(CustomerId id) const {
  return id < choosing_->states.size() ? choosing_->states[id].again_us : core::kNever;
}

void Engine::fetch_choice(CustomerId id) const {
  if (id < choosing_->states.size()) core::prefetch(&choosing_->states[id]);
  queues_->contacts().prefetch(id);
}

// The columns that only choices read, and which instalment is due.
Engine::ChoiceExtras Engine::choice_extras(CustomerId id, std::int64_t* instalment) const {
  const gold::Customer& customer = customers_[id];
  std::int64_t to_due = decide::kNoDue, since_due = 0, loans = 0, due = 0;
  const auto look_at = [&](CustomerId member) {
    for (std::uint32_t place = customers_[member].first_loan; place; place = loans_[place].next_of_customer) {
      const gold::Loan& loan = loans_[place];
      if (!loan.is_known || loan.closed != gold::kNoDay || loan.written_off != gold::kNoDay) continue;
      ++loans;
      for (const gold::Instalment& one : loan.instalments) {
        if (one.due == gold::kNoDay || (one.paid_on != gold::kNoDay && one.paid_minor >= loan.planned_minor)) continue;
        const bool is_past = one.due < day_;
        const std::int64_t days = is_past ? day_ - one.due : one.due - day_;
        if (is_past ? days <= since_due : days >= to_due) continue;
        (is_past ? since_due : to_due) = days;
        if (!is_past && since_due > 0) continue;
        due = static_cast<std::int64_t>(core::hash64(loan.name, static_cast<std::uint64_t>(one.number)) >> 1);
      }
    }
  };
  if (const auto joined = members_.find(id); joined != members_.end())
    for (const CustomerId member : joined->second) look_at(member);
  else if (customer.first_loan)
    look_at(id);
  if (instalment) *instalment = due;
  const std::int64_t churn_percent = customer.churn_ppm < 0 ? -1 : customer.churn_ppm / 10'000;
  return {to_due,
          since_due,
          loans,
          churn_percent,
          weeks_of(customer.bits[gold::kSms]),
          weeks_of(customer.bits[gold::kHost]),
          weeks_of(customer.bits[gold::kSupport]),
          weeks_of(customer.bits[gold::kTx])};
}

std::uint8_t Engine::category_of(CustomerId id) const {
  return customers_[id].spend.view().largest(pack_->mcc.money_category, pack_->mcc.money_divisor);
}

void Engine::note_before(CustomerId id) {
  const gold::Customer& customer = customers_[id];
  const bool is_category_read = choosing_->chooser && choosing_->chooser->reads_category();
  choosing_->before.push_back({id, customer.churn, customer.tier, customer.combined, customer.factor,
                               is_category_read ? category_of(id) : decide::kNoCategory, choice_extras(id, nullptr)});
}

void Engine::end_choices() { choosing_->before.clear(); }

// After all else of the customer's turn: `touched` is its place among the touched.
void Engine::choose_touched(std::size_t touched) {
  const CustomerId id = touched_[touched].id;
  auto& befores = choosing_->before;
  if (touched == 0 && befores.size() > 1)
    std::sort(befores.begin(), befores.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  TELLERD_ASSERT(befores[touched].id == id);
  const auto before = befores[touched];
  const gold::Customer& customer = customers_[id];
  if (now_us_ == 0 || !pack_ || customer.is_backfilled) return;
  if (customer.is_absorbed || customer.combined < 0) {
    if (choosing_->state(id).again_us != core::kNever) choosing_->change(id).again_us = core::kNever;
    return;
  }
  decide::Situation after;
  const auto join = [](const decide::Numbers& numbers, const auto& extras) {
    decide::ChoiceNumbers all{};
    std::copy(numbers.begin(), numbers.end(), all.begin());
    std::copy(extras.begin(), extras.end(), all.begin() + decide::kNumbers);
    return all;
  };
  after.numbers = join(decide::numbers_of(customer, day_), choice_extras(id, &after.instalment));
  if (choice_due_us(id) <= now_us_ || customer.churn != before.churn || before.combined < 0) {
    after.standing = standing_candidate(id);
    return choose(id, after);
  }
  const std::uint8_t category = choosing_->chooser->reads_category() ? category_of(id) : decide::kNoCategory;
  decide::Situation past;
  past.numbers = join(touched_[touched].before, before.extras);
  const bool is_named_alike =
      before.tier == customer.tier && before.combined == customer.combined && before.category == category;
  if (is_named_alike && before.factor == customer.factor && past.numbers == after.numbers) return;
  past.factor = before.factor;
  after.factor = customer.factor;
  put_names(past, before.tier, before.combined, before.churn, before.category);
  put_names(after, customer.tier, customer.combined, customer.churn, category);
  after.standing = standing_candidate(id);
  if (choosing_->chooser->could_differ(past, after)) return choose(id, after);
  // It stays as it was; but what time alone will change may come sooner now.
  const Day next_day = choosing_->chooser->next_day(after.numbers, day_);
  if (next_day == INT32_MAX) return;
  const Instant again_us = calendar_->start_of_day(next_day);
  if (again_us >= choosing_->state(id).again_us) return;
  choosing_->change(id).again_us = again_us;
  customers_.passing(id).is_due_sooner = true;
}

// The columns that are texts, and the pack's segment.
void Engine::put_names(decide::Situation& situation, int tier, int combined, gold::ChurnState churn,
                       std::uint8_t category) {
  const auto found = std::find(combined_number_.begin(), combined_number_.end(), combined);
  situation.combined = found == combined_number_.end() ? -1 : static_cast<int>(found - combined_number_.begin());
  const auto name = [](const std::vector<std::string>& names, int number) {
    return number < 0 ? std::string_view() : std::string_view(names[static_cast<std::size_t>(number)]);
  };
  situation.texts = {
      name(*choosing_->tiers, tier), name(*choosing_->segments, combined),
      kChurnStates[static_cast<std::size_t>(churn)],
      category == decide::kNoCategory ? std::string_view() : std::string_view(pack_->mcc.names[category])};
}

// Of the offer that stands and is not done, or -1.
int Engine::standing_candidate(CustomerId id) const {
  for (std::uint32_t place = customers_[id].first_offer; place; place = (*offers_)[place].next) {
    const decide::OpenOffer& offer = (*offers_)[place];
    const auto number = static_cast<std::size_t>(offer.template_number);
    const int candidate =
        number < choosing_->candidate_of_template.size() ? choosing_->candidate_of_template[number] : -1;
    if (candidate < 0 || offer.expires_us <= now_us_) continue;
    const auto guard = queues_->lock();
    const deliver::Item* item = queues_->find(offer.number);
    if (!item || item->state != deliver::ItemState::kDone) return candidate;
  }
  return -1;
}

void Engine::fill_situation(CustomerId id, decide::Situation& situation) {
  const gold::Customer& customer = customers_[id];
  char turn[20];
  std::memcpy(turn, &turn_.seq, 8);
  std::memcpy(turn + 8, &turn_.due_us, 8);
  std::memcpy(turn + 16, &id, 4);
  situation.seed = core::hash64({turn, sizeof turn}, static_cast<std::uint64_t>(turn_.part));
  situation.customer = id;
  situation.now_us = now_us_;
  situation.today = day_;
  situation.month = gold::month_of(day_);
  situation.churn_state = static_cast<int>(customer.churn);
  situation.factor = customer.factor;
  put_names(situation, customer.tier, customer.combined, customer.churn, category_of(id));
  situation.learned = choosing_->learned;
  bool is_any_shown = false;
  const auto put_shown = [&](CustomerId member) {
    if (member >= choosing_->states.size()) return;
    for (const auto& row : choosing_->states[member].shown) {
      if (!is_any_shown) std::fill(choosing_->shown.begin(), choosing_->shown.end(), decide::Shown{});
      is_any_shown = true;
      for (std::size_t candidate = 0; candidate < choosing_->acceptance_of.size(); ++candidate) {
        if (choosing_->acceptance_of[candidate] != row.acceptance) continue;
        decide::Shown& shown = choosing_->shown[candidate];
        shown.unanswered += row.unanswered;
        shown.last_us = std::max(shown.last_us, row.last_us);
        if (row.told_instalment) shown.told_instalment = row.told_instalment;
      }
    }
  };
  if (const auto joined = members_.find(id); joined != members_.end())
    for (const CustomerId member : joined->second) put_shown(member);
  else
    put_shown(id);
  if (is_any_shown) situation.shown = choosing_->shown;
}

void Engine::choose(CustomerId id, decide::Situation& situation) {
  learn_anew();
  fill_situation(id, situation);
  counters_.decisions.fetch_add(1, std::memory_order_relaxed);
  const auto& templates = choosing_->templates_of[static_cast<std::size_t>(situation.combined)];
  const auto template_of = [&](int candidate) {
    return candidate < 0 ? -1 : templates[static_cast<std::size_t>(candidate)];
  };
  decide::Decision decision;
  Instant opens_us = core::kNever;
  {
    const auto guard = queues_->lock();
    ContactGate gate(queues_->contacts(), pack_->contact.rules, id, now_us_, situation.standing, templates);
    decision.choice = choosing_->chooser->choose(situation, gate);
    opens_us = gate.opens_us;
  }
  const decide::Choice& choice = decision.choice;
  const auto& state = choosing_->state(id);
  const core::Day next_day = choosing_->chooser->next_day(situation.numbers, day_);
  Instant again_us = next_day == INT32_MAX ? core::kNever : calendar_->start_of_day(next_day);
  if (choice.winner < 0) {
    again_us = std::min({again_us, now_us_ + pack_->catalogue->again_days * core::kDay, opens_us});
    if (choice.arm == decide::Arm::kHoldout) {  // the groups are drawn anew with the month
      Day first = day_ + 1;
      while (gold::month_of(first) == situation.month) ++first;
      again_us = std::min(again_us, calendar_->start_of_day(first));
    }
  }
  const std::uint64_t silence = choice.winner < 0 ? silence_of(choice.reasons) : 0;
  const bool is_news =
      choice.winner >= 0 ? !choice.is_kept : silence != state.silence || customers_[id].first_offer != 0;
  again_us = std::max(again_us, now_us_ + 1);
  if (state.again_us != again_us || state.silence != silence) {
    auto& changed = choosing_->change(id);
    changed.again_us = again_us;
    changed.silence = silence;
  }
  customers_.passing(id).is_due_sooner = true;
  if (!is_news) return;
  while (const std::uint32_t place = customers_[id].first_offer)
    close_offer(id, place, choice.winner >= 0 ? "SUPERSEDED" : "WITHDRAWN");
  decision.situation = decide::situation_bytes(situation);
  choosing_->chooser->put_verdicts(decision.situation);
  decision.customer = id;
  decision.seq = turn_.seq;
  decision.due_us = turn_.due_us;
  decision.at_us = now_us_;
  decision.policy_seq = pack_seq_;
  decision.learnt = choosing_->learnt;
  decision.template_number = template_of(choice.winner);
  decision.runner_up = template_of(choice.runner_up);
  if (choice.winner >= 0) {
    decision.offer = open_choice(id, choice, situation, decision.template_number);
    const Instant retry_us = now_us_ + pack_->catalogue->again_days * core::kDay;
    if (!customers_[id].first_offer && retry_us < choosing_->state(id).again_us)  // its queue was full
      choosing_->change(id).again_us = retry_us;
  }
  choosing_->book->add(std::move(decision));
}

std::int64_t Engine::open_choice(CustomerId id, const decide::Choice& choice, const decide::Situation& situation,
                                 int template_number) {
  const auto candidate = static_cast<std::size_t>(choice.winner);
  const decide::Action& action = choosing_->chooser->action(candidate);
  decide::Template made;
  made.action = action.name;
  made.days_valid = action.days_valid;
  open_offer(id, made, template_number, choosing_->chooser->revenue_minor(candidate, situation.factor), true);
  if (action.is_once_an_instalment && situation.instalment)
    shown_row(id, choosing_->acceptance_of[candidate]).told_instalment = situation.instalment;
  return offers_->count();
}

}  // namespace tellerd::app
