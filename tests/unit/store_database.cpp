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
