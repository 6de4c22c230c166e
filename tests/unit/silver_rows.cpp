#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "app/migrations.h"
#include "silver/rows.h"
#include "store/bulk_insert.h"
#include "support/scratch_folder.h"

using namespace tellerd;
using silver::Row;
using silver::RowState;
using wire::Kind;

namespace {

Row transaction(std::int64_t seq, std::string_view id) {
  Row row;
  row.seq = seq;
  row.customer = 7;
  row.prev = seq - 1;
  row.mark = seq * 100;
  row.event.id = id;
  row.event.occurred_us = 1'700'000'000'000'000 + seq;
  row.event.version = 3;
  wire::Transaction fact;
  fact.amount_minor = -seq;
  fact.currency = "RUB";
  fact.direction = "debit";
  fact.mcc = 5411;
  fact.merchant = "Пятёрочка";
  row.event.body = fact;
  return row;
}

struct Store {
  tests::ScratchFolder folder;
  store::Database database = store::Database::open_writer(folder / "teller.db");
  Store() { app::migrate(database); }
};

void check_is(const std::optional<Row>& found, std::int64_t seq, RowState state) {
  REQUIRE(found.has_value());
  CHECK(found->seq == seq);
  CHECK(found->customer == 7);
  CHECK(found->prev == seq - 1);
  CHECK(found->mark == seq * 100);
  CHECK(found->state == state);
  CHECK(found->event.id == "t" + std::to_string(seq));
  CHECK(found->event.version == 3);
  CHECK(found->event.occurred_us == 1'700'000'000'000'000 + seq);
  const auto& fact = std::get<wire::Transaction>(found->event.body);
  CHECK(fact.amount_minor == -seq);
  CHECK(fact.merchant == "Пятёрочка");
  CHECK(fact.mcc == 5411);
  CHECK(fact.channel.empty());
}

}  // namespace

TEST_SUITE("silver.rows") {
  TEST_CASE("a row reads the same before and after it is written out") {
    Store store;
    silver::Rows rows(store.database);
    rows.append(transaction(1, "t1"));
    rows.append(transaction(5, "t5"));
    rows.set_state(Kind::kTransaction, 1, RowState::kReplaced);
    for (int pass = 0; pass < 2; ++pass) {
      check_is(rows.read(Kind::kTransaction, 1), 1, RowState::kReplaced);
      check_is(rows.read(Kind::kTransaction, 5), 5, RowState::kAlive);
      CHECK_FALSE(rows.read(Kind::kTransaction, 3).has_value());
      CHECK_FALSE(rows.read(Kind::kLogin, 5).has_value());
      CHECK(store.database.integer("SELECT count(*) FROM silver_transaction") == (pass ? 2 : 0));
      rows.write_out();
    }
    CHECK(store.database.integer("SELECT state FROM silver_transaction WHERE seq=1") == 1);
  }

  TEST_CASE("a mark set or taken holds, in the tail and in the table") {
    Store store;
    silver::Rows rows(store.database);
    rows.append(transaction(1, "t1"));
    rows.set_mark(Kind::kTransaction, 1, std::nullopt);
    CHECK_FALSE(rows.read(Kind::kTransaction, 1)->mark.has_value());
    rows.write_out();
    CHECK(store.database.integer("SELECT branch_minor IS NULL FROM silver_transaction") == 1);
    rows.set_mark(Kind::kTransaction, 1, 42);
    CHECK(rows.read(Kind::kTransaction, 1)->mark == 42);
  }

  TEST_CASE("each() sees rows of the tail, and retention takes them too") {
    Store store;
    silver::Rows rows(store.database);
    for (std::int64_t seq = 1; seq <= 9; ++seq) rows.append(transaction(seq, "t" + std::to_string(seq)));
    rows.set_state(Kind::kTransaction, 4, RowState::kReplaced);
    std::int64_t sum = 0;
    rows.each(Kind::kTransaction, [&](const Row& row) { sum += row.seq; });
    CHECK(sum == 45 - 4);
    CHECK_FALSE(rows.drop_below(6, 3));
    CHECK(store.database.integer("SELECT count(*) FROM silver_transaction") == 6);
    CHECK(rows.drop_below(6, 3));
    CHECK(store.database.integer("SELECT min(seq) FROM silver_transaction") == 6);
  }

  TEST_CASE("more rows than the tail holds go in by themselves, with texts of any size") {
    Store store;
    silver::Rows rows(store.database);
    const std::string long_text(4000, 'x');
    for (std::int64_t seq = 1; seq <= 40'000; ++seq) {
      const std::string id = "t" + std::to_string(seq);
      Row row = transaction(seq, id);
      if (seq % 10 == 0) std::get<wire::Transaction>(row.event.body).city = long_text;
      rows.append(row);
    }
    check_is(rows.read(Kind::kTransaction, 1), 1, RowState::kAlive);
    check_is(rows.read(Kind::kTransaction, 40'000), 40'000, RowState::kAlive);
    rows.write_out();
    CHECK(store.database.integer("SELECT count(*) FROM silver_transaction WHERE length(city)=4000") == 4000);
    CHECK(store.database.integer("SELECT count(*) FROM silver_transaction") == 40'000);
  }

  TEST_CASE("a row changed while it is being written is committed as it was, and reads as it is") {
    Store store;
    silver::Rows rows(store.database);
    const auto committed = [&store](std::int64_t seq) {
      return store::Database::open_reader(store.folder / "teller.db")
          .integer("SELECT state*1000000+branch_minor FROM silver_transaction WHERE seq=" + std::to_string(seq));
    };
    rows.append(transaction(1, "t1"));
    store.database.execute("BEGIN");
    rows.close();
    std::atomic<bool> is_changed{false};
    store.database.lend([&] {
      while (!is_changed) std::this_thread::yield();
      rows.write_closed();
      store.database.execute("COMMIT");
    });
    rows.commit_begins(1);
    rows.append(transaction(2, "t2"));  // of a later record, as the change is
    rows.set_state(Kind::kTransaction, 1, RowState::kReplaced);
    rows.set_mark(Kind::kTransaction, 1, 5);
    CHECK(rows.read(Kind::kTransaction, 1)->state == RowState::kReplaced);
    CHECK(rows.read(Kind::kTransaction, 1)->mark == 5);
    is_changed = true;
    while (store.database.is_lent()) std::this_thread::yield();
    rows.commit_is_through();
    CHECK(committed(1) == 100);  // alive, with the mark it was told with
    store.database.take_back();
    CHECK(committed(1) == static_cast<std::int64_t>(RowState::kReplaced) * 1'000'000 + 5);
    rows.write_out();
    CHECK(rows.read(Kind::kTransaction, 1)->state == RowState::kReplaced);
    CHECK(rows.read(Kind::kTransaction, 1)->mark == 5);
    check_is(rows.read(Kind::kTransaction, 2), 2, RowState::kAlive);
  }

  TEST_CASE("a row that is committed and no longer in memory is read as it is now, while the connection is lent") {
    Store store;
    silver::Rows rows(store.database);
    const auto commit = [&](std::int64_t seq) {
      store.database.execute("BEGIN");
      rows.append(transaction(seq, "t" + std::to_string(seq)));
      rows.write_out();
      rows.commit_begins(seq);
      store.database.execute("COMMIT");
      rows.commit_is_through();
    };
    for (std::int64_t seq = 1; seq <= 3; ++seq) commit(seq);
    store.database.execute("BEGIN");
    rows.set_state(Kind::kTransaction, 1, RowState::kReplaced);  // of the commit that comes
    rows.set_mark(Kind::kTransaction, 1, 7);
    rows.write_out();
    rows.commit_begins(3);
    std::atomic<bool> is_read{false};
    store.database.lend([&] {  // longer than this test waits, if somebody waited for it
      for (int ms = 0; ms < 5'000 && !is_read; ++ms) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      store.database.execute("COMMIT");
    });
    rows.set_mark(Kind::kTransaction, 2, 9);  // of a later one
    const auto of_commit = rows.read(Kind::kTransaction, 1), of_later = rows.read(Kind::kTransaction, 2);
    CHECK(store.database.is_lent());
    is_read = true;
    CHECK(of_commit->state == RowState::kReplaced);
    CHECK(of_commit->mark == 7);
    CHECK(of_later->state == RowState::kAlive);
    CHECK(of_later->mark == 9);
    store.database.take_back();
    rows.commit_is_through();
    CHECK(rows.read(Kind::kTransaction, 1)->mark == 7);
    CHECK(rows.read(Kind::kTransaction, 2)->mark == 9);
  }

  TEST_CASE("a row whose change waits to be written is read as it is now, and the change goes on waiting") {
    Store store;
    silver::Rows rows(store.database);
    store.database.execute("BEGIN");
    for (std::int64_t seq = 1; seq <= 2; ++seq) rows.append(transaction(seq, "t" + std::to_string(seq)));
    rows.write_out();
    rows.commit_begins(2);
    store.database.execute("COMMIT");
    rows.commit_is_through();
    rows.make_room(false, 0, 0);
    rows.forget_kept();
    store.database.execute("BEGIN");
    rows.set_state(Kind::kTransaction, 1, RowState::kReplaced);
    rows.set_mark(Kind::kTransaction, 1, 7);
    CHECK(store.database.waiting_writes() == 2);
    const auto changed = rows.read(Kind::kTransaction, 1);
    CHECK(changed->state == RowState::kReplaced);
    CHECK(changed->mark == 7);
    check_is(rows.read(Kind::kTransaction, 2), 2, RowState::kAlive);
    CHECK(store.database.waiting_writes() == 2);
    rows.set_mark(Kind::kTransaction, 1, std::nullopt);  // once more, and a mark that goes
    CHECK_FALSE(rows.read(Kind::kTransaction, 1)->mark.has_value());
    CHECK(rows.read(Kind::kTransaction, 1)->state == RowState::kReplaced);
    const auto in_use = rows.read(Kind::kTransaction, 2);
    store.database.take_back();  // the writes are done beside what is read still
    CHECK(store.database.waiting_writes() == 0);
    check_is(in_use, 2, RowState::kAlive);
    store.database.execute("COMMIT");
    CHECK(store.database.integer("SELECT state FROM silver_transaction WHERE seq=1 AND branch_minor IS NULL") ==
          static_cast<std::int64_t>(RowState::kReplaced));
  }

  TEST_CASE("what was read while the connection is lent holds until the turn's end, whatever else is read") {
    Store store;
    silver::Rows rows(store.database);
    Row product;
    product.seq = 2;
    product.event.id = "p2";
    wire::Product fact;
    fact.product = "a lamp for a long table";
    fact.name = "Лампа";
    product.event.body = fact;
    store.database.execute("BEGIN");
    rows.append(transaction(1, "t1"));
    rows.append(product);
    rows.write_out();
    rows.commit_begins(2);
    store.database.execute("COMMIT");
    rows.commit_is_through();
    rows.end_turn();
    rows.forget_kept();
    std::atomic<bool> is_read{false};
    store.database.lend([&] {
      for (int ms = 0; ms < 5'000 && !is_read; ++ms) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    const auto first = rows.read(Kind::kTransaction, 1);
    const auto other = rows.read(Kind::kProduct, 2);
    CHECK(store.database.is_lent());
    check_is(first, 1, RowState::kAlive);
    REQUIRE(other.has_value());
    CHECK(std::get<wire::Product>(other->event.body).product == "a lamp for a long table");
    rows.end_turn();
    is_read = true;
    store.database.take_back();
    CHECK(store.database.checkpoint(true));  // nobody holds the WAL
  }

  TEST_CASE("a row that is neither committed nor in memory is read between two rows that are being written") {
    Store store;
    silver::Rows rows(store.database);
    rows.make_room(true, 0);
    store.database.execute("BEGIN");
    const std::int64_t many = 2 * static_cast<std::int64_t>(rows.kept_max());
    for (std::int64_t seq = 1; seq <= many; ++seq) rows.append(transaction(seq, "t" + std::to_string(seq)));
    rows.set_state(Kind::kTransaction, 1, RowState::kReplaced);  // waits until the connection is back
    store.database.execute("CREATE TABLE other(id INTEGER PRIMARY KEY) STRICT");
    store::BulkInsert insert(store.database, "INSERT INTO other", "id");
    std::atomic<bool> is_read{false};
    store.database.lend([&] {  // longer than this test waits, if somebody waited for it
      insert.run(5'000, [&](std::size_t row, store::BulkRow& values) {
        if (!is_read) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        values.add(static_cast<std::int64_t>(row));
      });
    });
    rows.set_mark(Kind::kTransaction, 2, 9);
    CHECK(rows.read(Kind::kTransaction, 1)->state == RowState::kReplaced);
    CHECK(rows.read(Kind::kTransaction, 2)->mark == 9);
    const auto first = rows.read(Kind::kTransaction, 3);
    check_is(first, 3, RowState::kAlive);
    CHECK_FALSE(rows.read(Kind::kLogin, 3).has_value());
    CHECK_FALSE(rows.read(Kind::kTransaction, many + 1).has_value());
    CHECK(store.database.is_lent());
    is_read = true;
    store.database.take_back();
    CHECK(rows.read(Kind::kTransaction, 1)->state == RowState::kReplaced);
    CHECK(rows.read(Kind::kTransaction, 2)->mark == 9);
    rows.write_out();
    CHECK(store.database.integer("SELECT state FROM silver_transaction WHERE seq=1") == 1);
    CHECK(store.database.integer("SELECT branch_minor FROM silver_transaction WHERE seq=2") == 9);
    store.database.execute("COMMIT");
  }

  TEST_CASE("rows of a burst wait in memory that another thread touches ahead, and none of it is changed by that") {
    Store store;
    for (int attempt = 0; attempt < 3; ++attempt) {  // the last ends while the next memory is being touched
      silver::Rows rows(store.database);
      rows.make_room(true, 1'000'000);
      std::atomic<bool> is_over{false};
      store.database.lend([&] {
        while (!is_over) std::this_thread::yield();
      });
      constexpr std::int64_t kMany = 40'000;
      for (std::int64_t seq = 1; seq <= kMany; ++seq) rows.append(transaction(seq, "t" + std::to_string(seq)));
      for (std::int64_t seq = 1; seq <= kMany; seq += attempt == 0 ? 1 : 4'001)
        check_is(rows.read(Kind::kTransaction, seq), seq, RowState::kAlive);
      CHECK(store.database.is_lent());
      is_over = true;
      store.database.take_back();
    }
  }
}
