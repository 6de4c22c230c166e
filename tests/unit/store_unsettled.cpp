#include <doctest/doctest.h>

#include <string>

#include "store/unsettled.h"

using tellerd::store::Unsettled;

TEST_SUITE("store.unsettled") {
  TEST_CASE("what has changed is held until the commit after its own begins, the newest of it") {
    Unsettled<int, std::string> rows;
    rows.put(1, "a");
    rows.commit_begins();  // of that
    rows.put(1, "b");
    rows.put(2, "c");
    CHECK(*rows.find(1) == "b");
    rows.commit_begins();
    CHECK(*rows.find(1) == "b");
    CHECK(*rows.find(2) == "c");
    CHECK_FALSE(rows.has(3));
    rows.commit_begins();
    CHECK_FALSE(rows.has(1));
  }

  TEST_CASE("after too many nobody is known to be settled, until two commits have begun") {
    Unsettled<std::size_t> rows;
    for (std::size_t key = 0; key < Unsettled<std::size_t>::kHeldMax; ++key) rows.put(key);
    CHECK(rows.find(7));
    CHECK_FALSE(rows.has(1u << 20));
    rows.put(1u << 19);
    CHECK(rows.has(1u << 20));
    CHECK_FALSE(rows.find(7));  // there may be a newer one
    rows.commit_begins();
    rows.put(3);
    CHECK(rows.find(3));
    CHECK(rows.has(1u << 20));
    rows.commit_begins();
    CHECK_FALSE(rows.has(7));
    CHECK(rows.has(3));
  }
}
