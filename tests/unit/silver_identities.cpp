#include <doctest/doctest.h>
#include <fmt/core.h>

#include <string>
#include <vector>

#include "app/migrations.h"
#include "silver/identities.h"
#include "support/scratch_folder.h"

using namespace tellerd;

TEST_SUITE_BEGIN("silver.identities");

namespace {

// Some lie in their entry, some do not fit there.
std::vector<std::string> keys_of_many_lengths() {
  std::vector<std::string> keys;
  for (int number = 0; number < 3'000; ++number)
    for (const std::size_t bytes : {5u, 19u, 20u, 21u, 300u}) {
      const std::string end = fmt::format("{:04}", number);
      keys.push_back(std::string(bytes - end.size(), static_cast<char>('a' + bytes % 23)) + end);
    }
  return keys;
}

}  // namespace

TEST_CASE("keys of any length are told apart by all of their bytes and by their system, also after a restart") {
  const tests::ScratchFolder folder;
  const auto keys = keys_of_many_lengths();
  const auto check = [&](silver::Identities& known) {
    CHECK(known.count() == 2 * keys.size());
    std::size_t wrong = 0;
    for (std::size_t at = 0; at < keys.size(); ++at) {
      const auto first = static_cast<silver::CustomerId>(at + 1),
                 second = static_cast<silver::CustomerId>(keys.size() + at + 1);
      wrong += known.find("one", keys[at]) != first || known.find("two", keys[at]) != second;
      wrong += known.key(first) != keys[at] || known.system_name(second) != "two";
      wrong += known.find_or_make("one", keys[at]).is_new;
      wrong += known.find("one", keys[at] + "x") != 0 || known.find("three", keys[at]) != 0;
    }
    CHECK(wrong == 0);
  };
  {
    auto database = store::Database::open_writer(folder / "teller.db");
    app::migrate(database);
    store::Transaction transaction(database);
    silver::Identities made(database);
    for (const char* system : {"one", "two"})
      for (const auto& key : keys) CHECK(made.find_or_make(system, key).is_new);
    check(made);
    transaction.commit();
  }
  auto database = store::Database::open_writer(folder / "teller.db");
  silver::Identities read(database);
  read.read(database);
  check(read);
}

TEST_CASE("the hint names whose key it is, and nobody for a key that is not known") {
  const tests::ScratchFolder folder;
  auto database = store::Database::open_writer(folder / "teller.db");
  app::migrate(database);
  silver::Identities known(database);
  CHECK(known.likely(known.prefetch("one", "a")) == 0);
  std::vector<silver::CustomerId> ids;
  const auto keys = keys_of_many_lengths();
  for (const auto& key : keys) ids.push_back(known.find_or_make("one", key).id);
  std::size_t right = 0, somebody = 0;
  for (std::size_t at = 0; at < keys.size(); ++at) {
    right += known.likely(known.prefetch("one", keys[at])) == ids[at];
    somebody += known.likely(known.prefetch("one", keys[at] + "x")) != 0;
  }
  CHECK(right == keys.size());
  CHECK(somebody == 0);
}

TEST_SUITE_END();
