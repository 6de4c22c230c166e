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

TEST_SUITE_END();
