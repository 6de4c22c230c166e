#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "core/fault.h"
#include "store/database.h"
#include "store/paced_vfs.h"
#include "support/cut_vfs.h"
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

  // The system counts the calls (proc(5), syscw); two a page are SQLite's own.
  TEST_CASE("pages that follow one another reach the system in few calls") {
    const auto calls = [] {
      std::ifstream counts("/proc/self/io");
      std::string name;
      for (long count = 0; counts >> name >> count;)
        if (name == "syscw:") return count;
      return -1L;
    };
    const tests::ScratchFolder folder;
    auto writer = store::Database::open_writer(folder / "a.db");
    writer.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)");
    const std::int64_t pages_before = writer.integer("PRAGMA page_count");
    const long before = calls();
    REQUIRE(before >= 0);
    writer.execute("INSERT INTO t(b) VALUES(randomblob(1048576))");
    const long after = calls();
    const std::int64_t pages = writer.integer("PRAGMA page_count") - pages_before;
    REQUIRE(pages > 60);
    CHECK(after - before <= pages / 3);
    CHECK(writer.checkpoint(false));
    CHECK(store::Database::open_reader(folder / "a.db").quick_check() == "ok");
  }

  TEST_CASE("what another thread cannot sync ahead fails the transaction, though the next sync succeeds") {
    const tests::ScratchFolder folder;
    store::WriterOptions options;
    options.is_paced = true;
    options.cache_kib = 1024;
    auto writer = store::Database::open_writer(folder / "a.db", options);
    writer.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)");
    store::set_pace(writer, store::kPaceOfBurst);
    const auto insert = [&] {  // put out of the cache while it goes on: half as much again as is synced at once
      store::Transaction transaction(writer);
      for (int row = 0; row < 24; ++row) writer.execute("INSERT INTO t(b) VALUES(randomblob(1048576))");
      transaction.commit();
    };
    tests::fail_next_sync();
    CHECK_THROWS_WITH_AS(insert(), doctest::Contains("disk I/O error"), core::Fault);
    CHECK(writer.integer("SELECT count(*) FROM t") == 0);
    insert();
    CHECK(writer.integer("SELECT count(*) FROM t") == 24);
  }

  TEST_CASE("whoever looks after a commit sees all of it, whatever was rolled back, put out early or folded before") {
    const tests::ScratchFolder folder;
    for (const bool is_synced : {false, true}) {
      store::WriterOptions options;
      options.is_synced = is_synced;
      options.is_paced = !is_synced;
      options.cache_kib = 32;  // a few pages: the rest is put out before the commit, and read back
      const auto file = folder / (is_synced ? "s.db" : "u.db");
      auto writer = store::Database::open_writer(file, options);
      writer.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB); CREATE INDEX i ON t(b)");
      auto reader = store::Database::open_reader(file);
      std::mt19937 draw(7);
      std::map<std::int64_t, std::int64_t> expected;  // bytes of each row
      for (int turn = 0; turn < 150; ++turn) {
        auto coming = expected;
        std::optional<store::Transaction> transaction(std::in_place, writer);
        for (unsigned change = draw() % 60; change > 0; --change) {
          const std::int64_t row = draw() % 400, bytes = 1 + draw() % 9'000;
          if (draw() % 4 == 0) {
            writer.execute("DELETE FROM t WHERE a=" + std::to_string(row));
            coming.erase(row);
          } else {
            writer.execute("INSERT OR REPLACE INTO t VALUES(" + std::to_string(row) + ",randomblob(" +
                           std::to_string(bytes) + "))");
            coming[row] = bytes;
          }
        }
        if (draw() % 5 == 0) {
          transaction.reset();
        } else {
          transaction->commit();
          expected.swap(coming);
        }
        std::int64_t bytes = 0;
        for (const auto& row : expected) bytes += row.second;
        REQUIRE(reader.integer("SELECT count(*) FROM t") == static_cast<std::int64_t>(expected.size()));
        REQUIRE(reader.integer("SELECT coalesce(sum(length(b)),0) FROM t") == bytes);
        if (draw() % 7 == 0) writer.checkpoint(draw() % 2 == 0);
      }
      CHECK(reader.quick_check() == "ok");
      CHECK(store::Database::open_reader(file).integer("SELECT count(*) FROM t NOT INDEXED") ==
            reader.integer("SELECT count(b) FROM t INDEXED BY i"));
    }
  }

  TEST_CASE("a disk that is full for an instant, at any moment, leaves what SQLite believes is written") {
    const tests::ScratchFolder folder;
    store::WriterOptions options;
    options.is_synced = false;
    options.cache_kib = 32;
    int failed = 0;
    for (long at = 1; at <= 120; ++at) {
      CAPTURE(at);
      const auto file = folder / (std::to_string(at) + ".db");
      auto writer = store::Database::open_writer(file, options);
      writer.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB UNIQUE)");
      std::int64_t expected = 0;
      {
        const tests::FullDisk disk(at, false);
        std::optional<store::Transaction> transaction(std::in_place, writer);
        std::int64_t rows = 0;
        try {
          for (int part = 0; part < 150 && writer.is_in_transaction(); ++part) try {
              writer.execute(
                  "WITH RECURSIVE n(x) AS (VALUES(1) UNION ALL SELECT x+1 FROM n WHERE x<2) "
                  "INSERT INTO t(b) SELECT randomblob(3000) FROM n");
              rows += 2;
            } catch (const core::Fault&) {  // the statement alone, or all of the transaction
              ++failed;
            }
          if (writer.is_in_transaction()) transaction->commit();
          expected = writer.integer("SELECT count(*) FROM t") > 0 ? rows : 0;
        } catch (const core::Fault&) {  // of the commit
          ++failed;
        }
      }
      REQUIRE(writer.integer("SELECT count(*) FROM t") == expected);
      REQUIRE(store::Database::open_reader(file).integer("SELECT count(*) FROM t") == expected);
      REQUIRE(writer.checkpoint(false));
      REQUIRE(writer.quick_check() == "ok");
    }
    CHECK(failed > 20);
  }

  TEST_CASE("while a disk stays full, what was there is read, and what did not fit is gone once there is room") {
    const tests::ScratchFolder folder;
    for (const bool is_synced : {false, true}) {
      store::WriterOptions options;
      options.is_synced = is_synced;
      options.cache_kib = 32;
      const auto file = folder / (is_synced ? "s.db" : "u.db");
      auto writer = store::Database::open_writer(file, options);
      writer.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)");
      const auto put = [&writer] { writer.execute("INSERT INTO t(b) VALUES(randomblob(200000))"); };
      put();
      for (long at = 1; at <= 3; ++at) {
        CAPTURE(at);
        tests::FullDisk disk(at, true);
        CHECK_THROWS_AS(put(), core::Fault);
        for (int again = 0; again < 2; ++again) {
          CHECK_THROWS_AS(put(), core::Fault);
          CHECK(writer.integer("SELECT count(*) FROM t") == at);
          CHECK(store::Database::open_reader(file).integer("SELECT sum(length(b)) FROM t") == 200'000 * at);
        }
        disk.make_room();
        put();
        CHECK(writer.integer("SELECT sum(length(b)) FROM t") == 200'000 * (at + 1));
      }
      CHECK(writer.checkpoint(true));
      CHECK(writer.quick_check() == "ok");
    }
  }

  TEST_CASE("a copy that finds no room is an error, at each of its writes") {
    const tests::ScratchFolder folder;
    auto writer = store::Database::open_writer(folder / "a.db");
    writer.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB); CREATE INDEX i ON t(b)");
    for (int row = 0; row < 100; ++row) writer.execute("INSERT INTO t(b) VALUES(randomblob(3000))");
    int failed = 0;
    bool is_whole = false;
    for (long at = 1; !is_whole; ++at) {
      CAPTURE(at);
      REQUIRE(at < 1'000);
      const auto copy = folder / (std::to_string(at) + ".db");
      {
        const tests::FullDisk disk(at, true);
        try {
          writer.snapshot_into(copy);
          is_whole = true;
        } catch (const core::Fault&) {
          ++failed;
        }
      }
      if (!is_whole) continue;
      auto reader = store::Database::open_reader(copy);
      CHECK(reader.integer("SELECT count(*) FROM t NOT INDEXED") == 100);
      CHECK(reader.quick_check() == "ok");
    }
    CHECK(failed > 5);
  }

  // As SQLite treats a copy, in some versions: nothing of it is synced.
  TEST_CASE("what is written without a sync is there once SQLite says so") {
    const tests::ScratchFolder folder;
    auto writer = store::Database::open_writer(folder / "a.db");
    writer.execute("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)");
    writer.execute("INSERT INTO t(b) VALUES(randomblob(100000))");
    CHECK(store::Database::open_reader(folder / "a.db").integer("SELECT sum(length(b)) FROM t") == 100'000);
    {
      const tests::FullDisk disk(1, true);
      CHECK_THROWS_AS(writer.execute("UPDATE t SET b=randomblob(100000)"), core::Fault);
    }
    writer.execute("INSERT INTO t(b) VALUES(randomblob(100))");
    auto reader = store::Database::open_reader(folder / "a.db");
    CHECK(reader.integer("SELECT sum(length(b)) FROM t") == 100'100);
    CHECK(reader.quick_check() == "ok");
  }

  TEST_CASE("of a scratch database, which nothing syncs, a fold that stops at a reader is read whole") {
    const tests::ScratchFolder folder;
    const auto file = folder / "a.db";
    store::WriterOptions options;
    options.is_scratch = true;
    auto writer = store::Database::open_writer(file, options);
    writer.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)");
    CHECK(writer.checkpoint(true));
    writer.execute("INSERT INTO t(b) VALUES(randomblob(40000))");
    auto earlier = store::Database::open_reader(file);
    store::Statement looking(earlier, "SELECT a FROM t");
    REQUIRE(looking.step());
    writer.execute("CREATE TABLE other(a)");
    CHECK_FALSE(writer.checkpoint(false));
    CHECK(store::Database::open_reader(file).integer("SELECT length(b) FROM t") == 40'000);
    CHECK(store::Database::open_reader(file).quick_check() == "ok");
  }
}
