// What the desk is shown of an offer (policy.md 4), from memory and the customer's profile, as of the turn that grants
// it.
#include <fmt/core.h>

#include <array>
#include <nlohmann/json.hpp>

#include "app/engine_choice.h"
#include "app/engine_statements.h"
#include "deliver/json_rows.h"

namespace tellerd::app {

using deliver::Json;

namespace {

constexpr std::size_t kReasonsMax = 4;

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
  const char* code;
  std::vector<std::string> args;
};

Json worded(const decide::Pack& pack, const Said& said) {
  return {{"code", said.code},
          {"args", said.args},
          {"ru", filled(pack.ru.words("reasons", said.code), said.args)},
          {"en", filled(pack.en.words("reasons", said.code), said.args)}};
}

// What an agent may say beside the offer: what the branch knows that bears on it.
std::vector<Said> talking_points(const gold::Customer& customer, Week week) {
  std::vector<Said> points;
  if (customer.churn == gold::ChurnState::kChurned)
    points.push_back({"CH-02", {std::to_string(week - customer.last_tx_week)}});
  if (customer.churn == gold::ChurnState::kReturned) points.push_back({"CH-07", {}});
  if (customer.overdue_loans > 0) points.push_back({"OV-03", {std::to_string(customer.overdue_loans)}});
  if (customer.portfolio_value_minor > 0)
    points.push_back({"SG-05", {fmt::format("{}", customer.portfolio_value_minor / 100)}});
  if (customer.transaction_total_minor > 0)
    points.push_back({"SG-04", {fmt::format("{}", customer.transaction_total_minor / 100)}});
  if (points.size() > kReasonsMax) points.resize(kReasonsMax);
  return points;
}

// Words for this action, or for any.
std::string script(const decide::Texts& texts, const std::string& action, const std::vector<std::string>& args) {
  const std::string_view own = texts.words("scripts", action);
  const std::string_view any = texts.words("scripts", "any");
  if (own != action) return filled(own, args);
  return any == "any" ? std::string() : filled(any, args);
}

// "CH-03:2 NB-01" as it was stored with the decision.
std::vector<Said> said_of(std::string_view reasons, std::vector<std::string>& codes) {
  std::vector<Said> all;
  for (std::size_t at = 0; at < reasons.size();) {
    const std::size_t end = std::min(reasons.find(' ', at), reasons.size());
    const std::string_view one = reasons.substr(at, end - at);
    const std::size_t colon = std::min(one.find(':'), one.size());
    codes.emplace_back(one.substr(0, colon));
    std::vector<std::string> args;
    for (std::string_view rest = one.substr(std::min(colon + 1, one.size())); !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      args.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    all.push_back({nullptr, std::move(args)});
    at = end + 1;
  }
  for (std::size_t at = 0; at < all.size(); ++at) all[at].code = codes[at].c_str();
  return all;
}

}  // namespace

std::string Engine::card(const decide::OfferFacts& offer, CustomerId id) {
  const QueueTemplate& made = templates_[static_cast<std::size_t>(offer.template_number)];
  const gold::Customer& customer = customers_[id];
  const auto name = [this](const char* what, int number) {
    return number < 0 ? std::string() : names_[what].names[static_cast<std::size_t>(number)];
  };
  Json person{{"key", identities_->display_key(id)}};
  std::string called;
  auto& contact = statements_->find_contact;
  if (contact.bind(1, std::int64_t{id}).step()) {
    person["name"] = called = contact.text(0);
    person["city"] = contact.text(1);
    if (const auto row = rows_->read(wire::Kind::kProfile, contact.integer(2))) {
      const auto& profile = std::get<wire::Profile>(row->event.body);
      person["phone"] = profile.phone;
      person["language"] = profile.language;
      person["timezone"] = profile.timezone;
    }
  }
  contact.reset();
  Json points = Json::array();
  for (const auto& point : talking_points(customer, week_)) points.push_back(worded(*pack_, point));
  const auto decided = choosing_->book->of_offer(offer.number);
  std::vector<std::string> codes;
  Json reasons = Json::array();
  if (decided)
    for (const auto& one : said_of(decided->reasons, codes)) reasons.push_back(worded(*pack_, one));
  else
    reasons.push_back(worded(*pack_, {"SG-01", {made.segment}}));
  Json shown{
      {"queue", made.queue},
      {"priority", made.priority},
      {"customer", person},
      {"action", {{"action", made.action}, {"type", made.type}, {"type_ru", made.name_ru}, {"segment", made.segment}}},
      {"script",
       {{"ru", script(pack_->ru, made.action, {called, made.name_ru})},
        {"en", script(pack_->en, made.action, {called, made.type})}}},
      {"expected_revenue_minor", offer.revenue_minor},
      {"created_us", offer.created_us},
      {"expires_us", offer.expires_us},
      {"arm", decided ? decide::kArmNames[static_cast<std::size_t>(decided->arm)] : std::string_view("rules")},
      {"choice_probability", decided ? static_cast<double>(decided->probability_ppm) / 1e6 : 1.0},
      {"reasons", reasons},
      {"talking_points", points},
      {"snapshot",
       {{"tier", name("tier", customer.tier)},
        {"tier_since_us", customer.tier_since_us},
        {"combined_segment", name("combined", customer.combined)},
        {"churn_state", gold::name_of(customer.churn)},
        {"churn_probability", customer.churn_ppm < 0 ? Json() : Json(static_cast<double>(customer.churn_ppm) / 1e6)},
        {"churn_model", customer.churn_ppm < 0 || !churn_model_ ? std::string() : churn_model_->id()},
        {"dpd", customer.dpd},
        {"dpd_bucket", gold::kDpdBuckets[static_cast<std::size_t>(customer.dpd_bucket)]}}},
      {"purpose", "marketing"},
      {"decision_id", fmt::format("{}", decided ? decided->number : offer.decided_seq)},
      {"asof_seq", turn_.seq},
      {"policy", fmt::format("{}@{}", pack_name_, pack_hash_.substr(0, 12))},
      {"model", decided ? fmt::format("acceptance@{}", decided->learnt) : std::string()}};
  const std::string text = deliver::dump(shown);
  return text.substr(1, text.size() - 2);
}

}  // namespace tellerd::app
