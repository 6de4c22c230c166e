#include "app/choice_world.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <exception>
#include <map>

#include "app/contact_rows.h"
#include "app/customer_answer.h"
#include "app/kept_packs.h"
#include "core/checksum.h"
#include "core/varint.h"
#include "deliver/json_rows.h"
#include "gold/loans.h"

namespace tellerd::app {

namespace {

using deliver::Json;

constexpr int kWeeksSeen = 13;
constexpr std::int64_t kNeverActive = 99;
constexpr std::array<std::string_view, 5> kChurnStates{"", "active", "at_risk", "churned", "returned"};
constexpr const char* kMembers = "(SELECT id FROM identity WHERE leader=?1)";

std::int64_t weeks(const Json& bits) {
  return std::popcount(static_cast<std::uint64_t>(bits.get<std::int64_t>()) & ((std::uint64_t{1} << kWeeksSeen) - 1));
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

}  // namespace

ChoiceWorld::ChoiceWorld(store::Database& reader) {
  store::Statement cursor(
      reader,
      "SELECT c.day,c.now_us,c.seq,h.files,c.zone,h.hash FROM cursor c JOIN policy_history h ON h.seq=c.pack_seq");
  if (!cursor.step()) return;
  today_ = static_cast<core::Day>(cursor.integer(0));
  now_us_ = cursor.integer(1);
  seq_ = cursor.integer(2);
  zone_ = cursor.text(4);
  CompiledPack one = take_compiled(cursor.text(5), cursor.text(3));
  cursor.reset();
  pack = std::move(one.pack);
  rules = std::move(one.rules);
  chooser = std::move(one.chooser);
  if (!chooser) return;
  std::map<std::string, int> numbers;
  store::Statement names(reader, "SELECT name,number FROM name_of WHERE what='acceptance'");
  while (names.step()) numbers[std::string(names.text(0))] = static_cast<int>(names.integer(1));
  store::Statement learnt(reader, "SELECT positives,negatives,bytes FROM acceptance WHERE number=?");
  for (std::size_t at = 0; at < chooser->candidates().size(); ++at) {
    const bool is_message = chooser->candidates()[at].channel == decide::Channel::kMessage;
    const auto found = numbers.find(chooser->action(at).name + (is_message ? "|message" : "|call"));
    acceptance_of_.push_back(found == numbers.end() ? -1 : found->second);
    models_.emplace_back();
    if (learnt.bind(1, std::int64_t{acceptance_of_.back()}).step()) {
      models_.back() = std::make_unique<model::Propensity>(decide::kFeatures);
      models_.back()->restore(learnt.integer(0), learnt.integer(1), learnt.text(2));
    }
    learnt.reset();
    learned_.push_back(models_.back().get());
  }
}

ChoiceWorld::~ChoiceWorld() {
  if (pack && std::uncaught_exceptions() == 0) give_back({std::move(pack), std::move(rules), std::move(chooser)});
}

bool ChoiceWorld::read(store::Database& reader, std::int64_t leader, decide::Situation& situation) {
  store::Statement row(reader, "SELECT * FROM mart_customer WHERE key=(SELECT display_key FROM identity WHERE id=?1)");
  const Json found = deliver::json_rows(row.bind(1, leader));
  store::Statement more(reader,
                        "SELECT g.churn,g.churn_ppm,p.registered_on FROM gold_customer g LEFT JOIN gold_profile p ON "
                        "p.customer=g.id WHERE g.id=?1");
  if (found.empty() || !more.bind(1, leader).step()) return false;
  const Json& customer = found[0];
  const auto put = [&](std::string_view name, std::int64_t value) {
    const auto columns = decide::choice_columns();
    const auto at = std::find(columns.begin(), columns.end(), name);
    situation.numbers[static_cast<std::size_t>(at - columns.begin())] = value;
  };
  for (std::size_t at = 0; at < decide::kNumbers; ++at) {
    const auto known = customer.find(std::string(decide::kExpressionColumns[at]));
    if (known != customer.end() && known->is_number()) situation.numbers[at] = known->get<std::int64_t>();
  }
  if (customer["inactive_weeks"].is_null()) put("inactive_weeks", kNeverActive);
  const bool has_profile = !more.is_null(2);
  put("has_profile", has_profile);
  const auto registered = core::parse_date(has_profile ? more.text(2) : std::string_view());
  put("registered_days", registered ? std::max(0, today_ - *registered) : 0);
  const std::int64_t ppm = more.integer(1);
  situation.churn_state = static_cast<int>(more.integer(0));
  more.reset();
  put("churn_percent", ppm < 0 ? -1 : ppm / 10'000);
  put("competitor_sms_weeks", weeks(customer["sms_weeks"]));
  put("competitor_host_weeks", weeks(customer["host_weeks"]));
  put("support_weeks", weeks(customer["sup_weeks"]));
  put("tx_weeks", weeks(customer["tx_weeks"]));
  tier_ = text_of(customer["tier"]);
  combined_ = text_of(customer["combined_segment"]);
  churn_ = kChurnStates[static_cast<std::size_t>(situation.churn_state)];
  category_ = text_of(customer["priority_category"]);
  situation.texts = {tier_, combined_, churn_, category_};
  const auto& segments = pack->segments.combined;
  const auto segment =
      std::find_if(segments.begin(), segments.end(), [&](const auto& one) { return one.name == combined_; });
  if (segment == segments.end() || (pack->aggregates.decide_needs_profile && !has_profile)) return false;
  situation.combined = static_cast<int>(segment - segments.begin());
  decide::Numbers numbers{};
  std::copy_n(situation.numbers.begin(), decide::kNumbers, numbers.begin());
  situation.factor = rules->stand(numbers, static_cast<int>(segment->tier), 0, now_us_, churn_).factor;
  situation.today = today_;
  situation.now_us = now_us_;
  situation.month = gold::month_of(today_);
  situation.customer = static_cast<std::uint64_t>(leader);
  situation.seed = core::hash64(fmt::format("asked {} {}", seq_, leader));
  read_loans(reader, leader, situation);
  read_shown(reader, leader);
  read_contacts(reader, leader);
  situation.shown = shown_;
  situation.learned = learned_;
  store::Statement open(
      reader,
      "SELECT c.acceptance FROM gold_customer g JOIN offer o ON o.number=g.last_offer JOIN offer_state s ON "
      "s.number=o.number JOIN choice_template c ON c.template=o.template WHERE g.id=?1 AND o.state='READY' AND "
      "s.state<>'DONE'");
  if (open.bind(1, leader).step())
    for (std::size_t at = 0; at < acceptance_of_.size(); ++at)
      if (acceptance_of_[at] == open.integer(0)) situation.standing = static_cast<int>(at);
  open.reset();
  return true;
}

void ChoiceWorld::read_loans(store::Database& reader, std::int64_t leader, decide::Situation& situation) {
  std::int64_t to_due = decide::kNoDue, since_due = 0;
  store::Statement instalments(
      reader,
      fmt::format("SELECT y.loan_name,y.payment_number,y.payment_date FROM silver_instalment_payment y JOIN "
                  "gold_loan l ON l.customer=y.customer AND l.loan_name=y.loan_name JOIN silver_loan s ON "
                  "s.seq=l.loan_seq WHERE y.customer IN {} AND y.state=0 AND s.closed_date='' AND NOT (y.fact_date<>'' "
                  "AND y.paid_minor>=l.planned_minor) AND NOT EXISTS(SELECT 1 FROM silver_loan_change w WHERE "
                  "w.customer=y.customer AND w.loan_name=y.loan_name AND w.state=0 AND w.change='write_off') "
                  "ORDER BY y.customer,l.place,y.payment_number",
                  kMembers));
  instalments.bind(1, leader);
  while (instalments.step()) {
    const auto due = core::parse_date(instalments.text(2));
    if (!due) continue;
    const bool is_past = *due < today_;
    const std::int64_t days = is_past ? today_ - *due : *due - today_;
    if (is_past ? days <= since_due : days >= to_due) continue;
    (is_past ? since_due : to_due) = days;
    if (!is_past && since_due > 0) continue;
    situation.instalment = static_cast<std::int64_t>(
        core::hash64(instalments.text(0), static_cast<std::uint64_t>(instalments.integer(1))) >> 1);
  }
  store::Statement loans(
      reader, fmt::format("SELECT count(*) FROM gold_loan l JOIN silver_loan s ON s.seq=l.loan_seq WHERE l.customer "
                          "IN {} AND s.closed_date='' AND NOT EXISTS(SELECT 1 FROM silver_loan_change w WHERE "
                          "w.customer=l.customer AND w.loan_name=l.loan_name AND w.state=0 AND w.change='write_off')",
                          kMembers));
  loans.bind(1, leader).step();
  situation.numbers[decide::kNumbers] = to_due;
  situation.numbers[decide::kNumbers + 1] = since_due;
  situation.numbers[decide::kNumbers + 2] = loans.integer(0);
  loans.reset();
}

void ChoiceWorld::read_shown(store::Database& reader, std::int64_t leader) {
  shown_.assign(acceptance_of_.size(), {});
  store::Statement states(
      reader, fmt::format("SELECT shown FROM choice_state WHERE customer IN {} ORDER BY customer", kMembers));
  states.bind(1, leader);
  while (states.step())
    for (std::string_view bytes = states.text(0); !bytes.empty();) {
      const auto acceptance = static_cast<int>(core::take_varint(bytes)),
                 unanswered = static_cast<int>(core::take_varint(bytes));
      core::take_varint(bytes);
      const core::Instant last_us = core::take_varint(bytes);
      core::take_varint(bytes);
      const std::int64_t told = core::take_varint(bytes);
      for (std::size_t at = 0; at < acceptance_of_.size(); ++at) {
        if (acceptance_of_[at] != acceptance) continue;
        shown_[at].unanswered += unanswered;
        shown_[at].last_us = std::max(shown_[at].last_us, last_us);
        if (told) shown_[at].told_instalment = told;
      }
    }
}

// The book as the engine keeps it, of this one customer.
void ChoiceWorld::read_contacts(store::Database& reader, std::int64_t leader) {
  contacts_ = decide::ContactBook();
  contacts_.set_branch_zone(zone_.empty() ? "UTC" : zone_);
  contacts_.set_rules(pack->contact, pack->holidays);
  const auto id = static_cast<std::uint32_t>(leader);
  // What may be chosen now, and what was offered before: contacts were about it.
  store::Statement templates(
      reader,
      "SELECT t.number,t.purpose,t.channel,t.credit,t.action,t.group_name,t.issue,t.segment,coalesce(c.acceptance,-1) "
      "FROM offer_template t LEFT JOIN choice_template c ON c.template=t.number WHERE t.segment=?1 OR t.number IN "
      "(SELECT template FROM offer_made WHERE number IN (SELECT value FROM json_each(?2))) ORDER BY t.number");
  const std::string offers = offers_of(reader, leader, kOffersOfOneMax);
  templates.bind_all(std::string_view(combined_), std::string_view(offers));
  templates_.assign(acceptance_of_.size(), -1);
  while (templates.step()) {
    const auto number = static_cast<std::size_t>(templates.integer(0));
    contacts_.know(number, static_cast<decide::Purpose>(templates.integer(1)),
                   static_cast<decide::Channel>(templates.integer(2)),
                   static_cast<decide::Credit>(templates.integer(3)), std::string(templates.text(4)),
                   std::string(templates.text(5)), std::string(templates.text(6)));
    if (templates.text(7) != combined_ || templates.integer(8) < 0) continue;
    for (std::size_t at = 0; at < acceptance_of_.size(); ++at)
      if (acceptance_of_[at] == templates.integer(8)) templates_[at] = static_cast<int>(number);
  }
  std::vector<std::uint32_t> members;
  store::Statement joined(reader, "SELECT id FROM identity WHERE leader=?1 ORDER BY id");
  joined.bind(1, leader);
  while (joined.step()) members.push_back(static_cast<std::uint32_t>(joined.integer(0)));
  app::read_contacts(reader, leader, contacts_);
  if (members.size() > 1) contacts_.join(id, members);
  store::Statement overdue(reader, "SELECT dpd FROM gold_customer WHERE id=?1");
  if (overdue.bind(1, leader).step()) contacts_.set_overdue(id, overdue.integer(0) > 0);
  overdue.reset();
}

ContactGate ChoiceWorld::gate(const decide::Situation& situation) const {
  return {contacts_, pack->contact.rules, static_cast<std::uint32_t>(situation.customer),
          now_us_,   situation.standing,  templates_};
}

ChoiceWorld::RulesHit ChoiceWorld::rules_hit(const decide::Situation& situation, std::size_t candidate) const {
  RulesHit hit;
  if (templates_[candidate] < 0 || !contacts_.has_rules()) return hit;
  const auto verdict = contacts_.check(static_cast<std::uint32_t>(situation.customer),
                                       static_cast<std::size_t>(templates_[candidate]), now_us_);
  for (const decide::Hit& one : verdict.hits) {
    hit.names.emplace_back(contacts_.rules().name_of(one));
    hit.is_outside_hours = hit.is_outside_hours || one.why == decide::Why::kWindow;
  }
  return hit;
}

}  // namespace tellerd::app
