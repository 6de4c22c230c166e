#include <algorithm>

#include "decide/pack_parts.h"

namespace tellerd::decide {
namespace {

constexpr int kDaysMax = 3650;
constexpr int kContactDaysMax = 400;  // contacts are remembered for so long (decide/contact_book.h)
constexpr int kContactsMax = 1'000'000, kWaitingMax = 1'000'000'000;

constexpr std::pair<std::string_view, Source> kSources[] = {
    {"LAW", Source::kLaw}, {"BANK", Source::kBank}, {"BUSINESS", Source::kBusiness}};
constexpr std::pair<std::string_view, Purpose> kPurposes[] = {{"all", Purpose::kAll},
                                                              {"marketing", Purpose::kMarketing},
                                                              {"collection", Purpose::kCollection},
                                                              {"service", Purpose::kService}};
constexpr std::pair<std::string_view, Scope> kScopes[] = {
    {"all", Scope::kAll},     {"action", Scope::kAction}, {"group", Scope::kGroup},
    {"issue", Scope::kIssue}, {"credit", Scope::kCredit}, {"credit_unsecured", Scope::kCreditUnsecured}};
constexpr std::pair<std::string_view, Channel> kChannels[] = {{"all", Channel::kAll},
                                                              {"call", Channel::kCall},
                                                              {"message", Channel::kMessage},
                                                              {"conversation", Channel::kConversation}};
constexpr std::pair<std::string_view, Channel> kOfferChannels[] = {{"call", Channel::kCall},
                                                                   {"message", Channel::kMessage}};
constexpr std::pair<std::string_view, Window> kWindows[] = {
    {"day", Window::kDay}, {"week", Window::kWeek}, {"month", Window::kMonth}};
constexpr std::pair<std::string_view, Effect> kEffects[] = {
    {"block", Effect::kBlock}, {"suppress", Effect::kSuppress}, {"down_weight", Effect::kDownWeight}};
constexpr std::pair<std::string_view, Cause> kCauses[] = {{"do_not_call", Cause::kDoNotCall},
                                                          {"consent_absent", Cause::kConsentAbsent},
                                                          {"representative", Cause::kRepresentative},
                                                          {"deceased", Cause::kDeceased},
                                                          {"bankruptcy", Cause::kBankruptcy},
                                                          {"self_ban", Cause::kSelfBan},
                                                          {"complaint", Cause::kComplaint},
                                                          {"overdue", Cause::kOverdue},
                                                          {"reject", Cause::kReject},
                                                          {"accept", Cause::kAccept}};

constexpr std::pair<std::string_view, Purpose> kOfferPurposes[] = {
    {"marketing", Purpose::kMarketing}, {"collection", Purpose::kCollection}, {"service", Purpose::kService}};
constexpr std::pair<std::string_view, Credit> kCredits[] = {
    {"none", Credit::kNone}, {"secured", Credit::kSecured}, {"unsecured", Credit::kUnsecured}};

Hours parse_hours(const Section& section, std::string_view key) {
  const auto hours = section.counts(key, 0, 24);
  if (hours.size() != 2 || hours[0] >= hours[1])
    section.fail(key, Section::quoted(key) + " is a first and a later last hour, as [9, 20]");
  return {hours[0], hours[1]};
}

ContactHours parse_contact_hours(const Section& hours, std::string_view purpose) {
  if (!hours.has(purpose)) return {};
  const Section section = hours.section(purpose, {"work_days", "days_off"});
  return {parse_hours(section, "work_days"), parse_hours(section, "days_off")};
}

// Written as a text; "" is open.
std::optional<core::Day> parse_limit(const Section& section, std::string_view key) {
  if (!section.has(key) || section.is_empty_text(key)) return std::nullopt;
  const auto day = core::parse_date(section.text(key));
  if (!day) section.fail(key, Section::quoted(key) + " is no date as 2026-11-21");
  return day;
}

// A rule that counts needs something to count; a rule on a state of the customer does not.
void check_rule(const Section& section, const ContactRule& rule) {
  const bool counts_contacts = rule.cause == Cause::kContacts;
  const bool counts = counts_contacts || rule.cause == Cause::kReject || rule.cause == Cause::kAccept;
  if (counts && !section.has("threshold")) section.fail("id", "a rule that counts has no \"threshold\"");
  if (!counts && section.has("threshold")) section.fail("threshold", "\"threshold\" without anything to count");
  if (counts_contacts && rule.window == Window::kNone && rule.rolling_days == 0)
    section.fail("id", "a rule that counts contacts has no \"window\" or \"rolling_days\"");
  if (rule.effect == Effect::kSuppress && rule.suppress_days == 0)
    section.fail("id", "a rule that suppresses has no \"suppress_days\"");
  if (rule.effect != Effect::kSuppress && rule.suppress_days != 0)
    section.fail("suppress_days", "\"suppress_days\" in a rule that does not suppress");
  if ((rule.effect == Effect::kDownWeight) != section.has("weight_percent"))
    section.fail("id", "\"weight_percent\" and effect \"down_weight\" go together");
  if (rule.effect == Effect::kDownWeight && rule.source == Source::kLaw)
    section.fail("effect", "what the LAW forbids is not made up for: \"block\" or \"suppress\"");
  if (rule.effect == Effect::kBlock && (rule.cause == Cause::kReject || rule.cause == Cause::kAccept))
    section.fail("effect", "a rule on rejects or acceptances suppresses or weighs down");
  if (rule.valid_from && rule.valid_to && *rule.valid_to < *rule.valid_from)
    section.fail("valid_to", "\"valid_to\" is before \"valid_from\"");
}

ContactRule parse_rule(const Section& section) {
  ContactRule rule;
  rule.id = section.text("id");
  rule.source = section.choice("source", kSources);
  rule.purpose = section.choice("purpose", kPurposes);
  rule.scope = section.choice("scope", kScopes);
  rule.channel = section.choice("channel", kChannels);
  if (section.has("cause")) rule.cause = section.choice("cause", kCauses);
  if (section.has("window")) rule.window = section.choice("window", kWindows);
  if (section.has("rolling_days")) rule.rolling_days = section.count("rolling_days", 1, kContactDaysMax);
  if (section.has("threshold")) rule.threshold = section.count("threshold", 0, kContactsMax);
  rule.effect = section.choice("effect", kEffects);
  if (section.has("suppress_days")) rule.suppress_days = section.count("suppress_days", 1, kContactDaysMax);
  if (section.has("weight_percent")) rule.weight_percent = section.count("weight_percent", 0, 100);
  rule.valid_from = parse_limit(section, "valid_from");
  rule.valid_to = parse_limit(section, "valid_to");
  check_rule(section, rule);
  return rule;
}

void parse_rules(const Section& file, Contact& contact) {
  contact.has_rules = file.flag("rules");
  for (const Section& section :
       file.sections("rule", {"id", "source", "purpose", "scope", "channel", "cause", "window", "rolling_days",
                              "threshold", "effect", "suppress_days", "weight_percent", "valid_from", "valid_to"})) {
    if (!contact.has_rules) section.fail("id", "a [[rule]] though \"rules\" is false");
    ContactRule rule = parse_rule(section);
    for (const ContactRule& other : contact.rules)
      if (other.id == rule.id) section.fail("id", "a second rule " + Section::quoted(rule.id));
    contact.rules.push_back(std::move(rule));
  }
}

void parse_ladder(const Section& file, Contact& contact) {
  for (const Section& section : file.sections("ladder", {"days", "channel", "action"})) {
    const LadderStep step = {section.count("days", -kDaysMax, kDaysMax), section.choice("channel", kOfferChannels),
                             section.text("action")};
    for (const LadderStep& other : contact.ladder)
      if (other.action == step.action) section.fail("action", "a second step " + Section::quoted(step.action));
    contact.ladder.push_back(step);
  }
  std::stable_sort(contact.ladder.begin(), contact.ladder.end(),
                   [](const LadderStep& a, const LadderStep& b) { return a.days < b.days; });
}

void parse_precedence(const Section& file, Contact& contact) {
  if (!file.has("precedence")) return;
  const Section section = file.section("precedence", {"order"});
  for (const PlacedText& name : section.texts("order")) {
    const auto* known = std::find_if(std::begin(kPurposes), std::end(kPurposes),
                                     [&](const auto& purpose) { return purpose.first == name.text; });
    if (known == std::end(kPurposes) || known->second == Purpose::kAll)
      section.fail("order", "\"order\" lists marketing, collection and service");
    if (std::find(contact.precedence.begin(), contact.precedence.end(), known->second) != contact.precedence.end())
      section.fail("order", "\"order\" names " + Section::quoted(name.text) + " twice");
    contact.precedence.push_back(known->second);
  }
}

}  // namespace

void parse_contact_of(const Section& section, Template& offer) {
  if (section.has("issue")) offer.issue = section.text("issue");
  if (section.has("group")) offer.group = section.text("group");
  if (section.has("purpose")) offer.purpose = section.choice("purpose", kOfferPurposes);
  if (section.has("channel")) offer.channel = section.choice("channel", kOfferChannels);
  if (section.has("credit")) offer.credit = section.choice("credit", kCredits);
  if (!section.has("skills")) return;
  for (const PlacedText& skill : section.texts("skills")) offer.skills.push_back(skill.text);
  std::sort(offer.skills.begin(), offer.skills.end());
}

Contact parse_contact(const std::string& place, const toml::table& table) {
  const Section file(place, table,
                     {"rules", "hours", "precedence", "capacity", "waiting", "lease", "arms", "ladder", "rule"});
  Contact contact;
  parse_rules(file, contact);
  if (file.has("hours")) {
    const Section hours = file.section("hours", {"collection", "marketing", "service"});
    contact.collection = parse_contact_hours(hours, "collection");
    contact.marketing = parse_contact_hours(hours, "marketing");
    contact.service = parse_contact_hours(hours, "service");
  }
  parse_precedence(file, contact);
  for (auto* bounds : {&contact.capacity, &contact.waiting}) {
    const std::string_view name = bounds == &contact.capacity ? "capacity" : "waiting";
    if (!file.has(name)) continue;
    const Section section = file.section(name, {});
    for (const std::string& queue : section.keys()) (*bounds)[queue] = section.count(queue, 0, kWaitingMax);
  }
  const Section lease = file.section("lease", {"seconds", "seconds_max"});
  contact.lease_seconds_max = lease.count("seconds_max", 1, 86'400);
  contact.lease_seconds = lease.count("seconds", 1, contact.lease_seconds_max);
  if (file.has("arms")) {
    const Section arms = file.section("arms", {"random_percent", "holdout_percent"});
    contact.random_percent = arms.count("random_percent", 0, 100);
    contact.holdout_percent = arms.count("holdout_percent", 0, 100 - contact.random_percent);
  }
  parse_ladder(file, contact);
  return contact;
}

}  // namespace tellerd::decide
