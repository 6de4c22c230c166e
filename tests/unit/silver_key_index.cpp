#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <unordered_map>
#include <vector>

#include "silver/key_index.h"

using tellerd::silver::KeyIndex;

namespace {

std::vector<std::int64_t> candidates(const KeyIndex& keys, std::uint64_t hash) {
  std::vector<std::int64_t> seqs;
  keys.find(hash, [&](std::int64_t seq) {
    seqs.push_back(seq);
    return false;
  });
  std::sort(seqs.begin(), seqs.end());
  return seqs;
}

}  // namespace

TEST_SUITE("silver.key_index") {
  TEST_CASE("a million insertions, replacements and look-ups agree with a multimap") {
    std::mt19937_64 chance(7);
    KeyIndex keys;
    std::unordered_multimap<std::uint64_t, std::int64_t> should;
    std::vector<std::uint64_t> hashes;
    for (int at = 0; at < 200'000; ++at) hashes.push_back(at % 10 != 9 ? chance() : hashes[chance() % hashes.size()]);
    std::int64_t seq = 0;
    int wrong = 0;
    for (int step = 0; step < 1'000'000; ++step) {
      const std::uint64_t hash = hashes[chance() % hashes.size()];
      if (chance() % 3 == 0 && should.count(hash) < 4) {
        keys.insert(hash, ++seq);
        should.emplace(hash, seq);
      } else if (auto known = should.find(hash); known != should.end() && chance() % 2) {
        keys.replace(hash, known->second, ++seq);
        known->second = seq;
      } else {
        std::vector<std::int64_t> expected;
        for (auto [at, end] = should.equal_range(hash); at != end; ++at) expected.push_back(at->second);
        const auto found = candidates(keys, hash);
        // Only 38 of the hash's bits are kept: others' seqs may be among the candidates, its own must be.
        std::sort(expected.begin(), expected.end());
        wrong += !std::includes(found.begin(), found.end(), expected.begin(), expected.end());
      }
    }
    CHECK(wrong == 0);
    CHECK(keys.count() == should.size());
  }

  TEST_CASE("keys of one hash are all candidates and the caller's word ends the search") {
    KeyIndex keys;
    for (std::int64_t seq = 1; seq <= 1000; ++seq) keys.insert(42, seq);
    CHECK(candidates(keys, 42).size() == 1000);
    CHECK(keys.find(42, [](std::int64_t seq) { return seq == 777; }) == 777);
    CHECK(keys.find(43ull << 52, [](std::int64_t) { return true; }) == 0);
  }

  TEST_CASE("what lies below the floor goes when room is wanted, and the rest stays") {
    std::mt19937_64 chance(8);
    const auto hash_of = [](std::int64_t seq) {
      return std::mt19937_64(static_cast<std::uint64_t>(seq))();  // as well spread as a hash
    };
    KeyIndex keys;
    constexpr std::int64_t kKept = 100'000;
    std::int64_t seq = 0;
    for (; seq < kKept; ++seq) keys.insert(hash_of(seq + 1), seq + 1);
    const std::uint64_t bytes = keys.bytes();
    // Ten times as many come, in weeks, and as many leave.
    for (int week = 0; week < 100; ++week) {
      keys.drop_below(seq - kKept + 1);
      for (int at = 0; at < kKept / 10; ++at, ++seq) keys.insert(hash_of(seq + 1), seq + 1);
    }
    CHECK(keys.bytes() <= 2 * bytes);
    CHECK(keys.count() >= static_cast<std::uint64_t>(kKept));
    CHECK(keys.count() <= static_cast<std::uint64_t>(2 * kKept));
    int lost = 0;
    for (std::int64_t kept = seq - kKept + 1; kept <= seq; ++kept)
      lost += keys.find(hash_of(kept), [&](std::int64_t found) { return found == kept; }) != kept;
    CHECK(lost == 0);
  }

  TEST_CASE("a large table takes ten bytes a key, and grows a little at a time") {
    std::mt19937_64 chance(9);
    KeyIndex keys;
    constexpr std::int64_t kKeys = 4'000'000;
    std::uint64_t most = 0;
    for (std::int64_t seq = 1; seq <= kKeys; ++seq) {
      const std::uint64_t before = keys.bytes();
      keys.insert(chance(), seq);
      if (seq > kKeys / 4) most = std::max(most, keys.bytes() - before);
    }
    CHECK(keys.bytes() <= kKeys * 41 / 4);
    CHECK(most <= 2'048);  // a twelfth of one section, or of two
  }

  TEST_CASE("room asked for beforehand is as much as growing makes, whatever the number") {
    std::mt19937_64 chance(10);
    for (const std::size_t count : {1u, 20'000u, 60'000u, 65'000u, 150'000u, 1'000'000u, 1'000'001u}) {
      CAPTURE(count);
      KeyIndex grown, reserved;
      reserved.reserve(count);
      const std::uint64_t bytes = reserved.bytes();
      std::vector<std::uint64_t> hashes;
      for (std::size_t at = 0; at < count; ++at) hashes.push_back(chance());
      for (std::size_t at = 0; at < count; ++at) grown.insert(hashes[at], static_cast<std::int64_t>(at) + 1);
      tellerd::silver::KeyLoader loader(reserved);
      for (std::size_t at = 0; at < count; ++at) loader.insert(hashes[at], static_cast<std::int64_t>(at) + 1);
      loader.end();
      CHECK(reserved.bytes() == bytes);
      CHECK(reserved.bytes() <= grown.bytes() + grown.bytes() / 1'000);
      CHECK(reserved.count() == count);
      int lost = 0;
      const auto look = [&](std::size_t at) {
        const auto seq = static_cast<std::int64_t>(at) + 1;
        lost += reserved.find(hashes[at], [&](std::int64_t found) { return found == seq; }) != seq;
      };
      for (std::size_t at = 0; at < count; ++at) look(at);
      for (std::size_t at = count; at < count + 100'000; ++at) {  // and it grows on from there
        hashes.push_back(chance());
        reserved.insert(hashes[at], static_cast<std::int64_t>(at) + 1);
      }
      for (std::size_t at = 0; at < hashes.size(); ++at) look(at);
      CHECK(lost == 0);
    }
  }
}
