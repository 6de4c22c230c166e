// What the desk is shown of an offer (policy.md 4), from memory and the customer's profile, as of the turn that grants
// it.
#include <fmt/core.h>

#include <array>
#include <bit>

#include "app/engine_choice.h"
#include "app/engine_churn_rows.h"
#include "app/engine_statements.h"
#include "core/text.h"
#include "deliver/json_text.h"
#include "model/reasons.h"

namespace tellerd::app {

namespace {

constexpr std::size_t kReasonsMax = 4, kPhoneDigitsShown = 4;

std::string filled(std::string_view words, const std::vector<std::string>& args) {
  std::string text(words);
  for (std::size_t at = 0; at < args.size(); ++at) {
    const std::string mark = fmt::format("{{{}}}", at + 1);
    for (std::size_t found = text.find(mark); found != std::string::npos;
         found = text.find(mark, found + args[at].size()))
      text.replace(found, mark.size(), args[at]);
  }
  return text;
}

struct Said {
  std::string code;
  std::vector<std::string> args;
};

void put_worded(deliver::JsonText& into, const decide::Pack& pack, const Said& said) {
  into.open();
  into.put("code", said.code);
  into.open_list("args");
  for (const std::string& arg : said.args) into.item(arg);
  into.end_list();
  into.put("ru", filled(pack.ru.words("reasons", said.code), said.args));
  into.put("en", filled(pack.en.words("reasons", said.code), said.args));
  into.end();
}

// Words for this action, or for any.
std::string script(const decide::Texts& texts, const std::string& action, const std::vector<std::string>& args) {
  const std::string_view own = texts.words("scripts", action);
  const std::string_view any = texts.words("scripts", "any");
  if (own != action) return filled(own, args);
  return any == "any" ? std::string() : filled(any, args);
}

// "CH-03:2 NB-01" as it is stored.
std::vector<Said> said_of(std::string_view reasons) {
  std::vector<Said> all;
  for (std::size_t at = 0; at < reasons.size();) {
    const std::size_t end = std::min(reasons.find(' ', at), reasons.size());
    const std::string_view one = reasons.substr(at, end - at);
    const std::size_t colon = std::min(one.find(':'), one.size());
    std::vector<std::string> args;
    for (std::string_view rest = one.substr(std::min(colon + 1, one.size())); !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      args.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    all.push_back({std::string(one.substr(0, colon)), std::move(args)});
    at = end + 1;
  }
  return all;
}

void put_all_worded(deliver::JsonText& into, const decide::Pack& pack, std::string_view name,
                    const std::vector<Said>& all) {
  into.open_list(name);
  for (const Said& one : all) put_worded(into, pack, one);
  into.end_list();
}

std::string roubles(std::int64_t minor) { return std::to_string(minor / 100); }

// Of the loans of one customer: days late, the next instalment, one paid in part.
void say_loans(const gold::Loan& loan, Day today, std::vector<Said>& points) {
  constexpr std::int32_t kSoonDays = 7;
  if (loan.dpd > 0) points.push_back({"OV-01", {std::to_string(loan.dpd), loan.name}});
  const gold::Instalment* next = nullptr;
  bool is_partly_paid = false;
  for (const gold::Instalment& one : loan.instalments) {
    const bool is_met = one.paid_on != gold::kNoDay && one.paid_minor >= loan.planned_minor;
    is_partly_paid = is_partly_paid || (!is_met && one.paid_on != gold::kNoDay && one.paid_minor > 0);
    if (!is_met && one.due >= today && one.due <= today + kSoonDays && (!next || one.due < next->due)) next = &one;
  }
  if (is_partly_paid) points.push_back({"OV-04", {}});
  if (next) points.push_back({"OV-02", {std::to_string(next->due - today), loan.name}});
}

}  // namespace

// The name as a desk may see it, and of the telephone its end: whoever dials has the number from the export.
std::string Engine::put_person(deliver::JsonText& into, CustomerId id) {
  std::string called;
  into.open("customer");
  into.put("key", identities_->display_key(id));
  auto& contact = statements_->find_contact;
  if (contact.bind(1, std::int64_t{id}).step()) {
    const auto row = rows_->read(wire::Kind::kProfile, contact.integer(2));
    const auto* profile = row ? &std::get<wire::Profile>(row->event.body) : nullptr;
    called = profile ? std::string(profile->name) : std::string(contact.text(0));
    into.put("name", called);
    into.put("city", contact.text(1));
    if (profile) {
      into.put("phone", core::masked_end(profile->phone, kPhoneDigitsShown));
      into.put("language", profile->language);
      into.put("timezone", profile->timezone);
    }
  }
  contact.reset();
  into.end();
  return called;
}

// What an agent may say beside the offer: what the branch knows that bears on it, the most pressing first.
void Engine::put_talking_points(deliver::JsonText& into, CustomerId id) {
  constexpr int kEveryWeek = 13;
  const gold::Customer& customer = customers_[id];
  const std::uint64_t weeks = customer.bits[gold::kTx].any;
  std::vector<Said> points;
  if (customer.churn == gold::ChurnState::kChurned)
    points.push_back({"CH-02", {std::to_string(week_ - customer.last_tx_week)}});
  if (customer.churn == gold::ChurnState::kReturned) points.push_back({"CH-07", {}});
  if (customer.churn == gold::ChurnState::kAtRisk && customer.churn_ppm >= 0)
    points.push_back({"CH-01", {std::to_string(customer.churn_ppm / 10'000)}});
  for (const CustomerId member : members(id))
    for (std::uint32_t place = customers_[member].first_loan; place; place = loans_[place].next_of_customer)
      if (loans_[place].is_known && loans_[place].closed == gold::kNoDay && loans_[place].written_off == gold::kNoDay)
        say_loans(loans_[place], day_, points);
  if (customer.overdue_loans > 0) points.push_back({"OV-03", {std::to_string(customer.overdue_loans)}});
  if (customer.downgrade_since_us)
    points.push_back(
        {"SG-07", {core::format_date(calendar_->day_of(customer.downgrade_since_us + rules_->downgrade_wait_us()))}});
  if (customer.portfolio_value_minor > 0) points.push_back({"SG-05", {roubles(customer.portfolio_value_minor)}});
  if (customer.transaction_total_minor > 0) points.push_back({"SG-04", {roubles(customer.transaction_total_minor)}});
  if (customer.login_count > 0) points.push_back({"SG-06", {std::to_string(customer.login_count)}});
  if (customer.churn == gold::ChurnState::kActive && std::countr_one(weeks >> 1) >= kEveryWeek)
    points.push_back({"CH-08", {}});
  if (points.size() > kReasonsMax) points.resize(kReasonsMax);
  put_all_worded(into, *pack_, "talking_points", points);
}

std::string Engine::churn_reasons(CustomerId id) {
  if (customers_[id].churn_ppm < 0) return {};
  if (const auto newer = churn_rows_->unexplained.find(id); newer != churn_rows_->unexplained.end())
    return model::reasons_of(*churn_model_, newer->second);
  auto& find = statements_->find_churn_reason;
  std::string reasons(find.bind(1, std::int64_t{id}).step() ? find.text(0) : std::string_view());
  find.reset();
  return reasons;
}

void Engine::put_snapshot(deliver::JsonText& into, CustomerId id) {
  const gold::Customer& customer = customers_[id];
  const auto name = [this](const char* what, int number) {
    return number < 0 ? std::string_view() : names_[what].names[static_cast<std::size_t>(number)];
  };
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
  put_all_worded(into, *pack_, "churn_reasons", said_of(churn_reasons(id)));
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

std::string Engine::card(const decide::OfferFacts& offer, CustomerId id) {
  const QueueTemplate& made = templates_[static_cast<std::size_t>(offer.template_number)];
  const auto decided = choosing_->book->of_offer(offer.number);
  deliver::JsonText shown;
  shown.open();
  shown.put("queue", made.queue);
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
  shown.end();
  shown.open("script");
  shown.put("ru", script(pack_->ru, made.action, {called, made.name_ru}));
  shown.put("en", script(pack_->en, made.action, {called, made.type}));
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
                 decided ? said_of(decided->reasons) : std::vector<Said>{{"SG-01", {made.segment}}});
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
