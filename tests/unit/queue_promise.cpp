// A grant that a desk was told of as soon as it was on disk: whatever the log held before it, its epoch is used up.
#include <doctest/doctest.h>

#include "support/queue_desk.h"

using namespace tellerd::deliver;
using tellerd::tests::HandBook;

namespace {

// The engine's part: what may be granted is, the rest of a promise is void.
struct PromisingBook : HandBook {
  PromisingBook() {
    hello("a");
    hello("b");
    attach();
  }
  GrantRecord promise(const std::string& client, std::vector<std::int64_t> numbers, const std::string& session = "1") {
    GrantRecord record{asker(client, session), 120'000, {}, true};
    for (const std::int64_t number : numbers) {
      const Item* item = find_id(id_of(number));
      record.offers.push_back({number, 1, (item ? item->epoch : 0) + 1});
    }
    return record;
  }
  void apply_promise(const GrantRecord& record) {
    std::vector<Item> granted, voided;
    for (const auto& one : record.offers) {
      Item item;
      item.number = one.number;
      item.offer_id = id_of(one.number);
      item.customer = one.customer;
      (may_grant(record, one) ? granted : voided).push_back(item);
    }
    grant(record, granted, voided);
  }
  OutcomeRecord promised_outcome(const std::string& client, std::int64_t number, std::int64_t epoch,
                                 const std::string& code) {
    return {asker(client), false, id_of(number), epoch, code, {}, {}, 0, true};
  }
  std::vector<std::int64_t> to_withdraw() {
    std::vector<Note> notes;
    take_notes(notes);
    std::vector<std::int64_t> numbers;
    for (const Note& note : notes)
      if (note.what == Note::What::kWithdraw) numbers.push_back(note.number);
    return numbers;
  }
};

using Numbers = std::vector<std::int64_t>;

}  // namespace

TEST_SUITE("deliver.promise") {
  TEST_CASE("a promise of what stands is a lease like any") {
    PromisingBook book;
    book.offer(1);
    const auto record = book.promise("a", {1});
    book.apply_promise(record);
    CHECK(book.find(1)->state == ItemState::kLeased);
    CHECK(book.answer_to(record.asker)->granted.size() == 1);
    CHECK(book.to_withdraw() == Numbers{});
    CHECK(book.dispose("a", 1, 1, "ACCEPTED").code == QueueCode::kOk);
  }

  TEST_CASE("what ended before the promise came is withdrawn from its holder until he has heard of it") {
    PromisingBook book;
    book.offer(1);
    book.offer(2);
    const auto record = book.promise("a", {1, 2});
    book.close(1, "SUPERSEDED");
    book.apply_promise(record);
    CHECK(book.to_withdraw() == Numbers{1});
    CHECK(book.find(1)->state == ItemState::kEnded);
    CHECK(book.find(1)->epoch == 1);
    CHECK(book.find(2)->state == ItemState::kLeased);
    CHECK(book.answer_to(record.asker)->granted.size() == 2);  // what was said is said again
    book.write();
    const auto late = book.dispose("a", 1, 1, "ACCEPTED");
    CHECK(late.code == QueueCode::kStaleLease);
    CHECK(late.counts_for != nullptr);  // he may have called
    CHECK(book.lease("a", LeaseVerb::kAck, 1, 1) == QueueCode::kOk);
    book.write();
    CHECK(book.find(1) == nullptr);
    CHECK(book.counts(0).leased == 1);
  }

  TEST_CASE("what was done elsewhere before the promise came stays done, and is withdrawn") {
    PromisingBook book;
    book.offer(1);
    const auto record = book.promise("a", {1});
    CHECK(book.finish(1, HandBook::id_of(1), 1, "ACCEPTED"));
    book.write();
    book.apply_promise(record);
    CHECK(book.to_withdraw() == Numbers{1});
    CHECK(book.find(1)->state == ItemState::kDone);
    CHECK(book.find(1)->code == "ACCEPTED");
    CHECK(book.counts(0).done == 1);
  }

  TEST_CASE("a promise to a session that was fenced before uses its epoch up, and the next holder has another") {
    PromisingBook book;
    book.offer(1);
    const auto record = book.promise("a", {1});
    book.hello("a", "2");
    book.apply_promise(record);
    CHECK(book.find(1)->state == ItemState::kReady);
    CHECK(book.to_withdraw() == Numbers{});  // nobody is left to be told
    CHECK(book.pull("b", 1) == 2);
    CHECK(book.dispose("a", 1, 1, "ACCEPTED").code == QueueCode::kStaleLease);
    CHECK(book.dispose("b", 1, 2, "PRICE").code == QueueCode::kOk);
  }

  TEST_CASE("the same promise again changes nothing") {
    PromisingBook book;
    book.offer(1);
    const auto record = book.promise("a", {1});
    book.apply_promise(record);
    book.apply_promise(record);
    CHECK(book.find(1)->epoch == 1);
    CHECK(book.counts(0).leased == 1);
  }

  TEST_CASE("an outcome that was promised ends its lease like any") {
    PromisingBook book;
    book.offer(1);
    book.pull("a", 1);
    const auto disposed = book.apply(book.promised_outcome("a", 1, 1, "ACCEPTED"));
    CHECK(disposed.code == QueueCode::kOk);
    CHECK(disposed.counts_for == book.find(1));
    CHECK_FALSE(disposed.is_amended);
    CHECK(book.find(1)->state == ItemState::kDone);
  }

  TEST_CASE("one whose offer ended before it came is taken all the same, and the offer stays ended") {
    PromisingBook book;
    book.offer(1);
    book.pull("a", 1);
    book.close(1, "PAID");
    const auto record = book.promised_outcome("a", 1, 1, "ACCEPTED");
    const auto disposed = book.apply(record);
    CHECK(disposed.code == QueueCode::kOk);
    CHECK(disposed.counts_for == book.find(1));
    CHECK(book.find(1)->state == ItemState::kEnded);
    CHECK(book.answer_to(record.asker)->code == QueueCode::kOk);  // what was said is said again
    CHECK(book.apply(record).counts_for == nullptr);
  }

  TEST_CASE("one that came after an outcome from elsewhere stands in its place") {
    PromisingBook book;
    book.offer(1);
    book.pull("a", 1);
    CHECK(book.finish(1, HandBook::id_of(1), 1, "PRICE"));
    const auto disposed = book.apply(book.promised_outcome("a", 1, 1, "ACCEPTED"));
    CHECK(disposed.code == QueueCode::kOk);
    CHECK(disposed.counts_for == book.find(1));
    CHECK(disposed.is_amended);
    CHECK(book.find(1)->code == "ACCEPTED");
    CHECK(book.apply(book.promised_outcome("a", 1, 1, "ACCEPTED")).counts_for == nullptr);
    CHECK(book.dispose("a", 1, 1, "PRICE").code == QueueCode::kAlreadyDone);
  }

  TEST_CASE("cards are made for the heads of queues that are asked for, by priority, and are not kept for long") {
    constexpr std::int64_t kNow = 10'000'000;
    PromisingBook book;
    book.offer(1, 5);
    book.offer(2, 3);
    book.offer(3, 3);
    CHECK(book.without_card(kNow, 10).empty());  // nobody asks
    book.asks_for(0, kNow);
    using Wanted = std::vector<std::pair<std::int64_t, std::uint32_t>>;
    CHECK(book.without_card(kNow, 2) == Wanted{{2, 1}, {3, 1}});
    book.cards().put(2, {HandBook::id_of(2), kNow, "x"});
    CHECK(book.without_card(kNow, 10) == Wanted{{3, 1}, {1, 1}});
    CHECK(book.cards().find(2, kNow + CardStock::kFreshUs)->text == "x");
    CHECK(book.cards().find(2, kNow + CardStock::kFreshUs + 1) == nullptr);
    book.pull("a", 2);
    CHECK(book.cards().find(2, kNow) == nullptr);  // it is of the offer as it waited
    book.cards().put(3, {HandBook::id_of(3), kNow, "x"});
    book.close(3, "EXPIRED");
    CHECK(book.cards().count() == 0);
    book.cards().put(1, {HandBook::id_of(1), kNow, "x"});
    CHECK(book.without_card(kNow + 1, 10) == Wanted{});
    book.asks_for(0, kNow + CardStock::kFreshUs + 1);
    CHECK(book.without_card(kNow + CardStock::kFreshUs + 1, 10) == Wanted{{1, 1}});
  }

  TEST_CASE(
      "what comes before all others gets a card, however many there are, and leases on their way stand before it") {
    constexpr std::int64_t kNow = 10'000'000, kMany = 1'700, kOnTheirWay = 300;
    PromisingBook book;
    book.asks_for(0, kNow);
    for (std::int64_t number = 1; number <= kMany; ++number) {
      book.offer(number,
                 number <= kOnTheirWay ? 1 : 5);  // nothing of a lease is seen here before its record is applied
      book.cards().put(number, {HandBook::id_of(number), kNow, "x"});
    }
    CHECK(book.without_card(kNow, 10).empty());
    book.offer(kMany + 1, 3);
    book.offer(kMany + 2, 7);  // behind them all
    CHECK(book.without_card(kNow, 10) == std::vector<std::pair<std::int64_t, std::uint32_t>>{{kMany + 1, 1}});
  }
}
