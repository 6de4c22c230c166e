// The lease's rules, one by one (policy.md 5).
#include <doctest/doctest.h>

#include "support/queue_desk.h"

using namespace tellerd::deliver;
using tellerd::tests::HandBook;

namespace {
ItemState state_of(HandBook& book, std::int64_t number) { return book.find_id(HandBook::id_of(number))->state; }
}  // namespace

TEST_SUITE("deliver.queue_book") {
  TEST_CASE("an offer is leased to one client, with the next epoch each time") {
    HandBook book;
    book.hello("a");
    book.hello("b");
    book.offer(1);
    CHECK(book.pull("a", 1) == 1);
    CHECK(book.pull("b", 1) == 0);
    CHECK(book.lease("a", LeaseVerb::kRelease, 1, 1) == QueueCode::kOk);
    CHECK(book.pull("b", 1) == 2);
  }

  TEST_CASE("a grant with an epoch that is not the next one is no grant") {
    HandBook book;
    book.hello("a");
    book.offer(1);
    CHECK(book.pull(book.asker("a"), {{1, 1, 0}}) == 0);
    CHECK(book.pull(book.asker("a"), {{1, 1, 2}}) == 0);
    CHECK(book.pull(book.asker("a"), {{1, 2, 1}}) == 0);
    CHECK(book.pull(book.asker("a"), {{1, 1, 1}}) == 1);
  }

  TEST_CASE("the same question again changes nothing and has the same answer") {
    HandBook book;
    book.hello("a");
    book.offer(1);
    book.offer(2);
    const Asker asker = book.asker("a");
    CHECK(book.pull(asker, {{1, 1, 1}}) == 1);
    CHECK(book.pull(asker, {{2, 1, 1}}) == 1);
    CHECK(book.ready().next(3, 0) == 2);
    LeaseRecord release;
    release.asker = book.asker("a");
    release.offer_id = HandBook::id_of(1);
    release.epoch = 1;
    CHECK(book.apply(release) == QueueCode::kOk);
    CHECK(book.pull("a", 1) == 2);
    CHECK(book.apply(release) == QueueCode::kOk);
    CHECK(state_of(book, 1) == ItemState::kLeased);
  }

  TEST_CASE("answers are forgotten after as many as are kept") {
    HandBook book;
    book.hello("a");
    book.offer(1);
    const Asker first = book.asker("a");
    book.pull(first, {{1, 1, 1}});
    for (std::size_t at = 1; at < kAnswersKept; ++at) book.lease("a", LeaseVerb::kAck, 1, 9);
    CHECK(book.answer_to(first) != nullptr);
    book.lease("a", LeaseVerb::kAck, 1, 9);
    CHECK(book.answer_to(first) == nullptr);
  }

  TEST_CASE("a new session fences the old one: its leases go back at once and stay stale") {
    HandBook book;
    book.hello("a", "1");
    book.offer(1);
    book.pull("a", 1);
    book.hello("a", "2");
    CHECK(book.ready().next(3, 0) == 1);
    CHECK(book.dispose("a", 1, 1, "ACCEPTED", "1").code == QueueCode::kStaleLease);
    CHECK(book.pull("a", 1, "1") == 0);
    book.hello("a", "1");
    CHECK(book.client(book.client_number("a")).session == "2");
    CHECK(book.pull("a", 1, "2") == 2);
  }

  TEST_CASE("a hello of the session that stands keeps its leases") {
    HandBook book;
    book.hello("a");
    book.offer(1);
    book.pull("a", 1);
    book.hello("a");
    CHECK(state_of(book, 1) == ItemState::kLeased);
    CHECK(book.dispose("a", 1, 1, "ACCEPTED").code == QueueCode::kOk);
  }

  TEST_CASE("an outcome is told once; another code is too late; a stale one still counts as a contact") {
    HandBook book;
    book.hello("a");
    book.hello("b");
    book.offer(1);
    book.pull("a", 1);
    book.apply(TimerRecord{1, 1, Timer::kLease});
    book.pull("b", 1);
    const auto late = book.dispose("a", 1, 1, "NO_ANSWER");
    CHECK(late.code == QueueCode::kStaleLease);
    CHECK(late.counts_for != nullptr);
    const auto never = book.dispose("a", 1, 7, "NO_ANSWER");
    CHECK(never.code == QueueCode::kStaleLease);
    CHECK(never.counts_for == nullptr);
    CHECK(book.dispose("b", 1, 2, "ACCEPTED").counts_for != nullptr);
    const auto again = book.dispose("b", 1, 2, "ACCEPTED");
    CHECK(again.code == QueueCode::kOk);
    CHECK(again.counts_for == nullptr);
    CHECK(book.dispose("b", 1, 2, "PRICE").code == QueueCode::kAlreadyDone);
    book.write();
    CHECK(book.find(1) == nullptr);
    CHECK(book.dispose("b", 1, 2, "ACCEPTED").code == QueueCode::kOk);
    CHECK(book.dispose("b", 1, 2, "PRICE").code == QueueCode::kAlreadyDone);
    CHECK(book.dispose("b", 2, 1, "ACCEPTED").code == QueueCode::kUnknownOffer);
  }

  TEST_CASE("a correction amends what was told, once") {
    HandBook book;
    book.hello("a");
    book.offer(1);
    book.pull("a", 1);
    OutcomeRecord correct;
    correct.is_correction = true;
    correct.asker = book.asker("a");
    correct.offer_id = HandBook::id_of(1);
    correct.code = "PRICE";
    CHECK(book.apply(correct).code == QueueCode::kNotDone);
    book.dispose("a", 1, 1, "ACCEPTED");
    correct.asker = book.asker("a");
    CHECK(book.apply(correct).counts_for != nullptr);
    correct.asker = book.asker("a");
    CHECK(book.apply(correct).counts_for == nullptr);
    CHECK(book.find_id(HandBook::id_of(1))->code == "PRICE");
  }

  TEST_CASE("FAIL waits longer each time, and the fifth is the last") {
    HandBook book;
    book.hello("a");
    book.offer(1);
    const std::int64_t waits[] = {60'000, 420'000, 3'000'000, 21'600'000};
    for (std::int64_t wait : waits) {
      const auto epoch = book.pull("a", 1);
      REQUIRE(book.lease("a", LeaseVerb::kFail, 1, epoch) == QueueCode::kOk);
      CHECK(state_of(book, 1) == ItemState::kScheduled);
      CHECK(book.find(1)->wait_ms == wait);
      book.apply(TimerRecord{1, epoch, Timer::kDelay});
    }
    book.lease("a", LeaseVerb::kFail, 1, book.pull("a", 1));
    CHECK(state_of(book, 1) == ItemState::kDead);
    CHECK(book.find(1)->reason == "because");
  }

  TEST_CASE("a consumer that dies on an offer five times leaves it dead, and the queue flows on") {
    HandBook book;
    book.offer(1);
    book.offer(2);
    for (int life = 1; life <= 5; ++life) {
      book.hello("a", std::to_string(life));
      REQUIRE(book.ready().next(3, 0) == 1);
      book.pull("a", 1, std::to_string(life));
    }
    book.hello("a", "6");
    CHECK(state_of(book, 1) == ItemState::kDead);
    CHECK(book.ready().next(3, 0) == 2);
    CHECK(book.lease("a", LeaseVerb::kKick, 1, 0, "6") == QueueCode::kOk);
    CHECK(book.ready().next(3, 0) == 1);
    CHECK(book.find(1)->faults == 0);
    CHECK(book.lease("a", LeaseVerb::kKick, 1, 0, "6") == QueueCode::kNotDead);
  }

  TEST_CASE("a callback for me waits for me, and after a while for anyone") {
    HandBook book;
    book.hello("a");
    book.hello("b");
    book.offer(1);
    LeaseRecord snooze;
    snooze.asker = book.asker("a");
    snooze.verb = LeaseVerb::kSnooze;
    snooze.offer_id = HandBook::id_of(1);
    snooze.epoch = book.pull("a", 1);
    snooze.at_us = 77;
    snooze.is_mine = true;
    CHECK(book.apply(snooze) == QueueCode::kOk);
    CHECK(book.find(1)->at_us == 77);
    book.apply(TimerRecord{1, 1, Timer::kReserve});
    CHECK(state_of(book, 1) == ItemState::kScheduled);
    book.apply(TimerRecord{1, 1, Timer::kDelay});
    CHECK(state_of(book, 1) == ItemState::kReserved);
    CHECK(book.pull("b", 1) == 0);
    book.apply(TimerRecord{1, 1, Timer::kDelay});
    CHECK(state_of(book, 1) == ItemState::kReserved);
    CHECK(book.client(0).reserved == std::vector<std::int64_t>{1});
    book.apply(TimerRecord{1, 1, Timer::kReserve});
    CHECK(book.pull("b", 1) == 2);
    CHECK(book.client(0).reserved.empty());
  }

  TEST_CASE("EXTEND is bounded, and never takes time away") {
    HandBook book;
    book.set_lease_ms(120'000, 200'000);
    book.hello("a");
    book.offer(1);
    const auto epoch = book.pull("a", 1);
    book.lease("a", LeaseVerb::kExtend, 1, epoch);
    CHECK(book.find(1)->wait_ms == 180'000);
    book.lease("a", LeaseVerb::kExtend, 1, epoch);
    CHECK(book.find(1)->wait_ms == 200'000);
    book.set_lease_ms(120'000, 100'000);
    book.lease("a", LeaseVerb::kExtend, 1, epoch);
    CHECK(book.find(1)->wait_ms == 200'000);
  }

  TEST_CASE("an offer that ends under a lease is withdrawn until its holder knows") {
    HandBook book;
    book.attach();
    book.hello("a");
    book.offer(1);
    const auto epoch = book.pull("a", 1);
    std::vector<Note> notes;
    book.take_notes(notes);
    CHECK_FALSE(book.close(1, "SUPERSEDED"));
    book.take_notes(notes);
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].what == Note::What::kWithdraw);
    book.write();
    CHECK(book.find(1)->is_unacked);
    CHECK(book.dispose("a", 1, epoch, "ACCEPTED").code == QueueCode::kStaleLease);
    book.lease("a", LeaseVerb::kAck, 1, epoch);
    book.write();
    CHECK(book.find(1) == nullptr);
  }

  TEST_CASE("news is kept for whoever awaits it, and nobody is stirred before") {
    HandBook book;
    book.attach();
    book.told();
    book.offer(1);
    CHECK_FALSE(book.has_news());
    book.await_news(true);
    CHECK(book.has_news());
    book.told();
    CHECK_FALSE(book.has_news());
    book.offer(2);
    CHECK(book.has_news());
    book.await_news(false);
    CHECK_FALSE(book.has_news());
  }

  TEST_CASE("a done offer stands until it ends, and that it was done is known then") {
    HandBook book;
    book.hello("a");
    book.offer(1);
    book.dispose("a", 1, book.pull("a", 1), "ACCEPTED");
    book.write();
    CHECK(book.ready().find(1)->is_done);
    CHECK(book.counts(0).done == 1);
    CHECK(book.close(1, "EXPIRED"));
    CHECK(book.counts(0).done == 0);
    book.offer(2);
    CHECK_FALSE(book.close(2, "EXPIRED"));
  }

  TEST_CASE("what a running load has made waits for its end") {
    HandBook book;
    book.hello("a");
    book.open(1, 1, 3, true);
    CHECK(book.pull("a", 1) == 0);
    book.let_out(1);
    CHECK(book.pull("a", 1) == 1);
  }
}
