// Which offers wait, against an ordered set.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

#include "deliver/ready_index.h"

using tellerd::deliver::ClassId;
using tellerd::deliver::ReadyIndex;

namespace {
struct Index : ReadyIndex {  // where a kind is its own class
  Index() {
    for (ClassId kind = 0; kind < 8; ++kind) set_class(kind, kind);
  }
};
}  // namespace

TEST_SUITE("deliver.ready_index") {
  TEST_CASE("nothing waits in an index without offers") {
    const Index index;
    CHECK(index.next(0, 0) == 0);
    CHECK(index.next(7, 1000) == 0);
    CHECK(index.find(1) == nullptr);
    CHECK(index.ready_count(3) == 0);
  }

  TEST_CASE("an offer that comes back stands before those made after it") {
    Index index;
    for (std::int64_t number : {1, 64, 65, 4096, 4097, 300'000}) index.put(number, 9, 2, true);
    index.set_ready(1, false);
    CHECK(index.next(2, 0) == 64);
    index.set_ready(1, true);
    CHECK(index.next(2, 0) == 1);
    CHECK(index.next(2, 65) == 4096);
    CHECK(index.next(2, 4097) == 300'000);
    CHECK(index.next(2, 300'000) == 0);
  }

  TEST_CASE("a done offer stands and does not wait; a taken one does neither") {
    Index index;
    index.put(5, 1, 0, true);
    index.set_done(5);
    REQUIRE(index.find(5) != nullptr);
    CHECK(index.find(5)->is_done);
    CHECK(index.next(0, 0) == 0);
    index.take(5);
    CHECK(index.find(5) == nullptr);
    index.put(5, 2, 1, true);
    CHECK_FALSE(index.find(5)->is_done);
    CHECK(index.next(1, 0) == 5);
  }

  TEST_CASE("a random walk agrees with ordered sets") {
    std::mt19937_64 chance(7);
    Index index;
    std::array<std::set<std::int64_t>, 3> ready;
    std::map<std::int64_t, ClassId> standing;
    std::int64_t last = 0;
    for (int step = 0; step < 200'000; ++step) {
      const auto draw = chance() % 10;
      if (draw < 4 || standing.empty()) {
        last += 1 + static_cast<std::int64_t>(chance() % (step % 1000 == 0 ? 100'000 : 3));
        const auto class_id = static_cast<ClassId>(chance() % 3);
        const bool is_ready = chance() % 4 != 0;
        index.put(last, 1, class_id, is_ready);
        standing[last] = class_id;
        if (is_ready) ready[class_id].insert(last);
      } else {
        auto at = standing.lower_bound(static_cast<std::int64_t>(chance() % static_cast<std::uint64_t>(last)));
        if (at == standing.end()) at = standing.begin();
        if (draw < 7) {
          const bool is_ready = chance() % 2;
          index.set_ready(at->first, is_ready);
          if (is_ready)
            ready[at->second].insert(at->first);
          else
            ready[at->second].erase(at->first);
        } else {
          index.take(at->first);
          ready[at->second].erase(at->first);
          standing.erase(at);
        }
      }
      const auto class_id = static_cast<ClassId>(chance() % 3);
      const auto after = static_cast<std::int64_t>(chance() % static_cast<std::uint64_t>(last + 2));
      const auto next = ready[class_id].upper_bound(after);
      REQUIRE(index.next(class_id, after) == (next == ready[class_id].end() ? 0 : *next));
      REQUIRE(index.ready_count(class_id) == static_cast<std::int64_t>(ready[class_id].size()));
    }
  }

  TEST_CASE("one that is parked is passed over, and stands where it stood when it is let go") {
    Index index;
    for (std::int64_t number : {1, 2, 3}) index.put(number, 1, 0, true);
    index.set_parked(1, 2);
    CHECK(index.next(0, 0) == 2);
    CHECK(index.ready_count(0) == 2);
    CHECK(index.find(1)->is_ready);
    index.set_parked(1, 3);
    CHECK(index.ready_count(0) == 2);
    index.set_parked(1, 0);
    CHECK(index.next(0, 0) == 1);
    index.set_parked(1, 2);
    index.set_ready(1, false);
    CHECK(index.next(0, 0) == 2);
    index.set_ready(1, true);
    CHECK(index.next(0, 0) == 1);
    CHECK(index.find(1)->parked == 0);
    index.set_parked(3, 1);
    index.take(3);
    CHECK(index.ready_count(0) == 2);
  }
}
