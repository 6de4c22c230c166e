#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/fault.h"
#include "core/varint.h"
#include "store/bulk_insert.h"

using namespace tellerd;

TEST_SUITE("store.bulk_insert") {
  TEST_CASE("every row and every type arrives as it was given, in the caller's order") {
    auto database = store::Database::in_memory();
    database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER, words TEXT, bytes BLOB) STRICT");
    store::BulkInsert insert(database, "INSERT INTO t", "id,n,words,bytes");
    const std::string zeros(3, '\0');
    std::string words;
    insert.run(3, [&](std::size_t at, store::BulkRow& row) {
      words = "row " + std::to_string(at) + " Привет";
      row.add_all(static_cast<std::int64_t>(at) * 10 - 10, INT64_MIN + static_cast<std::int64_t>(at));
      row.add(std::string_view(words));
      if (at == 1)
        row.add_null();
      else
        row.add_blob(at == 0 ? std::string_view(zeros) : std::string_view());
    });
    store::Statement all(database, "SELECT id,n,words,hex(bytes),typeof(bytes),length(words) FROM t ORDER BY id");
    std::vector<std::string> found;
    while (all.step()) {
      std::string line;
      for (int column = 0; column < all.columns(); ++column) line += std::string(all.text(column)) + "|";
      found.push_back(line);
    }
    CHECK(found == std::vector<std::string>{"-10|-9223372036854775808|row 0 Привет|000000|blob|12|",
                                            "0|-9223372036854775807|row 1 Привет||null|12|",
                                            "10|-9223372036854775806|row 2 Привет||blob|12|"});
  }

  TEST_CASE("no rows are no statement, and the same insert runs again and again") {
    auto database = store::Database::in_memory();
    database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY) STRICT");
    store::BulkInsert insert(database, "INSERT INTO t", "id");
    insert.run(0, [](std::size_t, store::BulkRow&) { FAIL("nothing is asked for"); });
    for (std::int64_t round = 0; round < 3; ++round)
      insert.run(1000,
                 [&](std::size_t at, store::BulkRow& row) { row.add(round * 1000 + static_cast<std::int64_t>(at)); });
    CHECK(database.integer("SELECT count(*) FROM t") == 3000);
    CHECK(database.integer("SELECT sum(id) FROM t") == 2999 * 3000 / 2);
  }

  TEST_CASE("REPLACE takes the place of the row that stood there") {
    auto database = store::Database::in_memory();
    database.execute(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT; INSERT INTO t VALUES(1,1),(2,2)");
    store::BulkInsert put(database, "REPLACE INTO t", "id,n");
    put.run(2, [](std::size_t at, store::BulkRow& row) {
      row.add_all(static_cast<std::int64_t>(at) + 2, std::int64_t{7});
    });
    CHECK(database.integer("SELECT sum(id*10+n) FROM t") == 11 + 27 + 37);
  }

  TEST_CASE("a row that the table refuses leaves none of them, and the next insert is unharmed") {
    auto database = store::Database::in_memory();
    database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY) STRICT");
    store::BulkInsert insert(database, "INSERT INTO t", "id");
    auto fill = [](std::size_t at, store::BulkRow& row) { row.add(static_cast<std::int64_t>(at == 2 ? 1 : at)); };
    CHECK_THROWS_AS(insert.run(3, fill), core::Fault);
    CHECK(database.integer("SELECT count(*) FROM t") == 0);
    insert.run(2, fill);
    CHECK(database.integer("SELECT count(*) FROM t") == 2);
    {
      store::Transaction transaction(database);
      database.execute("DELETE FROM t");
      CHECK_THROWS_AS(insert.run(3, fill), core::Fault);
      CHECK_FALSE(database.is_in_transaction());
      CHECK_THROWS_AS(transaction.commit(), core::Fault);  // what was undone is not taken for done
    }
    CHECK(database.integer("SELECT count(*) FROM t") == 2);
  }

  TEST_CASE("the rows' table is nobody's to read between inserts") {
    auto database = store::Database::in_memory();
    database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY) STRICT");
    const store::BulkInsert insert(database, "INSERT INTO t", "id");
    CHECK(database.integer("SELECT count(*) FROM bulk_rows") == 0);
    CHECK_THROWS_AS(database.execute("CREATE VIRTUAL TABLE mine USING bulk_rows"), core::Fault);
  }
}

TEST_SUITE("core.varint") {
  TEST_CASE("every integer comes back, small ones in one byte") {
    std::string bytes;
    const std::vector<std::int64_t> values{0, -1, 1, 63, -64, 64, -65, 300, INT32_MIN, INT64_MAX, INT64_MIN};
    for (const std::int64_t value : values) core::put_varint(bytes, value);
    CHECK(bytes.size() == 1 * 5 + 2 * 3 + 5 + 10 + 10);
    std::string_view rest = bytes;
    for (const std::int64_t value : values) CHECK(core::take_varint(rest) == value);
    CHECK(rest.empty());
    CHECK(core::take_varint(rest) == 0);
  }
}
