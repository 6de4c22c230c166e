#include <doctest/doctest.h>

#include "app/migrations.h"
#include "decide/offer_book.h"
#include "support/scratch_folder.h"

using namespace tellerd;

TEST_SUITE_BEGIN("decide");

TEST_CASE("offers that are being written stay in memory, more of them in a large bank, and all are found") {
  constexpr std::int64_t kOffers = 100'000;
  for (const bool is_large : {false, true}) {
    CAPTURE(is_large);
    tests::ScratchFolder folder;
    auto database = store::Database::open_writer(folder / "teller.db");
    app::migrate(database);
    decide::OfferBook book(database, 0, 1);
    if (is_large) book.make_room(60'000);
    for (std::int64_t made = 1; made <= kOffers; ++made) {
      decide::NewOffer offer;
      offer.customer = 1;
      offer.decided_seq = made;
      offer.revenue_minor = 7 * made;
      offer.days_valid = 30;
      offer.action = "A";
      std::uint32_t first = 0;  // a list of its own
      REQUIRE(book.open(offer, first) == made);
    }
    CHECK(book.is_kept(1));  // what is not taken is nowhere else
    book.take();
    CHECK(book.is_kept(1) == is_large);
    CHECK(book.is_kept(kOffers));
    book.write_taken();
    for (const std::int64_t number : {std::int64_t{1}, kOffers / 2, kOffers}) {
      const auto found = book.find(number);
      REQUIRE(found.has_value());
      CHECK(found->decided_seq == number);
      CHECK(found->revenue_minor == 7 * number);
    }
  }
}

TEST_CASE("after a burst what teller.db has is not kept in memory too, and what it has not yet is") {
  tests::ScratchFolder folder;
  auto database = store::Database::open_writer(folder / "teller.db");
  app::migrate(database);
  decide::OfferBook book(database, 0, 1);
  book.make_room(60'000);
  const auto open_to = [&](std::int64_t last) {
    while (book.count() < last) {
      decide::NewOffer offer;
      offer.customer = 1;
      offer.decided_seq = book.count() + 1;
      offer.action = "A";
      std::uint32_t first = 0;
      book.open(offer, first);
    }
  };
  const auto begin_commit = [&](std::int64_t offers) {
    open_to(offers);
    book.take();
    book.commit_begins();
    book.write_taken();
  };
  begin_commit(1'000);
  book.give_back();
  CHECK(book.is_kept(1));  // the commit is under way
  book.commit_is_through();
  begin_commit(1'500);
  open_to(1'600);
  book.give_back();
  CHECK_FALSE(book.is_kept(1'000));
  CHECK(book.is_kept(1'001));
  book.commit_is_through();
  book.give_back();
  CHECK_FALSE(book.is_kept(1'500));
  CHECK(book.is_kept(1'501));  // opened since
  CHECK(book.unwritten() == 100);
  CHECK(book.is_committed(1'500));
  CHECK_FALSE(book.is_committed(1'501));
  begin_commit(1'700);
  for (const std::int64_t number : {1, 1'000, 1'001, 1'500, 1'501, 1'600, 1'700}) {
    const auto found = book.find(number);
    REQUIRE(found.has_value());
    CHECK(found->decided_seq == number);
  }
}

TEST_CASE(
    "what ended in a turn is known by its own words until the next turn ends something, in whatever order it is "
    "asked") {
  tests::ScratchFolder folder;
  auto database = store::Database::open_writer(folder / "teller.db");
  app::migrate(database);
  decide::OfferBook book(database, 0, 1);
  constexpr core::Instant kMade = 1'700'000'000'000'000;
  std::uint32_t first = 0;
  for (int made = 1; made <= 4; ++made) {
    decide::NewOffer offer;
    offer.customer = 9;
    offer.decided_seq = 100;
    offer.created_us = kMade;
    offer.template_number = made;
    offer.days_valid = 10 * made;
    offer.revenue_minor = 7 * made;
    offer.action = made == 2 ? "B" : "A";
    book.open(offer, first);
  }
  book.restore({77, -5, 700, kMade + 3 * core::kDay, 6, 3}, first);
  const auto place_of = [&](std::int64_t number) {
    std::uint32_t place = first;
    while (book[place].number != number) place = book[place].next;
    return place;
  };
  book.close(9, place_of(2), first, "SUPERSEDED", kMade, 200);
  book.close(9, place_of(4), first, "EXPIRED", kMade, 201);
  book.close(9, place_of(77), first, "WITHDRAWN", kMade, 201);
  book.close(9, place_of(1), first, "EXPIRED", kMade, 201);
  CHECK(book.ended_now(2, 201) == nullptr);  // of the turn before
  CHECK(book.ended_now(3, 201) == nullptr);  // still stands
  for (const std::int64_t number : {4, 77, 1, 1, 4}) {
    CAPTURE(number);
    const auto* ended = book.ended_now(number, 201);
    REQUIRE(ended != nullptr);
    CHECK(ended->offer.number == number);
    CHECK(ended->customer == 9);
    CHECK(ended->state == (number == 77 ? "WITHDRAWN" : "EXPIRED"));
  }
  CHECK(book.ended_now(4, 202) == nullptr);
  const auto& fourth = book.ended_now(4, 201)->offer;
  CHECK(fourth.id == decide::offer_id(100, 0, 9, "A"));
  CHECK(fourth.revenue_minor == 28);
  CHECK(fourth.days_valid == 40);
  CHECK(fourth.template_number == 4);
  CHECK(fourth.expires_us == kMade + 40 * core::kDay);
  CHECK(book.ended_now(77, 201)->offer.id == -5);
  book.close(9, place_of(3), first, "SUPERSEDED", kMade, 202);
  CHECK(book.ended_now(4, 201) == nullptr);
  CHECK(book.ended_now(3, 202)->offer.days_valid == 30);
}

TEST_SUITE_END();
