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

TEST_SUITE_END();
