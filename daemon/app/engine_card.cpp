// What the desk is shown of an offer (policy.md 4), from memory and the customer's profile, as of the turn that grants
// it.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>

#include "app/engine_choice.h"
#include "app/engine_churn_rows.h"
#include "app/engine_statements.h"
#include "core/text.h"
#include "decide/reason_words.h"
#include "deliver/json_text.h"
#include "model/reasons.h"

namespace tellerd::app {

namespace {

constexpr std::size_t kReasonsMax = 4, kPhoneDigitsShown = 4;
constexpr std::int32_t kSoonDays = 7, kLatelyDays = 30;

using decide::filled;
using Said = decide::Reason;

void put_worded(deliver::JsonText& into, const decide::Pack& pack, const Said& said) {
  into.open();
  into.put("code", said.code);
  into.open_list("args");
  for (const std::string& figure : said.figures) into.item(figure);
  into.end_list();
  into.put("ru", decide::words_of(pack.ru, said));
  into.put("en", decide::words_of(pack.en, said));
  into.end();
}

// Words for this action, or for any; {1} and the like are filled, and {name} with that parameter.
std::string script(const decide::Texts& texts, const std::string& action, const std::vector<std::string>& args,
                   const decide::Terms& terms) {
  const std::string_view own = texts.words("scripts", action);
  const std::string_view any = texts.words("scripts", "any");
  const std::string_view words = own != action ? own : any == "any" ? std::string_view() : any;
  return decide::filled(filled(words, args), terms.parameters);
}

void put_all_worded(deliver::JsonText& into, const decide::Pack& pack, std::string_view name,
                    const std::vector<Said>& all) {
  into.open_list(name);
  for (const Said& one : all) put_worded(into, pack, one);
  into.end_list();
}

// In whole units: an agent says no kopecks.
std::string amount(std::int64_t minor, const core::Currency& currency) {
  for (int digits = core::minor_digits(currency); digits > 0; --digits) minor /= 10;
  return fmt::format("{} {}", minor, core::code_of(currency));
}

bool is_lately(Day day, Day today) { return day != gold::kNoDay && day <= today && today - day <= kLatelyDays; }

// Whole weeks up to the running one with a transaction in each. The bits are as of the customer's own week.
int weeks_in_a_row(const gold::Customer& customer, core::Week now) {
  if (customer.week == gold::kNoWeek) return 0;
  return std::countr_one((customer.bits[gold::kTx].any << std::min(now - customer.week, core::limits::kWeekBits)) >> 1);
}

// Of one loan: days late, and that it came into another bucket lately; paid in part, paid up, and what comes next.
void say_loan(const gold::Loan& loan, const gold::LoanRules& rules, Day today, std::vector<Said>& points) {
  if (loan.dpd > 0) points.push_back({"OV-01", {std::to_string(loan.dpd), loan.name}});
  if (loan.left_bucket > 0 && loan.bucket > loan.left_bucket && is_lately(loan.moved_on, today)) {
    const auto name = [](std::int8_t bucket) {
      return std::string(gold::kDpdBuckets[static_cast<std::size_t>(bucket)]);
    };
    points.push_back({"OV-05", {name(loan.left_bucket), name(loan.bucket)}});
  }
  const gold::Instalment* next = nullptr;
  bool is_partly_paid = false;
  Day paid_up_on = gold::kNoDay;
  for (const gold::Instalment& one : loan.instalments) {
    const bool is_met = one.paid_on != gold::kNoDay && one.paid_minor >= loan.planned_minor;
    is_partly_paid = is_partly_paid || (!is_met && one.paid_on != gold::kNoDay && one.paid_minor > 0);
    if (is_met && one.paid_on > one.due + rules.grace_days) paid_up_on = std::max(paid_up_on, one.paid_on);
    if (!is_met && one.due >= today && one.due <= today + kSoonDays && (!next || one.due < next->due)) next = &one;
  }
  if (is_partly_paid) points.push_back({"OV-04", {}});
  if (loan.dpd == 0 && is_lately(paid_up_on, today))
    points.push_back({"OV-06", {loan.name, core::format_date(paid_up_on)}});
  if (next) points.push_back({"OV-02", {std::to_string(next->due - today), loan.name}});
}

}  // namespace

// The name as a desk may see it, and of the telephone its end: whoever dials has the number from the export.
std::string Engine::put_person(deliver::JsonText& into, CustomerId id) {
  std::string called;
  into.open("customer");
  into.put("key", identities_->display_key(id));
  if (const auto contact = contact_of(id)) {
    const auto row = rows_->read(wire::Kind::kProfile, contact->profile);
    const auto* profile = row ? &std::get<wire::Profile>(row->event.body) : nullptr;
    called = profile ? std::string(profile->name) : contact->name_masked;
    into.put("name", called);
    into.put("city", contact->city);
    if (profile) {
      into.put("phone", core::masked_end(profile->phone, kPhoneDigitsShown));
      into.put("language", profile->language);
      into.put("timezone", profile->timezone);
    }
  }
  into.end();
  return called;
}

// As it is now; hardly ever waits for a connection that is lent.
std::optional<Engine::Contact> Engine::contact_of(CustomerId id) {
  if (const auto* newer = statements_->contacts.find(id)) return *newer;
  auto& find = statements_->find_contact.fresh(!statements_->contacts.has(id));
  std::optional<Contact> found;
  if (find.bind(1, std::int64_t{id}).step())
    found = Contact{find.integer(2), std::string(find.text(0)), std::string(find.text(1))};
  find.reset();
  return found;
}

std::string_view Engine::name(const char* what, int number) {
  return number < 0 ? std::string_view() : names_[what].names[static_cast<std::size_t>(number)];
}

// The code for a tier that rose or fell lately, as the active pack ranks both; else null.
const char* Engine::tier_move(const gold::Customer& customer) const {
  if (customer.tier < 0 || customer.left_tier < 0 || now_us_ - customer.tier_since_us > kLatelyDays * core::kDay)
    return nullptr;
  const auto level = [this](int tier) {
    const int at = tier_index_[static_cast<std::size_t>(tier)];
    return at < 0 ? 0 : pack_->segments.tiers[static_cast<std::size_t>(at)].level;
  };
  const int before = level(customer.left_tier), now = level(customer.tier);
  return before == 0 || now == 0 || before == now ? nullptr : now < before ? "SG-02" : "SG-03";
}

// What an agent may say beside the offer: what the branch knows that bears on it, the most pressing first.
void Engine::put_talking_points(deliver::JsonText& into, CustomerId id) {
  constexpr int kEveryWeek = 13;
  const gold::Customer& customer = customers_[id];
  std::vector<Said> points;
  if (customer.churn == gold::ChurnState::kChurned)
    points.push_back({"CH-02", {std::to_string(week_ - customer.last_tx_week)}});
  if (customer.churn == gold::ChurnState::kReturned) points.push_back({"CH-07", {}});
  if (customer.churn == gold::ChurnState::kAtRisk && customer.churn_ppm >= 0)
    points.push_back({"CH-01", {std::to_string(customer.churn_ppm / 10'000)}});
  for (const CustomerId member : members(id))
    for (std::uint32_t place = customers_[member].first_loan; place; place = loans_[place].next_of_customer)
      if (loans_[place].is_known && loans_[place].closed == gold::kNoDay && loans_[place].written_off == gold::kNoDay)
        say_loan(loans_[place], loan_rules_, day_, points);
  if (customer.overdue_loans > 0) points.push_back({"OV-03", {std::to_string(customer.overdue_loans)}});
  if (const char* moved = tier_move(customer))
    points.push_back(
        {moved, {std::string(name("tier", customer.left_tier)), std::string(name("tier", customer.tier))}});
  if (customer.downgrade_since_us)
    points.push_back(
        {"SG-07", {core::format_date(calendar_->day_of(customer.downgrade_since_us + rules_->downgrade_wait_us()))}});
  if (customer.churn == gold::ChurnState::kActive && weeks_in_a_row(customer, week_) >= kEveryWeek)
    points.push_back({"CH-08", {std::to_string(weeks_in_a_row(customer, week_))}});
  if (customer.portfolio_value_minor > 0)
    points.push_back({"SG-05", {amount(customer.portfolio_value_minor, branch_currency_)}});
  if (customer.transaction_total_minor > 0)
    points.push_back({"SG-04", {amount(customer.transaction_total_minor, branch_currency_)}});
  if (customer.login_count > 0) points.push_back({"SG-06", {std::to_string(customer.login_count)}});
  if (points.size() > kReasonsMax) points.resize(kReasonsMax);
  put_all_worded(into, *pack_, "talking_points", points);
}

std::string Engine::churn_reasons(CustomerId id) {
  if (customers_[id].churn_ppm < 0) return {};
  if (const auto newer = churn_rows_->unexplained.find(id); newer != churn_rows_->unexplained.end())
    return model::reasons_of(*churn_model_, newer->second);
  auto& find = statements_->find_churn_reason.fresh(!statements_->churn_reasons.has(id));
  std::string reasons(find.bind(1, std::int64_t{id}).step() ? find.text(0) : std::string_view());
  find.reset();
  return reasons;
}

void Engine::put_snapshot(deliver::JsonText& into, CustomerId id) {
  const gold::Customer& customer = customers_[id];
  into.open("snapshot");
  into.put("tier", name("tier", customer.tier));
  into.put("tier_since_us", customer.tier_since_us);
  into.put("combined_segment", name("combined", customer.combined));
  into.put("churn_state", gold::name_of(customer.churn));
  if (customer.churn_ppm < 0)
    into.put_null("churn_probability");
  else
    into.put_real("churn_probability", static_cast<double>(customer.churn_ppm) / 1e6);
  into.put("churn_model", customer.churn_ppm < 0 || !churn_model_ ? std::string_view() : churn_model_->id());
  put_all_worded(into, *pack_, "churn_reasons", decide::reasons_of(churn_reasons(id)));
  into.put("dpd", std::int64_t{customer.dpd});
  into.put("dpd_bucket", gold::kDpdBuckets[static_cast<std::size_t>(customer.dpd_bucket)]);
  Instant contacted_us = 0;
  {
    const auto guard = queues_->lock();
    for (const auto& contact : queues_->contacts().party(id, now_us_).contacts)
      if (contact.key > 0) contacted_us = std::max(contacted_us, contact.at_us);
  }
  if (contacted_us)
    into.put("last_contact_us", contacted_us);
  else
    into.put_null("last_contact_us");
  into.end();
}

// How a choice came about: the parts of its priority, where it stood, and what stood next to it.
void Engine::put_scores(deliver::JsonText& into, const decide::DecisionBook::Made& decided) {
  into.open("scores");
  into.put_real("p", decided.scores.p);
  into.put_real("c", decided.scores.c);
  into.put_real("v_minor", decided.scores.v);
  into.put_real("l", decided.scores.l);
  into.put_real("f", decided.scores.f);
  into.put_real("priority", decided.scores.priority);
  into.put("rank", std::int64_t{1});  // one action is offered: the first
  into.put_real("margin", decided.margin);
  into.end();
  into.put("funnel", decided.funnel);
  if (decided.runner_up >= 0)
    into.put("runner_up", templates_[static_cast<std::size_t>(decided.runner_up)].action);
  else
    into.put_null("runner_up");
}

// What the contact rests on, when it may be made, and how many more the rules leave.
void Engine::put_terms(deliver::JsonText& into, CustomerId id, int template_number) {
  decide::ContactTerms terms;
  {
    const auto guard = queues_->lock();
    terms = queues_->contacts().terms(id, static_cast<std::size_t>(template_number), now_us_);
  }
  into.open("contact");
  if (terms.consent_seq)
    into.put("consent_seq", terms.consent_seq);
  else
    into.put_null("consent_seq");
  if (terms.open_until_us) {
    into.put("callable_from_us", terms.open_from_us);
    into.put("callable_until_us", terms.open_until_us);
  }
  into.open_list("limits_left");
  for (const auto& [rule, contacts] : terms.left) {
    into.open();
    into.put("rule", pack_->contact.rules[static_cast<std::size_t>(rule)].id);
    into.put("contacts", std::int64_t{contacts});
    into.end();
  }
  into.end_list();
  into.end();
}

// Whether the rows that a card is made of may be read while the connection is lent.
bool Engine::is_card_settled(std::int64_t offer, CustomerId id) const {
  const bool is_offer_settled =
      offers_->is_committed(offer) || (choosing_->book->count() == 0 && offers_->is_kept(offer));
  const bool is_contact_settled = statements_->contacts.find(id) || !statements_->contacts.has(id);
  return is_offer_settled && is_contact_settled && !statements_->churn_reasons.has(id);
}

std::string Engine::card(const decide::OfferFacts& offer, CustomerId id) {
  const QueueTemplate& made = templates_[static_cast<std::size_t>(offer.template_number)];
  const auto decided = choosing_->book->of_offer(offer.number, offers_->is_committed(offer.number));
  deliver::JsonText shown;
  shown.open();
  shown.put("queue", made.queue);
  shown.put("seq", offer.queue_seq);
  shown.put("priority", std::int64_t{made.priority});
  const std::string called = put_person(shown, id);
  shown.open("action");
  shown.put("action", made.action);
  shown.put("type", made.type);
  shown.put("type_ru", made.name_ru);
  shown.put("issue", made.issue);
  shown.put("group", made.group);
  shown.put("segment", made.segment);
  shown.put("channel", made.channel == decide::Channel::kMessage ? "message" : "call");
  shown.put("treatment", made.terms.treatment);
  shown.open("parameters");
  for (const auto& [name, value] : made.terms.parameters) shown.put(name, value);
  shown.end();
  shown.end();
  shown.open("script");
  shown.put("ru", script(pack_->ru, made.action, {called, made.name_ru}, made.terms));
  shown.put("en", script(pack_->en, made.action, {called, made.type}, made.terms));
  shown.end();
  shown.open_list("skills");
  for (const std::string& skill : made.skills) shown.item(skill);
  shown.end_list();
  shown.put("expected_revenue_minor", offer.revenue_minor);
  shown.put("created_us", offer.created_us);
  shown.put("expires_us", offer.expires_us);
  shown.put("arm", decided ? decide::kArmNames[static_cast<std::size_t>(decided->arm)] : std::string_view("rules"));
  shown.put_real("choice_probability", decided ? static_cast<double>(decided->probability_ppm) / 1e6 : 1.0);
  put_all_worded(shown, *pack_, "reasons",
                 decided ? decide::reasons_of(decided->reasons) : std::vector<Said>{{"SG-01", {made.segment}}});
  if (decided) put_scores(shown, *decided);
  put_talking_points(shown, id);
  put_snapshot(shown, id);
  put_terms(shown, id, offer.template_number);
  shown.put("purpose", decide::kPurposeNames[static_cast<std::size_t>(made.purpose)]);
  shown.put("decision_id", fmt::format("{}", decided ? decided->number : offer.decided_seq));
  shown.put("asof_seq", turn_.seq);
  shown.put("policy", fmt::format("{}@{}", pack_name_, std::string_view(pack_hash_).substr(0, 12)));
  shown.put("model", decided ? fmt::format("acceptance@{}", decided->learnt) : std::string());
  return shown.text().substr(1);
}

}  // namespace tellerd::app
