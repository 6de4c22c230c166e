#include <doctest/doctest.h>

#include <map>
#include <random>
#include <vector>

#include "app/migrations.h"
#include "gold/customer_rows.h"
#include "store/database.h"
#include "support/scratch_folder.h"

using namespace tellerd;
using gold::Customer;
using silver::CustomerId;

TEST_SUITE_BEGIN("gold");

TEST_CASE("customers are written as they were when they were taken, whatever becomes of them before") {
  constexpr CustomerId kCustomers = 2'000;
  tests::ScratchFolder folder;
  auto database = store::Database::open_writer(folder / "teller.db");
  app::migrate(database);
  gold::CustomerRows rows(database);

  std::mt19937_64 chance(7);
  std::vector<Customer> customers(kCustomers);
  std::vector<std::map<int, std::int64_t>> spent(kCustomers);
  std::vector<CustomerId> ids;
  for (CustomerId id = 0; id < kCustomers; ++id) {
    Customer& one = customers[id];
    one.week = 2900;
    one.transaction_total_minor = -1000 - std::int64_t{id};
    one.lifetime_count = static_cast<std::int32_t>(id) + 5;
    one.bits[gold::kSms].any = id;
    one.has_profile = id % 3 == 0;
    for (std::uint64_t left = chance() % 6; left > 0; --left) {  // some have none
      const auto category = static_cast<std::uint8_t>(chance() % 20);
      const auto amount = static_cast<std::int64_t>(chance() >> (20 + chance() % 40));
      one.spend.add(category, amount);
      if (amount) spent[id][category] += amount;
    }
    ids.push_back(id);
  }
  const auto take = [&](std::span<const CustomerId> some) {
    rows.take(some, [&](std::size_t at) -> gold::CustomerRows::Shown {
      return {customers[some[at]], some[at] % 2 ? "groceries" : ""};
    });
  };
  const std::span<const CustomerId> all = ids;
  take(all.first(700));
  take(all.subspan(700));
  for (auto& one : customers) {  // the engine goes on
    one.transaction_total_minor = 1;
    one.bits = {};
    one.has_profile = true;
    one.spend.add(3, 1'000'000'000'000);
  }
  rows.write_taken();

  std::size_t seen = 0;
  gold::CustomerRows::read_all(database, [&](CustomerId id, Customer&& one) {
    ++seen;
    CHECK(one.week == 2900);
    CHECK(one.last_tx_week == gold::kNoWeek);
    CHECK(one.transaction_total_minor == -1000 - std::int64_t{id});
    CHECK(one.lifetime_count == static_cast<std::int32_t>(id) + 5);
    CHECK(one.bits[gold::kSms].any == id);
    CHECK(one.has_profile == (id % 3 == 0));
    std::map<int, std::int64_t> found;
    one.spend.view().each([&](std::uint8_t category, std::int64_t sum) { found[category] = sum; });
    CHECK(found == spent[id]);
  });
  CHECK(seen == kCustomers);
  CHECK(database.integer("SELECT count(*) FROM gold_customer WHERE priority_category='groceries' AND id%2=1") ==
        kCustomers / 2);
  CHECK(database.integer("SELECT count(*) FROM gold_customer WHERE priority_category IS NULL AND id%2=0") ==
        kCustomers / 2);
}

TEST_SUITE_END();
