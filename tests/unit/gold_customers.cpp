#include <doctest/doctest.h>
#include <malloc.h>

#include <atomic>
#include <map>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "app/migrations.h"
#include "gold/customer_rows.h"
#include "gold/customers.h"
#include "store/database.h"
#include "support/scratch_folder.h"

using namespace tellerd;
using gold::Customer;
using gold::CustomerCopy;
using gold::CustomerId;
using gold::Customers;

namespace {

std::map<int, std::int64_t> sums_of(gold::SpendView spend) {
  std::map<int, std::int64_t> sums;
  spend.each([&](std::uint8_t category, std::int64_t sum) { sums[category] = sum; });
  return sums;
}

// What a test expects of a customer, kept apart from it.
struct Told {
  std::int64_t total = 0;
  std::map<int, std::int64_t> spent;
  friend bool operator==(const Told&, const Told&) = default;
};

void tell(Customers& customers, std::vector<Told>& told, CustomerId id, std::mt19937_64& chance) {
  Customer& one = customers.change(id);
  const auto amount = static_cast<std::int64_t>(chance() >> (20 + chance() % 40)) + 1;
  const auto category = static_cast<std::uint8_t>(chance() % 20);
  one.transaction_total_minor += amount;
  one.lifetime_minor = one.transaction_total_minor;  // the first and the last to be written belong together
  one.spend.add(category, amount);
  told[id].total += amount;
  told[id].spent[category] += amount;
}

Told told_by(const CustomerCopy& copy) {
  CHECK(copy.state.lifetime_minor == copy.state.transaction_total_minor);
  return {copy.state.transaction_total_minor, sums_of(copy.spend_view())};
}

}  // namespace

TEST_SUITE_BEGIN("gold");

TEST_CASE("customers are written as they stood at the cut, whatever becomes of them while they are written") {
  constexpr CustomerId kCustomers = 5'000;
  for (const std::size_t held_max : {std::size_t{3}, Customers::kHeldMax}) {
    CAPTURE(held_max);
    Customers customers(held_max);
    std::vector<Told> told(kCustomers + 1), written(kCustomers + 1);
    std::mt19937_64 chance(7);
    for (CustomerId id = 1; id <= kCustomers; ++id) customers.add();
    std::size_t changed_beside = 0;
    for (int round = 0; round < 20; ++round) {
      std::map<CustomerId, Told> expected;
      for (CustomerId id = 1; id <= kCustomers && round == 0; ++id) expected[id];  // all are new
      for (auto left = chance() % 4'000; left > 0; --left) {
        const auto id = static_cast<CustomerId>(1 + chance() % kCustomers);
        tell(customers, told, id, chance);
        expected[id];
      }
      CHECK(customers.changed() >= expected.size());  // and those changed beside the round before
      for (auto& [id, of] : expected) of = told[id];
      const std::vector<Told> at_cut = told;
      customers.cut();
      CHECK(customers.changed() == 0);
      std::atomic<bool> is_written{false};
      std::vector<CustomerId> order;
      std::thread writer([&] {
        customers.write_changed([&](std::span<const CustomerCopy> copies) {
          for (const CustomerCopy& copy : copies) {
            order.push_back(copy.id);
            written[copy.id] = told_by(copy);
          }
        });
        is_written = true;
      });
      while (!is_written) {
        tell(customers, told, static_cast<CustomerId>(1 + chance() % kCustomers), chance);
        ++changed_beside;
      }
      writer.join();
      CHECK(std::is_sorted(order.begin(), order.end()));
      CHECK(std::adjacent_find(order.begin(), order.end()) == order.end());
      for (const auto& one : expected) CHECK(std::binary_search(order.begin(), order.end(), one.first));
      CHECK(written == at_cut);
      CHECK(customers.held() == 0);
    }
    CHECK(changed_beside > 1'000);
    customers.give_back();
  }
}

TEST_CASE(
    "what is kept beside a customer is copied as it stood at the cut, and only where it has changed since the last") {
  constexpr CustomerId kCustomers = 3'000;
  struct Beside {
    std::uint32_t changed_in = 0;
    std::int64_t value = 0;
  };
  Customers customers;
  std::vector<Beside> besides(kCustomers + 1);
  customers.copy_with([&](CustomerId id, std::uint32_t round, std::string& bytes) {
    if (besides[id].changed_in == round) bytes += std::to_string(besides[id].value);
  });
  for (CustomerId id = 1; id <= kCustomers; ++id) customers.add();
  std::mt19937_64 chance(3);
  const auto change = [&](CustomerId id, bool is_beside_too) {
    customers.change(id).transaction_count += 1;
    if (!is_beside_too) return;
    besides[id].value += 1;
    if (besides[id].changed_in != customers.round()) besides[id].changed_in = customers.round();
  };
  std::size_t with = 0, without = 0;
  for (int round = 0; round < 20; ++round) {
    for (auto left = chance() % 2'000; left > 0; --left)
      change(static_cast<CustomerId>(1 + chance() % kCustomers), chance() % 2);
    const std::vector<Beside> at_cut = besides;
    const std::uint32_t cut_round = customers.round();
    customers.cut();
    std::atomic<bool> is_written{false};
    std::map<CustomerId, std::string> written;
    std::thread writer([&] {
      customers.write_changed([&](std::span<const CustomerCopy> copies) {
        for (const CustomerCopy& copy : copies) written[copy.id] = copy.beside;
      });
      is_written = true;
    });
    while (!is_written) change(static_cast<CustomerId>(1 + chance() % kCustomers), true);
    writer.join();
    for (CustomerId id = 1; id <= kCustomers; ++id) {
      const bool has_changed = at_cut[id].changed_in == cut_round;
      CHECK(written[id] == (has_changed ? std::to_string(at_cut[id].value) : std::string()));
      (has_changed ? with : without) += 1;
    }
  }
  CHECK(with > 1'000);
  CHECK(without > 1'000);
}

TEST_CASE("a customer that nobody has come to is copied before it changes, and after a flush that fails nobody waits") {
  Customers customers;
  std::vector<Told> told(2'001);
  std::mt19937_64 chance(11);
  for (CustomerId id = 1; id < told.size(); ++id) {
    customers.add();
    tell(customers, told, id, chance);
  }
  const std::vector<Told> at_cut = told;
  customers.cut();
  for (CustomerId id = 1; id < told.size(); id += 2) tell(customers, told, id, chance);
  CHECK(customers.held() == 1'000);
  CHECK(customers.changed() == 1'000);
  std::size_t seen = 0;
  customers.write_changed([&](std::span<const CustomerCopy> copies) {
    for (const CustomerCopy& copy : copies) CHECK(told_by(copy) == at_cut[copy.id]);
    seen += copies.size();
  });
  CHECK(seen == 2'000);
  CHECK(customers.held() == 0);

  customers.cut();
  tell(customers, told, 1, chance);
  CHECK_THROWS_AS(customers.write_changed([](std::span<const CustomerCopy>) { throw std::runtime_error("full"); }),
                  std::runtime_error);
  tell(customers, told, 3, chance);  // waits for nobody
  CHECK(customers.held() == 0);
  customers.cut();
  customers.forget_cut();
}

TEST_CASE("the room that copies took is given back") {
  constexpr CustomerId kCustomers = 60'000;
  Customers customers;
  for (CustomerId id = 1; id <= kCustomers; ++id) customers.add();
  customers.cut();
  for (CustomerId id = 1; id <= kCustomers; ++id) customers.change(id);
  CHECK(customers.held() == kCustomers);
  customers.write_changed([](std::span<const CustomerCopy>) {});
  const auto in_use = [] {
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const std::size_t before = in_use();
  customers.give_back();
  CHECK(in_use() + kCustomers * sizeof(CustomerCopy) <= before);
}

TEST_CASE("customers stand in the table as they were written") {
  constexpr CustomerId kCustomers = 2'000;
  tests::ScratchFolder folder;
  auto database = store::Database::open_writer(folder / "teller.db");
  app::migrate(database);
  gold::CustomerRows rows(database);
  Customers customers;
  std::vector<Told> told(kCustomers + 1);
  std::mt19937_64 chance(5);
  for (CustomerId id = 1; id <= kCustomers; ++id) {
    Customer& one = customers.add();
    one.week = 2900;
    one.lifetime_count = static_cast<std::int32_t>(id) + 5;
    one.bits[gold::kSms].any = id;
    one.has_profile = id % 3 == 0;
    for (auto left = chance() % 6; left > 0; --left) tell(customers, told, id, chance);  // some have spent nothing
  }
  customers.cut();
  customers.write_changed([&](std::span<const CustomerCopy> copies) {
    rows.write(copies, [](gold::SpendView spend) { return sums_of(spend).contains(3) ? "groceries" : ""; });
  });

  std::size_t seen = 0, grocers = 0;
  gold::CustomerRows::read_all(database, [&](CustomerId id, Customer&& one) {
    ++seen;
    CHECK(one.week == 2900);
    CHECK(one.last_tx_week == gold::kNoWeek);
    CHECK(one.transaction_total_minor == told[id].total);
    CHECK(one.lifetime_minor == told[id].total);
    CHECK(one.lifetime_count == static_cast<std::int32_t>(id) + 5);
    CHECK(one.bits[gold::kSms].any == id);
    CHECK(one.has_profile == (id % 3 == 0));
    CHECK(sums_of(one.spend.view()) == told[id].spent);
    grocers += told[id].spent.contains(3);
  });
  CHECK(seen == kCustomers);
  CHECK(grocers > 0);
  const auto counted = [&](const char* sql) { return static_cast<std::size_t>(database.integer(sql)); };
  CHECK(counted("SELECT count(*) FROM gold_customer WHERE priority_category='groceries'") == grocers);
  CHECK(counted("SELECT count(*) FROM gold_customer WHERE priority_category IS NULL") == kCustomers - grocers);
}

TEST_SUITE_END();
