// Each rule of the default pack's contact policy, with cases on both sides of its edge. Local times are written as the
// zone's people would; the instants come from the library of time zones, not from the calendar under test.
#define USE_OS_TZDB 1
#include <date/tz.h>
#include <doctest/doctest.h>

#include <cstdio>
#include <string>
#include <utility>

#include "core/assert.h"
#include "decide/contact_book.h"

using namespace tellerd;
using namespace tellerd::decide;
using core::Instant;

namespace {

enum Template : std::size_t { kCall, kMessage, kCollectionCall, kCollectionMessage, kCard, kOther, kService };

// "2026-03-02 10:00" of that zone.
Instant at(const std::string& local, const std::string& zone = "Europe/Moscow") {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0;
  TELLERD_ASSERT(std::sscanf(local.c_str(), "%d-%d-%d %d:%d", &year, &month, &day, &hour, &minute) == 5);
  const auto time =
      date::local_days(date::year(year) / month / day) + std::chrono::hours(hour) + std::chrono::minutes(minute);
  const auto instant = date::locate_zone(zone)->to_sys(time, date::choose::earliest);
  return std::chrono::duration_cast<std::chrono::seconds>(instant.time_since_epoch()).count() * core::kSecond;
}

struct Person {
  Person() {
    static const Pack pack = parse_pack(read_pack_files("default"));
    book.set_branch_zone("Europe/Moscow");
    book.set_rules(pack.contact, pack.holidays);
    book.know(kCall, Purpose::kMarketing, Channel::kCall, Credit::kNone, "deposit", "savings", "grow");
    book.know(kMessage, Purpose::kMarketing, Channel::kMessage, Credit::kNone, "deposit", "savings", "grow");
    book.know(kCollectionCall, Purpose::kCollection, Channel::kCall, Credit::kNone, "overdue_call", "", "");
    book.know(kCollectionMessage, Purpose::kCollection, Channel::kMessage, Credit::kNone, "overdue_notice", "", "");
    book.know(kCard, Purpose::kMarketing, Channel::kCall, Credit::kUnsecured, "card", "credit", "grow");
    book.know(kOther, Purpose::kMarketing, Channel::kCall, Credit::kNone, "account", "savings", "grow");
    book.know(kService, Purpose::kService, Channel::kCall, Credit::kNone, "new_card_ready", "", "");
  }
  Person& consents(bool is_granted = true, const char* evidence = "form", const char* valid_to = "",
                   Instant since_us = 0, const char* channel = "all") {
    const wire::Consent consent{"marketing", channel, is_granted, evidence, valid_to};
    book.put(1, *mark_of(consent, since_us, ++seq));
    return *this;
  }
  Person& restricted(const char* type, Instant since_us = 0, bool is_active = true, const char* valid_to = "") {
    book.put(1, *mark_of(wire::Restriction{type, is_active, "", valid_to}, since_us, ++seq));
    return *this;
  }
  Person& told(const char* code, Instant at_us, std::size_t about = kCall) {
    book.put(1, PastContact{at_us, ++seq, static_cast<std::uint16_t>(about),
                            made_by(*find_outcome_code(code), book.subject(about).channel)});
    return *this;
  }
  // The id of the first rule that blocks, "" when none does.
  std::string blocked(std::size_t about, Instant now_us) {
    last = book.check(1, about, now_us);
    return last.hits.empty() ? "" : std::string(book.rules().name_of(last.hits.front()));
  }
  ContactBook book;
  ContactVerdict last;
  std::int64_t seq = 0;
};

const Instant kNoon = at("2026-03-04 12:00");  // a Wednesday
const Instant kDayLater = kNoon + core::kDay;

}  // namespace

TEST_SUITE("decide.contact_rules") {
  TEST_CASE("marketing needs a consent that holds, with its evidence") {
    CHECK(Person().blocked(kCall, kNoon) == "law-no-consent");
    CHECK(Person().last.why() == Why::kNone);
    CHECK(Person().consents().blocked(kCall, kNoon) == "");
    CHECK(Person().consents(true, "").blocked(kCall, kNoon) == "law-no-consent");
    CHECK(Person().consents(false).blocked(kCall, kNoon) == "law-no-consent");
    CHECK(Person().consents(true, "form", "2026-03-04").blocked(kCall, kNoon) == "");
    CHECK(Person().consents(true, "form", "2026-03-03").blocked(kCall, kNoon) == "law-no-consent");
    CHECK(Person().consents(true, "form", "", 0, "sms").blocked(kCall, kNoon) == "law-no-consent");
    CHECK(Person().consents(true, "form", "", 0, "sms").blocked(kMessage, kNoon) == "");
    CHECK(Person().blocked(kCollectionCall, kNoon) == "");
    CHECK(Person().blocked(kService, kNoon) == "");
  }

  TEST_CASE("a consent that an agent was told is revoked is, until another is given") {
    CHECK(Person().consents().told("CONSENT_REVOKED", kNoon - 70 * core::kDay).blocked(kCall, kNoon) ==
          "law-no-consent");
    Person again;
    again.told("CONSENT_REVOKED", kNoon - 70 * core::kDay);
    CHECK(again.consents(true, "form", "", kNoon - 69 * core::kDay).blocked(kCall, kNoon) == "");
    CHECK(Person().consents().consents(false, "letter", "", 5, "call").blocked(kCall, kNoon) == "law-no-consent");
  }

  TEST_CASE("do not call: by a restriction or an agent's word, for marketing alone, until it is lifted") {
    CHECK(Person().consents().restricted("do_not_call").blocked(kCall, kNoon) == "law-do-not-call");
    CHECK(Person().consents().restricted("do_not_call").blocked(kCollectionCall, kNoon) == "");
    CHECK(Person().consents().told("DO_NOT_CALL", kNoon - 70 * core::kDay).blocked(kCall, kNoon) == "law-do-not-call");
    Person lifted;
    lifted.consents().told("DO_NOT_CALL", kNoon - 70 * core::kDay);
    CHECK(lifted.restricted("do_not_call", kNoon - core::kDay, false).blocked(kCall, kNoon) == "");
    Person ends;
    ends.consents().restricted("do_not_call", 0, true, "2026-03-04");
    CHECK(ends.blocked(kCall, kNoon) == "law-do-not-call");
    CHECK(ends.last.open_us() == at("2026-03-05 00:00"));
    CHECK(ends.blocked(kCall, kDayLater) == "");
  }

  TEST_CASE("the dead, the bankrupt and who has a representative are not contacted at all") {
    for (const char* type : {"deceased", "bankruptcy", "representative"})
      for (const std::size_t about : {kCall, kCollectionCall, kCollectionMessage, kService}) {
        CAPTURE(type);
        Person one;
        one.consents().restricted(type);
        CHECK(one.blocked(about, kNoon) != "");
        CHECK(one.last.open_us() == core::kNever);
      }
  }

  TEST_CASE("a self-ban stops unsecured credit and nothing else") {
    CHECK(Person().consents().restricted("self_ban").blocked(kCard, kNoon) == "law-credit-self-ban");
    CHECK(Person().consents().restricted("self_ban").blocked(kCall, kNoon) == "");
  }

  TEST_CASE("each restriction of the law holds through its last day, not after it, and not once it is lifted") {
    const std::pair<const char*, std::size_t> kinds[] = {
        {"do_not_call", kCall}, {"deceased", kCall},       {"bankruptcy", kService},
        {"self_ban", kCard},    {"representative", kCall}, {"representative", kCollectionMessage}};
    for (const auto& [type, about] : kinds) {
      const auto which = type;
      CAPTURE(which);
      Person ends;
      ends.consents().restricted(type, kNoon - core::kDay, true, "2026-03-04");
      CHECK(ends.blocked(about, at("2026-03-04 19:59")).starts_with("law-"));
      CHECK(ends.last.open_us() == at("2026-03-05 00:00"));
      CHECK(ends.blocked(about, at("2026-03-05 12:00")) == "");
      Person lifted;
      lifted.consents().restricted(type, kNoon - core::kDay);
      CHECK(lifted.blocked(about, kNoon).starts_with("law-"));
      lifted.restricted(type, kNoon - 1, false);
      CHECK(lifted.blocked(about, kNoon) == "");
      Person again;  // of two words at one moment the strict one counts, whichever came first
      again.consents().restricted(type, kNoon - 1, false).restricted(type, kNoon - 1, true);
      CHECK(again.blocked(about, kNoon).starts_with("law-"));
    }
  }

  TEST_CASE("any overdue day: no marketing of credit") {
    Person late;
    late.consents();
    CHECK(late.book.set_overdue(1, true));
    CHECK(late.blocked(kCard, kNoon) == "bank-overdue-no-credit");
    CHECK(late.blocked(kCall, kNoon) == "");
    CHECK_FALSE(late.book.set_overdue(1, true));
    late.book.set_overdue(1, false);
    CHECK(late.blocked(kCard, kNoon) == "");
  }

  TEST_CASE("a complaint holds all marketing for thirty days") {
    const Instant complained = kNoon - 30 * core::kDay;
    CHECK(Person().consents().restricted("complaint", complained + 1).blocked(kCall, kNoon) == "bank-complaint-hold");
    CHECK(Person().consents().restricted("complaint", complained).blocked(kCall, kNoon) == "");
    CHECK(Person().consents().told("COMPLAINT", complained + 1).blocked(kMessage, kNoon) == "bank-complaint-hold");
    CHECK(Person().consents().told("COMPLAINT", complained).blocked(kMessage, kNoon) == "");
    CHECK(Person().consents().restricted("complaint", complained + 1).blocked(kCollectionCall, kNoon) == "");
  }

  TEST_CASE("hours of collection and marketing, on work days, weekends and holidays") {
    struct Case {
      std::size_t about;
      const char* first;  // minute that is open
      const char* last;   // that is open as well
    };
    const Case cases[] = {{kCollectionCall, "2026-03-04 08:00", "2026-03-04 21:59"},
                          {kCollectionCall, "2026-03-07 09:00", "2026-03-07 19:59"},
                          {kCollectionCall, "2026-05-01 09:00", "2026-05-01 19:59"},
                          {kCall, "2026-03-04 09:00", "2026-03-04 19:59"},
                          {kCall, "2026-03-07 10:00", "2026-03-07 17:59"},
                          {kCall, "2026-05-01 10:00", "2026-05-01 17:59"},
                          {kService, "2026-03-04 09:00", "2026-03-04 19:59"}};
    for (const Case& one : cases) {
      CAPTURE(one.first);
      Person person;
      person.consents();
      CHECK(person.blocked(one.about, at(one.first)) == "");
      CHECK(person.blocked(one.about, at(one.first) - core::kMinute) == "hours");
      CHECK(person.last.open_us() == at(one.first));
      CHECK(person.blocked(one.about, at(one.last)) == "");
      CHECK(person.blocked(one.about, at(one.last) + core::kMinute) == "hours");
    }
  }

  TEST_CASE("hours are the customer's own, also on the days that its clocks are changed") {
    Person berlin;
    berlin.consents();
    berlin.book.set_zone(1, "Europe/Berlin");
    for (const char* day : {"2026-03-29", "2026-10-25"}) {  // Sundays: 23 hours and 25
      CAPTURE(day);
      const Instant opens = at(std::string(day) + " 10:00", "Europe/Berlin");
      CHECK(berlin.blocked(kCall, opens) == "");
      CHECK(berlin.blocked(kCall, opens - 1) == "hours");
      CHECK(berlin.last.open_us() == opens);
      CHECK(berlin.blocked(kCall, at(std::string(day) + " 17:59", "Europe/Berlin")) == "");
      CHECK(berlin.blocked(kCall, at(std::string(day) + " 18:00", "Europe/Berlin")) == "hours");
    }
    Person kamchatka;
    kamchatka.consents();
    kamchatka.book.set_zone(1, "Asia/Kamchatka");
    CHECK(kamchatka.blocked(kCall, kNoon) == "hours");
    kamchatka.book.set_zone(1, "Mars/Olympus");
    CHECK(kamchatka.blocked(kCall, kNoon) == "");
  }

  TEST_CASE("collection: one conversation a day, by the calendar and by twenty-four hours") {
    CHECK(Person().told("PROMISE_TO_PAY", kNoon, kCollectionCall).blocked(kCollectionCall, kNoon + core::kHour) ==
          "law-collection-calls-day");
    Person evening;
    evening.told("PROMISE_TO_PAY", at("2026-03-03 18:00"), kCollectionCall);
    CHECK(evening.blocked(kCollectionCall, at("2026-03-04 17:59")) == "law-collection-calls-day");
    CHECK(evening.last.open_us() == at("2026-03-04 18:00"));
    CHECK(evening.blocked(kCollectionCall, at("2026-03-04 18:00")) == "");
    Person early;  // the calendar is the stricter one where a day has 25 hours
    early.book.set_zone(1, "Europe/Berlin");
    early.told("PROMISE_TO_PAY", at("2026-10-25 00:30", "Europe/Berlin"), kCollectionCall);
    CHECK(early.last.open_us() == 0);
    CHECK(early.blocked(kCollectionCall, at("2026-10-25 19:59", "Europe/Berlin")) == "law-collection-calls-day");
    CHECK(early.last.open_us() == at("2026-10-26 00:00", "Europe/Berlin"));
  }

  TEST_CASE("collection: two conversations a week, eight a month") {
    Person week;
    week.told("PROMISE_TO_PAY", at("2026-03-02 12:00"), kCollectionCall);
    CHECK(week.blocked(kCollectionCall, at("2026-03-03 12:00")) == "");
    week.told("PROMISE_TO_PAY", at("2026-03-03 12:00"), kCollectionCall);
    CHECK(week.blocked(kCollectionCall, at("2026-03-08 19:59")) == "law-collection-calls-week");
    CHECK(week.blocked(kCollectionCall, at("2026-03-09 11:59")) == "law-collection-calls-week");  // seven days
    CHECK(week.last.open_us() == at("2026-03-09 12:00"));
    CHECK(week.blocked(kCollectionCall, at("2026-03-09 12:00")) == "");
    Person month;
    for (int count = 0; count < 7; ++count)
      month.told("PROMISE_TO_PAY", at("2026-03-01 12:00") + count * 84 * core::kHour, kCollectionCall);
    CHECK(month.blocked(kCollectionCall, at("2026-03-30 12:00")) == "");
    month.told("PROMISE_TO_PAY", at("2026-03-25 15:00"), kCollectionCall);
    CHECK(month.blocked(kCollectionCall, at("2026-03-31 14:59")) == "law-collection-calls-month");
    CHECK(month.blocked(kCollectionCall, at("2026-04-01 12:00")) == "");
    Person rolling;  // the month is new, the thirty days are not over
    for (int count = 0; count < 8; ++count)
      rolling.told("PROMISE_TO_PAY", at("2026-03-05 12:00") + count * 84 * core::kHour, kCollectionCall);
    CHECK(rolling.blocked(kCollectionCall, at("2026-04-04 11:59")) == "law-collection-calls-month");
    CHECK(rolling.last.open_us() == at("2026-04-04 12:00"));
    CHECK(rolling.blocked(kCollectionCall, at("2026-04-04 12:00")) == "");
  }

  TEST_CASE("collection: attempts are no conversations, and messages have counts of their own") {
    Person tried;
    for (int count = 0; count < 5; ++count) tried.told("NO_ANSWER", kNoon - count * core::kMinute, kCollectionCall);
    CHECK(tried.blocked(kCollectionCall, kNoon) == "");
    Person written;
    written.told("NO_ANSWER", kNoon, kCollectionMessage);
    CHECK(written.blocked(kCollectionMessage, kNoon) == "");
    written.told("NO_ANSWER", kNoon, kCollectionMessage);
    CHECK(written.blocked(kCollectionMessage, kNoon) == "law-collection-messages-day");
    CHECK(written.blocked(kCollectionCall, kNoon) == "");
    for (int count = 1; count < 3; ++count) written.told("NO_ANSWER", kNoon - count * core::kDay, kCollectionMessage);
    CHECK(written.blocked(kCollectionMessage, at("2026-03-08 12:00")) == "law-collection-messages-week");
    CHECK(written.blocked(kCollectionMessage, at("2026-03-09 11:59")) == "law-collection-messages-week");
    CHECK(written.blocked(kCollectionMessage, at("2026-03-09 12:00")) == "");
    Person month;
    for (int count = 0; count < 15; ++count)
      month.told("NO_ANSWER", at("2026-03-02 12:00") + count * 45 * core::kHour, kCollectionMessage);
    CHECK(month.blocked(kCollectionMessage, at("2026-03-31 13:00")) == "");
    month.told("NO_ANSWER", at("2026-03-10 15:00"), kCollectionMessage);
    CHECK(month.blocked(kCollectionMessage, at("2026-03-31 13:00")) == "law-collection-messages-month");
    CHECK(month.blocked(kCollectionMessage, at("2026-04-01 12:00")) == "");
  }

  TEST_CASE("marketing: one call in fourteen days, four contacts a month over all channels") {
    Person called;
    called.consents().told("NO_ANSWER", kNoon);
    CHECK(called.blocked(kCall, kNoon + 14 * core::kDay - 1) == "business-one-call-in-14-days");
    CHECK(called.last.open_us() == kNoon + 14 * core::kDay);
    CHECK(called.blocked(kCall, kNoon + 14 * core::kDay) == "");
    CHECK(called.blocked(kMessage, kNoon) == "");
    CHECK(called.blocked(kCollectionCall, kNoon) == "");
    for (int count = 0; count < 3; ++count) called.told("NO_ANSWER", kNoon, kMessage);
    CHECK(called.blocked(kMessage, at("2026-03-31 19:59")) == "business-four-contacts-a-month");
    CHECK(called.last.open_us() == at("2026-04-01 00:00"));
    CHECK(called.blocked(kMessage, at("2026-04-01 09:00")) == "");
  }

  TEST_CASE("a reject suppresses its action for sixty days, two in its group the group for ninety") {
    Person rejected;
    rejected.consents().told("PRICE", kNoon);
    CHECK(rejected.blocked(kCall, kNoon + 60 * core::kDay - 1) == "business-rejected-action");
    CHECK(rejected.blocked(kCall, kNoon + 60 * core::kDay) == "");
    CHECK(rejected.blocked(kOther, kNoon + 20 * core::kDay) == "");
    rejected.told("NOT_INTERESTED", kNoon + 90 * core::kDay);
    CHECK(rejected.blocked(kOther, kNoon + 120 * core::kDay) == "business-rejected-group");
    CHECK(rejected.blocked(kOther, kNoon + 180 * core::kDay - 1) == "business-rejected-group");
    CHECK(rejected.blocked(kOther, kNoon + 180 * core::kDay) == "");
    CHECK(rejected.blocked(kCard, kNoon + 120 * core::kDay) == "");
    Person apart;  // ninety days and a moment lie between the two
    apart.consents().told("PRICE", kNoon).told("PRICE", kNoon + 90 * core::kDay + 1);
    CHECK(apart.blocked(kOther, kNoon + 120 * core::kDay) == "");
    CHECK(Person().consents().told("NOT_NOW", kNoon).blocked(kCall, kNoon + 14 * core::kDay) == "");
  }

  TEST_CASE("an acceptance suppresses its group for one hundred and eighty days") {
    Person accepted;
    accepted.consents().told("ACCEPTED", kNoon);
    CHECK(accepted.blocked(kOther, kNoon + 180 * core::kDay - 1) == "business-accepted-group");
    CHECK(accepted.blocked(kOther, kNoon + 180 * core::kDay) == "");
    CHECK(accepted.blocked(kCard, kNoon + 14 * core::kDay) == "");
  }

  TEST_CASE("collection outranks marketing, and one contact has one purpose") {
    Person owes;
    owes.consents();
    owes.book.stand(1, kCollectionCall, 1);
    CHECK(owes.blocked(kCall, kNoon) == "precedence");
    CHECK(owes.blocked(kCollectionCall, kNoon) == "");
    CHECK(owes.blocked(kService, kNoon) == "");
    owes.book.stand(1, kCollectionCall, -1);
    CHECK(owes.blocked(kCall, kNoon) == "");
    owes.book.put(1, PastContact{kNoon, -7, kService, made_by_lease(Channel::kCall)});
    CHECK(owes.blocked(kCall, kNoon) == "one-purpose");
    owes.book.take_contact(1, -7);
    CHECK(owes.blocked(kCall, kNoon) == "");
  }

  TEST_CASE("the first hard block wins, and all that apply are told") {
    Person much;
    much.restricted("do_not_call").told("ACCEPTED", kNoon);
    CHECK(much.blocked(kCall, at("2026-03-04 23:00")) == "law-do-not-call");
    std::vector<std::string> hits;
    for (const Hit& hit : much.last.hits) hits.emplace_back(much.book.rules().name_of(hit));
    CHECK(hits == std::vector<std::string>{"law-do-not-call", "law-no-consent", "hours", "business-one-call-in-14-days",
                                           "business-accepted-group"});
    CHECK(much.last.why() == Why::kDoNotCall);
  }

  TEST_CASE("the keys of one customer are one person") {
    Person joined;
    joined.consents();
    joined.book.put(2, PastContact{kNoon, 99, kOther, made_by(*find_outcome_code("NOT_NOW"), Channel::kCall)});
    CHECK(joined.blocked(kCall, kNoon) == "");
    joined.book.join(1, {1, 2});
    CHECK(joined.blocked(kCall, kNoon) == "business-one-call-in-14-days");
    joined.book.join(1, {1});
    joined.book.join(2, {2});
    CHECK(joined.blocked(kCall, kNoon) == "");
  }

  TEST_CASE("a rule holds from its first to its last day, and a soft one only weighs down") {
    PackFiles files = read_pack_files("default");
    files["contact.toml"] +=
        "\n[[rule]]\nid = \"quiet-week\"\nsource = \"BUSINESS\"\npurpose = \"marketing\"\nscope = \"issue\"\nchannel = "
        "\"all\"\ncause = \"overdue\"\neffect = \"down_weight\"\nweight_percent = 40\nvalid_from = "
        "\"2026-03-04\"\nvalid_to = \"2026-03-05\"\n";
    const Pack pack = parse_pack(files);
    Person person;
    person.book.set_rules(pack.contact, pack.holidays);
    person.consents();
    person.book.set_overdue(1, true);
    for (const auto& [day, weight] :
         {std::pair{"2026-03-03", 100}, {"2026-03-04", 40}, {"2026-03-05", 40}, {"2026-03-06", 100}}) {
      CHECK(person.blocked(kCall, at(std::string(day) + " 12:00")) == "");
      CHECK(person.last.weight_percent == weight);
    }
  }

  TEST_CASE("the terms of a contact: the consent it rests on, the hours of the day, and what the rules leave") {
    Person person;
    person.consents().consents(true, "form", "", kNoon - core::kDay, "call");  // records 1 and 2
    const auto left = [&](std::size_t about, Instant now_us) {
      std::string text;
      for (const auto& [rule, contacts] : person.book.terms(1, about, now_us).left)
        text += std::string(person.book.rules().name_of(Hit{rule})) + ":" + std::to_string(contacts) + " ";
      return text;
    };
    CHECK(person.book.terms(1, kCall, kNoon).consent_seq == 2);     // the later word, for calls
    CHECK(person.book.terms(1, kMessage, kNoon).consent_seq == 1);  // which says nothing of messages
    CHECK(Person().book.terms(1, kCall, kNoon).consent_seq == 0);
    CHECK(left(kCall, kNoon) == "business-one-call-in-14-days:1 business-four-contacts-a-month:4 ");
    person.told("NO_ANSWER", kNoon - 20 * core::kDay);  // a call of February, longer ago than a fortnight
    CHECK(left(kCall, kNoon) == "business-one-call-in-14-days:1 business-four-contacts-a-month:4 ");
    person.told("NO_ANSWER", kNoon - 2 * core::kDay, kMessage);  // a contact of March, and no call
    CHECK(left(kCall, kNoon) == "business-one-call-in-14-days:1 business-four-contacts-a-month:3 ");
    person.told("NOT_NOW", kNoon - core::kDay, kOther);
    CHECK(left(kCall, kNoon) == "business-one-call-in-14-days:0 business-four-contacts-a-month:2 ");
    CHECK(left(kCall, at("2026-04-01 12:00")) == "business-one-call-in-14-days:1 business-four-contacts-a-month:4 ");
    CHECK(left(kCollectionCall, kNoon) ==
          "law-collection-calls-day:1 law-collection-calls-week:2 law-collection-calls-month:8 ");

    const auto open = [&](const char* now) {
      const auto terms = person.book.terms(1, kCall, at(now));
      return std::pair{terms.open_from_us, terms.open_until_us};
    };
    CHECK(open("2026-03-04 12:00") == std::pair{at("2026-03-04 09:00"), at("2026-03-04 20:00")});
    CHECK(open("2026-03-04 21:00") == std::pair{at("2026-03-05 09:00"), at("2026-03-05 20:00")});
    CHECK(open("2026-03-06 21:00") == std::pair{at("2026-03-07 10:00"), at("2026-03-07 18:00")});  // a Saturday
  }
}
