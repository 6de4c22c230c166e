#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>

#include "core/fault.h"
#include "store/database.h"
#include "support/scratch_folder.h"

using namespace tellerd;

TEST_SUITE("store.database") {
  TEST_CASE("a file is made though readers look into it all the while") {
    const tests::ScratchFolder folder;
    for (int round = 0; round < 20; ++round) {
      const auto file = folder / ("new" + std::to_string(round) + ".db");
      std::atomic<bool> is_made{false};
      std::thread curious([&] {
        while (!is_made) {
          try {
            store::Database::open_reader(file).integer("SELECT count(*) FROM sqlite_master");
          } catch (const core::Fault&) {  // not there yet
          }
        }
      });
      CHECK_NOTHROW(store::Database::open_writer(file).execute("CREATE TABLE t(a)"));
      is_made = true;
      curious.join();
    }
  }

  TEST_CASE("long work is heard of while it goes on, short work need not be") {
    const tests::ScratchFolder folder;
    auto database = store::Database::open_writer(folder / "a.db");
    int beats = 0;
    database.while_working([&beats] { ++beats; });
    const auto count_to = [&](int n) {
      return database.integer("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<" +
                              std::to_string(n) + ") SELECT count(*) FROM c");
    };
    CHECK(count_to(10) == 10);
    CHECK(beats == 0);
    CHECK(count_to(1'000'000) == 1'000'000);
    CHECK(beats > 20);
  }

  TEST_CASE("what waits to be folded is counted from the last fold, however long the log's file has become") {
    const tests::ScratchFolder folder;
    auto database = store::Database::open_writer(folder / "a.db");
    database.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT)");
    database.checkpoint(true);
    CHECK(database.unfolded_bytes() == 0);
    database.execute(
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<20000) INSERT INTO t SELECT n, hex(n) "
        "FROM c");
    const std::int64_t pages = database.integer("PRAGMA page_count");
    CHECK(database.unfolded_bytes() >= (pages - 2) * 4096);
    CHECK(database.unfolded_bytes() <= database.wal_bytes());
    CHECK(database.checkpoint(false));
    CHECK(database.unfolded_bytes() == 0);
    CHECK(database.wal_bytes() > 100'000);
    auto moved = std::move(database);
    moved.execute("UPDATE t SET b='x' WHERE a=1");
    CHECK(moved.unfolded_bytes() > 0);
    CHECK(moved.unfolded_bytes() <= 3 * 4096);
    auto reader = store::Database::open_reader(folder / "a.db");
    reader.execute("BEGIN");
    CHECK(reader.integer("SELECT count(*) FROM t") == 20'000);
    moved.execute("UPDATE t SET b='y' WHERE a=1");
    CHECK_FALSE(moved.checkpoint(false));  // what the reader has not seen stays to be folded
    CHECK(moved.unfolded_bytes() > 0);
  }

  TEST_CASE("a snapshot is heard of too, and moving the connection keeps the listener") {
    const tests::ScratchFolder folder;
    auto first = store::Database::open_writer(folder / "a.db");
    first.execute(
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT); CREATE INDEX t_b ON t(b);"
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<200000) INSERT INTO t SELECT n, "
        "hex(n*7919%200003) FROM c");
    int beats = 0;
    first.while_working([&beats] { ++beats; });
    auto moved = std::move(first);
    moved.snapshot_into(folder / "b.db");
    CHECK(beats > 0);
    CHECK(store::Database::open_reader(folder / "b.db").integer("SELECT count(*) FROM t") == 200'000);
  }
}
