#include <doctest/doctest.h>
#include <sys/mman.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "core/growing_space.h"
#include "core/pages_ahead.h"
#include "silver/key_index.h"

using tellerd::core::GrowingArray;
using tellerd::core::GrowingSpace;
using tellerd::core::PagesAhead;

namespace {

constexpr std::size_t kPage = 4096, kLarge = GrowingSpace::kLargePageBytes;

bool is_resident(const char* page) {
  unsigned char answer = 0;
  REQUIRE(mincore(const_cast<char*>(page), kPage, &answer) == 0);
  return (answer & 1) != 0;
}

// The other thread has its own time; ten seconds are a fault.
template <class Holds>
bool comes_true(Holds&& holds) {
  for (int left = 10'000; left > 0 && !holds(); --left) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return holds();
}

struct Mapped {
  explicit Mapped(std::size_t wanted)
      : bytes(wanted),
        at(static_cast<char*>(mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    REQUIRE(at != MAP_FAILED);
    madvise(at, bytes, MADV_NOHUGEPAGE);  // each page tells of itself
  }
  ~Mapped() { munmap(at, bytes); }
  std::size_t bytes;
  char* at;
};

}  // namespace

TEST_SUITE("core.pages_ahead") {
  TEST_CASE("pages that are asked for come without a touch of their owner's, and no others") {
    const Mapped mapped(64 * kPage);
    PagesAhead ahead;
    CHECK_FALSE(ahead.is_asked());
    ahead.ask(mapped.at + 8 * kPage, 16 * kPage);
    CHECK(comes_true([&] { return is_resident(mapped.at + 23 * kPage); }));
    ahead.take();
    CHECK_FALSE(ahead.is_asked());
    for (std::size_t page = 0; page < 64; ++page) {
      CAPTURE(page);
      CHECK(is_resident(mapped.at + page * kPage) == (page >= 8 && page < 24));
    }
    for (std::size_t at = 8 * kPage; at < 24 * kPage; ++at) REQUIRE(mapped.at[at] == 0);
  }

  TEST_CASE("what stands there stays, and what has been taken is touched no more") {
    std::vector<std::unique_ptr<Mapped>> places;
    for (int place = 0; place < 4; ++place) places.push_back(std::make_unique<Mapped>(256 * kPage));
    std::vector<PagesAhead> orders(places.size());
    for (int round = 0; round < 50; ++round) {
      for (std::size_t at = 0; at < places.size(); ++at) orders[at].ask(places[at]->at, places[at]->bytes);
      for (std::size_t at = 0; at < places.size(); ++at) {
        if (round % 3 == 0) std::this_thread::yield();
        orders[at].take();
        std::memset(places[at]->at, round + static_cast<int>(at) + 1, places[at]->bytes);
      }
      if (round % 10 == 9) orders[1].ask(places[1]->at, places[1]->bytes);  // instead of the one before, or after none
    }
    for (auto& order : orders) order.take();
    for (std::size_t at = 0; at < places.size(); ++at)
      for (std::size_t byte = 0; byte < places[at]->bytes; ++byte)
        REQUIRE(places[at]->at[byte] == static_cast<char>(50 + at));
  }

  TEST_CASE("an array's next large page is there when the last quarter of one is reached, not before") {
    GrowingArray<std::uint64_t> array;
    constexpr std::size_t kALarge = kLarge / sizeof(std::uint64_t);
    while (array.size() < 2 * kALarge + kALarge / 2) array.push_back(1);
    const char* const next = reinterpret_cast<const char*>(array.begin()) + 3 * kLarge;
    // It is not even open: reading its state would fail.
    CHECK(array.size() < 3 * kALarge - kALarge / 4);
    unsigned char answer = 0;
    mincore(const_cast<char*>(next), kPage, &answer);
    CHECK((answer & 1) == 0);
    while (array.size() <= 3 * kALarge - kALarge / 4) array.push_back(2);
    CHECK(comes_true([&] { return is_resident(next); }));
    while (array.size() < 5 * kALarge) array.push_back(3);
    std::size_t wrong = 0;
    for (std::size_t at = 0; at < array.size(); ++at)
      wrong += array[at] != (at < 2 * kALarge + kALarge / 2 ? 1u : at <= 3 * kALarge - kALarge / 4 ? 2u : 3u);
    CHECK(wrong == 0);
  }

  TEST_CASE("an array that moves takes its pages along, and what is on its way") {
    GrowingArray<std::uint64_t> array;
    constexpr std::size_t kALarge = kLarge / sizeof(std::uint64_t);
    for (std::uint64_t at = 0; at < 3 * kALarge - 100; ++at) array.push_back(at);  // the fourth page is asked for
    GrowingArray<std::uint64_t> moved(std::move(array));
    for (std::uint64_t at = moved.size(); at < 4 * kALarge; ++at) moved.push_back(at);
    std::size_t wrong = 0;
    for (std::size_t at = 0; at < moved.size(); ++at) wrong += moved[at] != at;
    CHECK(wrong == 0);
  }

  TEST_CASE("a key index that grows from its end downwards loses nothing to it") {
    tellerd::silver::KeyIndex keys;
    const auto hash = [](std::int64_t number) { return static_cast<std::uint64_t>(number) * 0x9e3779b97f4a7c15u; };
    constexpr std::int64_t kKeys = 1'500'000;  // some 15 MiB: it grows into new pages two dozen times
    for (std::int64_t number = 1; number <= kKeys; ++number) keys.insert(hash(number), number);
    REQUIRE(keys.bytes() > 6 * kLarge);
    std::int64_t found = 0;
    for (std::int64_t number = 1; number <= kKeys; ++number)
      found += keys.find(hash(number), [number](std::int64_t one) { return one == number; }) == number;
    CHECK(found == kKeys);
  }
}
