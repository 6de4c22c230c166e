#include "decide/contact_rules.h"

#include <algorithm>

#include "core/civil.h"

namespace tellerd::decide {
namespace {

using core::Day;
using core::Instant;
using core::kNever;

// The first instant of the next calendar day, week or month, and of the present one.
struct Period {
  Instant from_us = 0, until_us = 0;
};

Period period_of(Window window, Day today, const core::Calendar& calendar) {
  Day first = today, next = today + 1;
  if (window == Window::kWeek) {
    first = core::first_day_of_week(core::week_of_day(today));
    next = first + 7;
  } else if (window == Window::kMonth) {
    const auto date = core::civil::date_of(today);
    first = today - date.day + 1;
    next = first + core::civil::days_in_month(date.year, date.month);
  }
  return {calendar.start_of_day(first), calendar.start_of_day(next)};
}

bool is_in_scope(Scope scope, const Subject& asked, const Subject& past) noexcept {
  switch (scope) {
    case Scope::kAll:
      return true;
    case Scope::kAction:
      return past.action == asked.action;
    case Scope::kGroup:
      return past.group != 0 && past.group == asked.group;
    case Scope::kIssue:
      return past.issue != 0 && past.issue == asked.issue;
    case Scope::kCredit:
      return past.credit != Credit::kNone;
    case Scope::kCreditUnsecured:
      return past.credit == Credit::kUnsecured;
  }
  return false;
}

// Whether the rule speaks of such an offer at all.
bool concerns(const ContactRule& rule, const Subject& subject, Day today) noexcept {
  if (rule.purpose != Purpose::kAll && rule.purpose != subject.purpose) return false;
  const bool is_channel = rule.channel == Channel::kAll || rule.channel == subject.channel ||
                          (rule.channel == Channel::kConversation && subject.channel == Channel::kCall);
  if (!is_channel) return false;
  if (rule.scope == Scope::kCredit && subject.credit == Credit::kNone) return false;
  if (rule.scope == Scope::kCreditUnsecured && subject.credit != Credit::kUnsecured) return false;
  return (!rule.valid_from || *rule.valid_from <= today) && (!rule.valid_to || today <= *rule.valid_to);
}

Why why_of(const ContactRule& rule) noexcept {
  switch (rule.cause) {
    case Cause::kContacts:
      return Why::kCap;
    case Cause::kDoNotCall:
      return Why::kDoNotCall;
    case Cause::kConsentAbsent:
      return Why::kConsent;
    case Cause::kRepresentative:
    case Cause::kDeceased:
    case Cause::kBankruptcy:
    case Cause::kSelfBan:
    case Cause::kComplaint:
    case Cause::kOverdue:
    case Cause::kReject:
    case Cause::kAccept:
      return Why::kSuppressed;
  }
  return Why::kSuppressed;
}

MarkKind mark_of(Cause cause) noexcept {
  switch (cause) {
    case Cause::kRepresentative:
      return MarkKind::kRepresentative;
    case Cause::kDeceased:
      return MarkKind::kDeceased;
    case Cause::kBankruptcy:
      return MarkKind::kBankruptcy;
    case Cause::kSelfBan:
      return MarkKind::kSelfBan;
    case Cause::kComplaint:
      return MarkKind::kComplaint;
    default:
      return MarkKind::kDoNotCall;
  }
}

// The last word on it, by a restriction or by what an agent was told; of two at once the one that restricts.
struct LastWord {
  bool is_active = false;
  Instant since_us = INT64_MIN;
  Day valid_to = kOpenEnd;
  std::int64_t seq = 0;  // of the mark; 0: an agent was told
};

void hear(LastWord& last, bool is_active, Instant since_us, Day valid_to, bool strict, std::int64_t seq = 0) {
  if (since_us < last.since_us || (since_us == last.since_us && last.is_active == strict)) return;
  last = {is_active, since_us, valid_to, seq};
}

LastWord last_word(MarkKind kind, int made, const Party& party) {
  LastWord last;
  for (const Mark& mark : party.marks)
    if (mark.kind == kind) hear(last, mark.is_active, mark.since_us, mark.valid_to, true);
  if (made)
    for (const PastContact& contact : party.contacts)
      if (contact.made & made) hear(last, true, contact.at_us, kOpenEnd, true);
  return last;
}

LastWord word_on_consent(const Subject& subject, const Party& party) {
  LastWord last;
  for (const Mark& mark : party.marks) {
    if (mark.kind != MarkKind::kConsent) continue;
    if (mark.purpose != Purpose::kAll && mark.purpose != subject.purpose) continue;
    if (mark.channel != Channel::kAll && mark.channel != subject.channel) continue;
    hear(last, mark.is_active, mark.since_us, mark.valid_to, false, mark.seq);
  }
  for (const PastContact& contact : party.contacts)
    if (contact.made & kWasRevoked) hear(last, false, contact.at_us, kOpenEnd, false);
  return last;
}

}  // namespace

bool counts_as(std::uint8_t made, Channel channel) noexcept {
  switch (channel) {
    case Channel::kAll:
      return (made & (kWasAttempt | kWasConversation | kWasMessage)) != 0;
    case Channel::kCall:
      return (made & kWasAttempt) != 0;
    case Channel::kConversation:
      return (made & kWasConversation) != 0;
    case Channel::kMessage:
      return (made & kWasMessage) != 0;
  }
  return false;
}

bool has_consent(const Subject& subject, const Party& party, Day today) noexcept {
  const LastWord last = word_on_consent(subject, party);
  return last.is_active && today <= last.valid_to;
}

Instant ContactVerdict::open_us() const noexcept {
  Instant open_us = 0;
  for (const Hit& hit : hits) open_us = std::max(open_us, hit.until_us);
  return open_us;
}

struct ContactRules::Question {
  const Subject& subject;
  const Party& party;
  std::span<const Subject> subjects;
  Instant now_us;
  Day today;

  template <class Visit>
  void each_contact(const ContactRule& rule, Visit&& visit) const {  // oldest first
    for (const PastContact& contact : party.contacts) {
      const Subject& past = subjects[contact.subject];
      if ((rule.purpose == Purpose::kAll || past.purpose == rule.purpose) && is_in_scope(rule.scope, subject, past))
        visit(contact);
    }
  }
};

ContactRules::ContactRules(const Contact& contact, const Holidays& holidays)
    : has_rules_(contact.has_rules),
      rules_(contact.rules),
      hours_{ContactHours{}, contact.marketing, contact.collection, contact.service},
      precedence_(contact.precedence),
      holidays_(holidays) {
  for (const Source source : {Source::kLaw, Source::kBank, Source::kBusiness})
    for (std::size_t at = 0; at < rules_.size(); ++at)
      if (rules_[at].source == source) order_.push_back(static_cast<int>(at));
}

std::string_view ContactRules::name_of(const Hit& hit) const {
  switch (hit.rule) {
    case kHoursHit:
      return "hours";
    case kPrecedenceHit:
      return "precedence";
    case kLeasedHit:
      return "one-purpose";
    default:
      return rules_[static_cast<std::size_t>(hit.rule)].id;
  }
}

// Open from the first instant whose local time is at or past the hour; a day whose hours a gap swallows is none.
Hit ContactRules::hours(const Question& question) const {
  const ContactHours& hours = hours_[static_cast<std::size_t>(question.subject.purpose)];
  const core::Calendar& calendar = *question.party.calendar;
  const auto of_day = [&](Day day) { return holidays_.is_day_off(day) ? hours.days_off : hours.work_days; };
  const auto is_open = [&](Instant at_us, Day day) {
    const int minute = calendar.minute_of_day(at_us);
    return calendar.day_of(at_us) == day && minute >= of_day(day).begin * 60 && minute < of_day(day).end * 60;
  };
  if (is_open(question.now_us, question.today)) return {};
  for (Day day = question.today; day < question.today + 8; ++day) {
    const Instant opens_us = calendar.instant_of(day, of_day(day).begin * core::kHour);
    if (opens_us > question.now_us && is_open(opens_us, day)) return {kHoursHit, Why::kWindow, opens_us};
  }
  return {kHoursHit, Why::kWindow, calendar.start_of_day(question.today + 8)};
}

// 0 when fewer than allowed stand in the calendar's window and in the rolling one.
Instant ContactRules::counted_until(const ContactRule& rule, const Question& question) const {
  const auto allowed = static_cast<std::size_t>(rule.threshold);
  Instant until_us = 0;
  std::vector<Instant> times;
  question.each_contact(rule, [&](const PastContact& contact) {
    if (counts_as(contact.made, rule.channel)) times.push_back(contact.at_us);
  });
  if (rule.window != Window::kNone) {
    const Period period = period_of(rule.window, question.today, *question.party.calendar);
    const auto inside = std::count_if(times.begin(), times.end(), [&](Instant at) { return at >= period.from_us; });
    if (static_cast<std::size_t>(inside) >= allowed) until_us = period.until_us;
  }
  if (rule.rolling_days == 0) return until_us;
  const Instant length_us = rule.rolling_days * core::kDay;
  std::erase_if(times, [&](Instant at) { return at <= question.now_us - length_us; });
  if (times.size() < allowed) return until_us;
  if (allowed == 0) return kNever;
  return std::max(until_us, times[times.size() - allowed] + length_us);  // until so many of them are left less one
}

int ContactRules::contacts_left(const ContactRule& rule, const Question& question) const {
  const Instant window_us = rule.window == Window::kNone
                                ? core::kNever
                                : period_of(rule.window, question.today, *question.party.calendar).from_us;
  const Instant rolling_us = question.now_us - rule.rolling_days * core::kDay;  // what lies so far back is out
  int inside = 0, rolled = 0;
  question.each_contact(rule, [&](const PastContact& contact) {
    if (!counts_as(contact.made, rule.channel)) return;
    inside += contact.at_us >= window_us;
    rolled += rule.rolling_days != 0 && contact.at_us > rolling_us;
  });
  return std::max(rule.threshold - std::max(inside, rolled), 0);
}

ContactTerms ContactRules::terms(const Subject& subject, const Party& party, std::span<const Subject> subjects,
                                 Instant now_us) const {
  const Question question{subject, party, subjects, now_us, party.calendar->day_of(now_us)};
  ContactTerms terms;
  if (has_consent(subject, party, question.today)) terms.consent_seq = word_on_consent(subject, party).seq;
  const Hit closed = hours(question);
  const Day day = closed.why == Why::kNone ? question.today : party.calendar->day_of(closed.until_us);
  const ContactHours& kept = hours_[static_cast<std::size_t>(subject.purpose)];
  const Hours& open = holidays_.is_day_off(day) ? kept.days_off : kept.work_days;
  terms.open_from_us = party.calendar->instant_of(day, open.begin * core::kHour);
  terms.open_until_us =
      open.end == 24 ? party.calendar->start_of_day(day + 1) : party.calendar->instant_of(day, open.end * core::kHour);
  for (const int number : order_) {
    const ContactRule& rule = rules_[static_cast<std::size_t>(number)];
    if (rule.cause == Cause::kContacts && rule.effect != Effect::kDownWeight && concerns(rule, subject, question.today))
      terms.left.push_back({number, contacts_left(rule, question)});
  }
  return terms;
}

// So many rejects, or acceptances, within the rolling window; from the last of them on.
Instant ContactRules::suppressed_until(const ContactRule& rule, const Question& question) const {
  const std::uint8_t made = rule.cause == Cause::kReject ? kWasRejected : kWasAccepted;
  const auto needed = static_cast<std::size_t>(std::max(rule.threshold, 1));
  const int days = rule.suppress_days ? rule.suppress_days : std::max(rule.rolling_days, 1);
  std::vector<Instant> times;
  question.each_contact(rule, [&](const PastContact& contact) {
    if (contact.made & made) times.push_back(contact.at_us);
  });
  Instant until_us = 0;
  for (std::size_t at = needed - 1; at < times.size(); ++at) {
    const Instant span_us = times[at] - times[at - needed + 1];
    if (rule.rolling_days == 0 || span_us <= rule.rolling_days * core::kDay) until_us = times[at] + days * core::kDay;
  }
  return until_us > question.now_us ? until_us : 0;
}

// A hit whose `why` is kNone is none.
Hit ContactRules::ask(int number, const Question& question) const {
  const ContactRule& rule = rules_[static_cast<std::size_t>(number)];
  const core::Calendar& calendar = *question.party.calendar;
  Hit hit{number, Why::kNone, kNever};
  switch (rule.cause) {
    case Cause::kContacts:
      hit.until_us = counted_until(rule, question);
      if (hit.until_us == 0) return {};
      break;
    case Cause::kReject:
    case Cause::kAccept:
      hit.until_us = suppressed_until(rule, question);
      if (hit.until_us == 0) return {};
      break;
    case Cause::kOverdue:
      if (!question.party.is_overdue) return {};
      break;
    case Cause::kConsentAbsent:
      if (has_consent(question.subject, question.party, question.today)) return {};
      break;
    default: {
      const int made = rule.cause == Cause::kDoNotCall   ? kWasDoNotCall
                       : rule.cause == Cause::kComplaint ? kWasComplaint
                                                         : 0;
      const LastWord last = last_word(mark_of(rule.cause), made, question.party);
      if (!last.is_active || question.today > last.valid_to) return {};
      if (last.valid_to != kOpenEnd) hit.until_us = calendar.start_of_day(last.valid_to + 1);
      if (rule.effect == Effect::kSuppress)
        hit.until_us = std::min(hit.until_us, last.since_us + rule.suppress_days * core::kDay);
      if (hit.until_us <= question.now_us) return {};
    }
  }
  hit.why = why_of(rule);
  return hit;
}

Making ContactRules::making(const Subject& subject, const Party& party, std::span<const Subject> subjects,
                            Instant now_us, bool is_standing) const {
  Making making;
  const Question question{subject, party, subjects, now_us, party.calendar->day_of(now_us)};
  for (const int number : order_) {
    const ContactRule& rule = rules_[static_cast<std::size_t>(number)];
    if (!concerns(rule, subject, question.today)) continue;
    const bool is_soft = rule.effect == Effect::kDownWeight;
    if (!is_soft && is_standing && rule.cause == Cause::kContacts) continue;
    const Hit hit = ask(number, question);
    if (hit.why == Why::kNone) continue;
    if (!is_soft) return {hit, 100};
    making.weight_percent = making.weight_percent * rule.weight_percent / 100;
  }
  return making;
}

ContactVerdict ContactRules::check(const Subject& subject, const Party& party, std::span<const Subject> subjects,
                                   Instant now_us) const {
  ContactVerdict verdict;
  if (!has_rules_) return verdict;
  const Question question{subject, party, subjects, now_us, party.calendar->day_of(now_us)};
  const auto ask_all = [&](Source source) {
    for (const int number : order_) {
      const ContactRule& rule = rules_[static_cast<std::size_t>(number)];
      if (rule.source != source || !concerns(rule, subject, question.today)) continue;
      const Hit hit = ask(number, question);
      if (hit.why == Why::kNone) continue;
      if (rule.effect == Effect::kDownWeight)
        verdict.weight_percent = verdict.weight_percent * rule.weight_percent / 100;
      else
        verdict.hits.push_back(hit);
    }
  };
  ask_all(Source::kLaw);
  if (const Hit hit = hours(question); hit.why != Why::kNone) verdict.hits.push_back(hit);
  const auto own = std::find(precedence_.begin(), precedence_.end(), subject.purpose);
  const bool is_outranked = own != precedence_.end() && std::any_of(precedence_.begin(), own, [&](Purpose before) {
                              return party.standing[static_cast<std::size_t>(before)] > 0;
                            });
  if (is_outranked) verdict.hits.push_back({kPrecedenceHit, Why::kSuppressed, kNever});
  for (const PastContact& contact : party.contacts)
    if (contact.key < 0 && subjects[contact.subject].purpose != subject.purpose) {
      verdict.hits.push_back({kLeasedHit, Why::kCap, kNever});
      break;
    }
  ask_all(Source::kBank);
  ask_all(Source::kBusiness);
  return verdict;
}

}  // namespace tellerd::decide
