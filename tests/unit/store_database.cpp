#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "core/fault.h"
#include "store/database.h"
#include "store/paced_vfs.h"
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

  // As a reader does that finds the log's index half written (SQLite's walIndexReadHdr).
  TEST_CASE("a writer waits for who holds its lock for an instant, but does not fold while somebody reads") {
    const tests::ScratchFolder folder;
    const auto file = folder / "a.db";
    auto writer = store::Database::open_writer(file), other = store::Database::open_writer(file);
    writer.execute("CREATE TABLE t(a)");
    other.execute("BEGIN IMMEDIATE");
    std::thread holder([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      other.execute("COMMIT");
    });
    CHECK_NOTHROW(writer.execute("INSERT INTO t VALUES(1)"));
    holder.join();

    auto reader = store::Database::open_reader(file);
    reader.execute("BEGIN");
    CHECK(reader.integer("SELECT count(*) FROM t") == 1);
    writer.execute("INSERT INTO t VALUES(2)");
    const auto before = std::chrono::steady_clock::now();
    CHECK_FALSE(writer.checkpoint(true));
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::milliseconds(900));  // not the lock's patience
    writer.execute("BEGIN IMMEDIATE");
    CHECK_THROWS_AS(other.execute("INSERT INTO t VALUES(3)"), core::Fault);  // another writer stays a fault
    writer.execute("COMMIT");
  }

  TEST_CASE(
      "a statement that is kept answers as a new one does, bound or not, twice at once, after the schema changed") {
    const tests::ScratchFolder folder;
    const auto file = folder / "a.db";
    auto writer = store::Database::open_writer(file);
    writer.execute("CREATE TABLE t(a); INSERT INTO t VALUES(1),(2),(3)");
    auto kept = store::Database::open_reader(file), fresh = store::Database::open_reader(file);
    kept.keep_statements();
    const auto rows_of = [](store::Database& of, std::int64_t least, bool is_bound) {
      store::Statement query(of, "SELECT * FROM t WHERE a>=?1 OR ?1 IS NULL ORDER BY a");
      if (is_bound) query.bind(1, least);
      std::string text;
      while (query.step())
        for (int at = 0; at < query.columns(); ++at) text += std::string(query.text(at)) + ";";
      return text;
    };
    for (int round = 0; round < 3; ++round) {
      for (const std::int64_t least : {1, 3, 4}) CHECK(rows_of(kept, least, true) == rows_of(fresh, least, true));
      CHECK(rows_of(kept, 0, false) == "1;2;3;");  // nothing is left of what was bound before
    }
    {
      store::Statement one(kept, "SELECT a FROM t"), other(kept, "SELECT a FROM t");  // one left where it stands
      CHECK(one.step());
      CHECK(other.step());
      CHECK(other.step());
      CHECK(one.integer(0) == 1);
      CHECK(other.integer(0) == 2);
    }
    store::Statement again(kept, "SELECT a FROM t");
    CHECK(again.step());
    CHECK(again.integer(0) == 1);
    again.reset();
    writer.execute("ALTER TABLE t ADD COLUMN b DEFAULT 7; DELETE FROM t WHERE a<3");
    CHECK(rows_of(kept, 1, true) == "3;7;");
    for (int at = 0; at < 300; ++at)  // more texts than are kept
      CHECK(kept.integer("SELECT " + std::to_string(at)) == at);
    CHECK(rows_of(kept, 1, true) == "3;7;");
    writer.checkpoint(true);
    CHECK(writer.wal_bytes() == 0);  // no kept statement holds a read open
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

  TEST_CASE("much that is written at once is synced in pieces, little is not, and both are read back") {
    const tests::ScratchFolder folder;
    store::WriterOptions options;
    options.is_synced = false;
    options.is_paced = true;
    auto paced = store::Database::open_writer(folder / "a.db", options);
    paced.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)");
    const auto put = [](store::Database& into, int rows) {
      store::Transaction transaction(into);
      for (int row = 0; row < rows; ++row) into.execute("INSERT INTO t(b) VALUES(randomblob(65536))");
      transaction.commit();
    };
    const auto before = store::paced_syncs();
    put(paced, 4);
    CHECK(store::paced_syncs() == before);
    put(paced, 80);  // 5 MiB
    const auto logged = store::paced_syncs();
    CHECK(logged >= before + 4);
    CHECK(paced.checkpoint(false));
    CHECK(store::paced_syncs() >= logged + 4);
    auto reader = store::Database::open_reader(folder / "a.db");
    CHECK(reader.integer("SELECT count(*) FROM t WHERE length(b)=65536") == 84);
    CHECK(reader.quick_check() == "ok");

    store::set_pace(paced, store::kPaceOfBurst);
    const auto calm = store::paced_syncs();
    put(paced, 80);
    CHECK(paced.checkpoint(false));
    CHECK(store::paced_syncs() == calm);
    store::set_pace(paced, store::kPaceOfCalm);
    put(paced, 80);
    CHECK(store::paced_syncs() >= calm + 4);

    auto plain = store::Database::open_writer(folder / "b.db");
    store::set_pace(plain, 1);
    plain.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)");
    const auto then = store::paced_syncs();
    put(plain, 80);
    CHECK(store::paced_syncs() == then);
  }

  TEST_CASE("a sync of what is synced goes no further, one of what is not known to be does") {
    const tests::ScratchFolder folder;
    auto writer = store::Database::open_writer(folder / "a.db");
    writer.execute("CREATE TABLE t(a INTEGER PRIMARY KEY)");
    auto saved = store::saved_syncs();
    for (int fold = 0; fold < 3; ++fold) {
      writer.execute("INSERT INTO t DEFAULT VALUES");
      writer.execute("INSERT INTO t DEFAULT VALUES");
      CHECK(store::saved_syncs() == saved);  // each commit reaches the disk
      CHECK(writer.checkpoint(fold == 1));
      CHECK(store::saved_syncs() == ++saved);  // of the log, before it is folded; not of the file, after that
    }
    writer.execute("INSERT INTO t DEFAULT VALUES");
    for (const char* part : {"", "-wal"})
      std::filesystem::copy_file(folder / (std::string("a.db") + part), folder / (std::string("b.db") + part));
    auto later = store::Database::open_writer(folder / "b.db");  // its log is another process's work
    CHECK(later.checkpoint(false));
    CHECK(store::saved_syncs() == saved);
    CHECK(later.integer("SELECT count(*) FROM t") == 7);

    store::WriterOptions options;
    options.is_synced = false;
    auto unsynced = store::Database::open_writer(folder / "c.db", options);
    unsynced.execute("CREATE TABLE t(a INTEGER PRIMARY KEY)");
    CHECK(unsynced.checkpoint(false));
    CHECK(store::saved_syncs() == saved);  // its commits are not on the disk before
  }
}
