// Groups that come back are used again, until what is kept of them is shed.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "bronze/hand_over.h"

using namespace tellerd;

TEST_SUITE("bronze.hand_over") {
  TEST_CASE("a group that came back is empty and has its room still; once shed, a fresh one has none") {
    bronze::HandOver hand_over(1 << 20);
    auto group = hand_over.fresh();
    const std::string payload(100, 'x');
    for (bronze::Seq seq = 1; seq <= 1'000; ++seq) {
      bronze::Record record;
      record.seq = seq;
      record.payload = group->keep(payload);
      group->records.push_back(record);
    }
    hand_over.offer(std::move(group));
    CHECK(hand_over.committed_seq() == 1'000);
    auto taken = hand_over.take(0);
    REQUIRE(taken);
    CHECK(taken->records.size() == 1'000);
    CHECK(taken->records.back().payload == payload);
    CHECK_FALSE(hand_over.take(0));
    hand_over.give_back(std::move(taken));
    auto again = hand_over.fresh();
    CHECK(again->records.empty());
    CHECK(again->bytes() == 0);
    CHECK(again->records.capacity() >= 1'000);
    hand_over.give_back(std::move(again));
    hand_over.shed();
    CHECK(hand_over.fresh()->records.capacity() == 0);
  }
}
