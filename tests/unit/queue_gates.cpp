// What stands between a ready offer and a desk: skills, the contact policy, a day's leases, room in the queue.
#include <doctest/doctest.h>

#include "support/queue_desk.h"

using namespace tellerd;
using namespace tellerd::deliver;
using tellerd::tests::HandBook;

namespace {

constexpr OfferKind kMarketingCall = 3, kCollectionCall = 40, kSkilled = 41;
constexpr core::Instant kNoon = 1'772'625'600 * core::kSecond;  // 2026-03-04 12:00 UTC, a Wednesday

// Under the default pack, in UTC; customer 1 has consented, customer 2 has not.
struct RuledBook : HandBook {
  RuledBook() {
    static const decide::Pack pack = decide::parse_pack(decide::read_pack_files("default"));
    contacts().set_rules(pack.contact, pack.holidays);
    contacts().know(kCollectionCall, decide::Purpose::kCollection, decide::Channel::kCall, decide::Credit::kNone, "c",
                    "", "");
    know(kCollectionCall, {0, 1, {}});
    contacts().know(kSkilled, decide::Purpose::kService, decide::Channel::kCall, decide::Credit::kNone, "s", "", "");
    know(kSkilled, {0, 3, {"english", "loans"}});
    consent(1);
  }
  void consent(std::uint32_t customer) {
    contacts().put(customer, *decide::mark_of(wire::Consent{"marketing", "all", true, "form", ""}, 0, customer));
  }
  std::size_t pull_at(core::Instant at_us, const std::string& client, std::vector<std::int64_t> numbers) {
    GrantRecord record{asker(client), 120'000, {}};
    std::vector<Item> granted;
    for (const std::int64_t number : numbers) {
      const auto* known = find_id(id_of(number));
      const std::uint32_t customer = ready().find(number)->customer;
      record.offers.push_back({number, customer, (known ? known->epoch : 0) + 1});
      if (!may_grant(record, record.offers.back())) continue;
      Item item;
      item.number = number;
      item.offer_id = id_of(number);
      item.customer = customer;
      item.granted_us = at_us;
      granted.push_back(item);
    }
    grant(record, granted);
    const auto* answer = answer_to(record.asker);
    return answer ? answer->granted.size() : 0;
  }
  // The numbers that a desk is shown, in order.
  std::vector<std::int64_t> shown(const std::string& who) {
    std::vector<std::int64_t> numbers;
    each_ready(0, client(client_number(who)), [&](std::int64_t number, const ReadyIndex::Slot&) {
      numbers.push_back(number);
      return true;
    });
    return numbers;
  }
};

using Numbers = std::vector<std::int64_t>;

}  // namespace

TEST_SUITE("deliver.queue_gates") {
  TEST_CASE("a lease reserves the contact in the same step, and gives it back") {
    RuledBook book;
    book.hello("a");
    book.open(1, 1, kMarketingCall, false);
    book.open(2, 1, kMarketingCall, false);
    CHECK(book.pull_at(kNoon, "a", {1, 2}) == 1);
    CHECK(book.parked(0, Blocked::kCap) == 1);
    CHECK(book.pull_at(kNoon + core::kDay, "a", {2}) == 0);
    CHECK(book.lease("a", LeaseVerb::kRelease, 1, 1) == QueueCode::kOk);
    CHECK(book.take_freed() == std::vector<std::uint32_t>{1});
    book.unpark(2);
    CHECK(book.shown("a") == Numbers{1, 2});
    CHECK(book.pull_at(kNoon, "a", {2}) == 1);
  }

  TEST_CASE("failing, snoozing, burying and the lease's end give it back, an outcome does not by itself") {
    for (const LeaseVerb verb : {LeaseVerb::kFail, LeaseVerb::kSnooze, LeaseVerb::kBury}) {
      RuledBook book;
      book.hello("a");
      book.open(1, 1, kMarketingCall, false);
      book.pull_at(kNoon, "a", {1});
      CHECK_FALSE(book.contacts().check(1, kMarketingCall, kNoon).may_contact());
      CHECK(book.lease("a", verb, 1, 1) == QueueCode::kOk);
      CHECK(book.contacts().check(1, kMarketingCall, kNoon).may_contact());
    }
    RuledBook book;
    book.hello("a");
    book.open(1, 1, kMarketingCall, false);
    book.pull_at(kNoon, "a", {1});
    book.apply(TimerRecord{1, 1, Timer::kLease});
    CHECK(book.contacts().check(1, kMarketingCall, kNoon).may_contact());
  }

  TEST_CASE("what is parked opens at its time, and by whoever changes its ground") {
    RuledBook book;
    book.hello("a");
    book.open(1, 1, kMarketingCall, false);
    book.open(2, 2, kMarketingCall, false);
    const core::Instant night = kNoon + 10 * core::kHour, morning = kNoon + 21 * core::kHour;
    for (const std::int64_t number : {1, 2}) book.park(number, book.gate(number, night));
    CHECK(book.shown("a") == Numbers{});
    CHECK(book.parked(0, Blocked::kWindow) == 1);
    CHECK(book.parked(0, Blocked::kConsent) == 1);
    CHECK(book.next_open_us(0, night) == morning);
    CHECK(book.unpark_due(morning - 1, 100));
    CHECK(book.shown("a") == Numbers{});
    CHECK(book.unpark_due(morning, 100));
    CHECK(book.shown("a") == Numbers{1});
    CHECK(book.next_open_us(0, morning) == core::kNever);
    book.consent(2);
    book.unpark(2);
    CHECK(book.gate(2, morning).why == Blocked::kNone);
    CHECK(book.shown("a") == Numbers{1, 2});
  }

  TEST_CASE("so many are let go at once, the rest with the next call") {
    RuledBook book;
    book.hello("a");
    const core::Instant night = kNoon + 10 * core::kHour;
    for (std::int64_t number = 1; number <= 10; ++number) {
      book.open(number, 1, kMarketingCall, false);
      book.park(number, book.gate(number, night));
    }
    CHECK_FALSE(book.unpark_due(night + core::kDay, 4));
    CHECK(book.shown("a").size() == 4);
    CHECK(book.unpark_due(night + core::kDay, 100));
    CHECK(book.shown("a").size() == 10);
  }

  TEST_CASE("who ends while it is parked is counted no more") {
    RuledBook book;
    book.open(1, 2, kMarketingCall, false);
    book.park(1, book.gate(1, kNoon));
    CHECK(book.ready_count(0) == 1);
    book.close(1, "EXPIRED");
    CHECK(book.parked(0, Blocked::kConsent) == 0);
    CHECK(book.ready_count(0) == 0);
  }

  TEST_CASE("collection that stands holds marketing back until it is done") {
    RuledBook book;
    book.hello("a");
    book.open(1, 1, kMarketingCall, false);
    book.open(2, 1, kCollectionCall, false);
    CHECK(book.gate(1, kNoon).why == Blocked::kSuppressed);
    CHECK(book.pull_at(kNoon, "a", {2}) == 1);
    CHECK(book.dispose("a", 2, 1, "PROMISE_TO_PAY").code == QueueCode::kOk);
    CHECK(book.gate(1, kNoon).why == Blocked::kNone);
  }

  TEST_CASE("an offer that needs skills goes to a desk that has them all") {
    RuledBook book;
    book.apply(SessionRecord{"half", "1", {"english"}});
    book.apply(SessionRecord{"whole", "1", {"loans", "english", "tango"}});
    book.open(1, 1, kSkilled, false);
    book.open(2, 1, kMarketingCall, false);
    CHECK(book.shown("half") == Numbers{2});
    CHECK(book.unskilled(0, book.client(book.client_number("half"))) == 1);
    CHECK(book.shown("whole") == Numbers{1, 2});
    CHECK(book.pull_at(kNoon, "half", {1}) == 0);
    CHECK(book.pull_at(kNoon, "whole", {1}) == 1);
  }

  TEST_CASE("lanes of one priority are one line, first in first out") {
    RuledBook book;
    book.apply(SessionRecord{"whole", "1", {"loans", "english"}});
    for (std::int64_t number = 1; number <= 6; ++number)
      book.open(number, 1, number % 2 ? kSkilled : kMarketingCall, false);
    book.open(7, 1, kCollectionCall, false);
    CHECK(book.shown("whole") == Numbers{7, 1, 2, 3, 4, 5, 6});
  }

  TEST_CASE("a queue gives so many leases a day, counted anew each day, and those given back are given again") {
    RuledBook book;
    book.hello("a");
    book.set_bounds(0, 2, 0);
    for (std::int64_t number = 1; number <= 4; ++number) {
      book.consent(static_cast<std::uint32_t>(number));
      book.open(number, static_cast<std::uint32_t>(number), kMarketingCall, false);
    }
    CHECK(book.pull_at(kNoon, "a", {1, 2, 3}) == 2);
    CHECK(book.gate(3, kNoon).why == Blocked::kCapacity);
    CHECK(book.gate(3, kNoon).open_us == kNoon + 12 * core::kHour);
    CHECK(book.dispose("a", 1, 1, "NO_ANSWER").code == QueueCode::kOk);
    CHECK(book.gate(3, kNoon).why == Blocked::kCapacity);
    CHECK(book.lease("a", LeaseVerb::kRelease, 2, 1) == QueueCode::kOk);
    CHECK(book.gate(3, kNoon).why == Blocked::kNone);
    CHECK(book.pull_at(kNoon, "a", {3}) == 1);
    CHECK(book.pull_at(kNoon + core::kDay, "a", {2, 4}) == 2);
    CHECK(book.lease("a", LeaseVerb::kRelease, 3, 1) == QueueCode::kOk);  // yesterday's
    CHECK(book.gate(3, kNoon + core::kDay).why == Blocked::kCapacity);
  }

  TEST_CASE("into a full queue a higher priority comes in place of the newest of the lowest, parked or not") {
    RuledBook book;
    book.hello("a");
    book.set_bounds(0, 0, 3);
    book.open(1, 1, 5, false);
    book.open(2, 1, 6, false);
    CHECK(book.displaced_by(4) == 0);  // there is room
    book.open(3, 1, 6, false);
    CHECK(book.displaced_by(4) == 3);
    CHECK(book.displaced_by(5) == 3);
    CHECK(book.displaced_by(6) == 0);  // it is of the lowest itself
    book.park(3, {Blocked::kWindow, kNoon + core::kDay});
    CHECK(book.displaced_by(4) == 3);
    book.unpark(3);
    CHECK(book.pull_at(kNoon, "a", {3}) == 1);
    CHECK(book.displaced_by(4) == 2);  // nobody is taken from a desk
    book.close(2, "EXPIRED");
    book.open(4, 1, 4, false);
    CHECK(book.displaced_by(4) == 1);
    CHECK(book.displaced_by(5) == 0);
    CHECK(book.lease("a", LeaseVerb::kRelease, 3, 1) == QueueCode::kOk);
    CHECK(book.displaced_by(5) == 3);
  }

  TEST_CASE("a full queue has no room for the lowest priority, and has for a higher one") {
    RuledBook book;
    book.hello("a");
    book.set_bounds(0, 0, 2);
    book.open(1, 1, 5, false);
    CHECK(book.has_room(5));
    book.open(2, 1, 5, false);
    CHECK_FALSE(book.has_room(5));
    CHECK_FALSE(book.has_room(6));
    CHECK(book.has_room(4));
    book.open(3, 1, 4, false);
    book.open(4, 1, 4, false);
    CHECK_FALSE(book.has_room(4));
    book.close(1, "EXPIRED");
    CHECK_FALSE(book.has_room(5));  // two of a higher priority wait
    book.pull_at(kNoon, "a", {3});
    CHECK_FALSE(book.has_room(4));
    CHECK(book.lease("a", LeaseVerb::kBury, 3, 1) == QueueCode::kOk);
    CHECK(book.has_room(4));
    book.open(5, 1, 4, false);
    CHECK(book.lease("a", LeaseVerb::kKick, 3, 1) == QueueCode::kQueueFull);
    book.close(5, "EXPIRED");
    CHECK(book.lease("a", LeaseVerb::kKick, 3, 1) == QueueCode::kOk);
    CHECK_FALSE(book.has_room(4));
  }
}
