#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/fault.h"
#include "core/growing_space.h"

using tellerd::core::GrowingArray;
using tellerd::core::GrowingSpace;

TEST_SUITE("core.growing_space") {
  TEST_CASE("what is new is zero, what was there stays, and where it was") {
    GrowingSpace space;
    CHECK(space.at() == nullptr);
    space.extend_to(1);
    auto* const first = static_cast<unsigned char*>(space.at());
    std::size_t known = 0, wrong = 0;
    for (std::size_t bytes = 1; bytes < (9u << 20); bytes += bytes / 3 + 1) {  // into large pages
      space.extend_to(bytes);
      REQUIRE(space.bytes() >= bytes);
      CHECK(space.at() == first);
      for (; known < bytes; ++known) {
        wrong += first[known] != 0;
        first[known] = static_cast<unsigned char>(known * 31 % 251 + 1);
      }
    }
    for (std::size_t at = 0; at < known; ++at) wrong += first[at] != at * 31 % 251 + 1;
    CHECK(wrong == 0);
  }

  TEST_CASE("more than can ever be had is refused") {
    GrowingSpace space;
    CHECK_THROWS_AS(space.extend_to(std::size_t{1} << 46), tellerd::core::Fault);
    space.extend_to(100);
    CHECK(space.bytes() >= 100);
  }

  TEST_CASE("an array makes and ends its elements as a vector does, and moves none") {
    const auto watched = std::make_shared<int>(0);
    struct Element {
      std::shared_ptr<int> held;
      std::string text = "new";
    };
    {
      GrowingArray<Element> array(2);
      CHECK(array.size() == 2);
      CHECK(array[1].text == "new");
      array.emplace_back(watched, std::string(100, 'x'));
      const Element* const third = &array[2];
      for (int more = 0; more < 50'000; ++more) array.push_back({watched, "later"});
      CHECK(&array[2] == third);
      CHECK(array.back().text == "later");
      CHECK(watched.use_count() == 50'002);
      array.resize(3);
      CHECK(watched.use_count() == 2);
      array.resize(5);
      CHECK(array[4].held == nullptr);
      CHECK(array[4].text == "new");
      GrowingArray<Element> taken(std::move(array));
      CHECK(taken.size() == 5);
      CHECK(&taken[2] == third);
      taken = GrowingArray<Element>();
      CHECK(taken.empty());
    }
    CHECK(watched.use_count() == 1);
  }
}
