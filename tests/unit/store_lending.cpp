// Writes that wait, and a connection that is lent: what its owner may do meanwhile, and what waits for its return.
#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <string>
#include <thread>

#include "core/fault.h"
#include "store/bulk_insert.h"
#include "store/database.h"
#include "store/paired_select.h"
#include "support/scratch_folder.h"

using namespace tellerd;

namespace {

// Work that goes on until the test lets it end.
struct Gate {
  std::atomic<bool> is_open{false};
  void pass() const {
    while (!is_open) std::this_thread::yield();
  }
};

std::chrono::nanoseconds thread_time() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

long wanted_switches() {
  rusage used{};
  getrusage(RUSAGE_THREAD, &used);
  return used.ru_nvcsw;
}

}  // namespace

TEST_SUITE("store.lending") {
  TEST_CASE("writes that wait are done before the next statement, in the order they came") {
    auto database = store::Database::in_memory();
    database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER, words TEXT, bytes BLOB) STRICT");
    store::Statement put(database, "REPLACE INTO t VALUES(?,?,?,?)");
    {
      std::string words = "one", bytes("\0b", 2);
      put.later(std::int64_t{1}, std::int64_t{10}, std::string_view(words), store::Blob{bytes});
      words = bytes = "gone";  // copies were taken
    }
    put.later(std::int64_t{2}, std::nullopt, std::string_view("two"), std::nullopt);
    put.later(std::int64_t{1}, std::int64_t{11}, std::string_view("one"), std::nullopt);
    CHECK(database.waiting_writes() == 3);
    // The same statement bound at once: what waits goes first and does not disturb its values.
    put.bind_all(std::int64_t{3}, std::int64_t{30}, std::string_view("three")).bind_null(4).run();
    CHECK(database.waiting_writes() == 0);
    store::Statement all(database, "SELECT group_concat(id||'/'||ifnull(n,'-')||'/'||words,' ') FROM t");
    REQUIRE(all.step());
    CHECK(all.text(0) == "1/11/one 2/-/two 3/30/three");
  }

  TEST_CASE("writes that wait are done by whoever it is lent to, before the work, and fail as the work does") {
    auto database = store::Database::in_memory();
    database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY) STRICT");
    store::Statement put(database, "INSERT INTO t VALUES(?)");
    put.later(std::int64_t{1});
    put.later(std::int64_t{2});
    std::int64_t seen = -1;
    Gate gate;
    database.lend([&] {
      gate.pass();
      seen = database.integer("SELECT count(*) FROM t");
    });
    CHECK(database.waiting_writes() == 0);  // the owner has none of them to do
    put.later(std::int64_t{3});             // of later than the work
    gate.is_open = true;
    database.wait();
    CHECK(seen == 2);
    CHECK(database.waiting_writes() == 1);  // which wait() leaves alone
    CHECK(database.integer("SELECT count(*) FROM t") == 3);

    put.later(std::int64_t{3});
    bool is_worked = false;
    database.lend([&] { is_worked = true; });
    CHECK_THROWS_AS(database.wait(), core::Fault);
    CHECK(!is_worked);
  }

  TEST_CASE("a write that fails is told with the statement that found it waiting") {
    auto database = store::Database::in_memory();
    database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY) STRICT");
    store::Statement put(database, "INSERT INTO t VALUES(?)");
    put.later(std::int64_t{1});
    put.later(std::int64_t{1});
    CHECK_THROWS_AS(database.integer("SELECT count(*) FROM t"), core::Fault);
  }

  TEST_CASE("what is lent weighs less, and as much as its owner while that is pressed") {
    auto database = store::Database::in_memory();
    const int own = getpriority(PRIO_PROCESS, 0);
    const auto lent_at = [&] {
      int niceness = 0;
      database.lend([&] { niceness = getpriority(PRIO_PROCESS, 0); });
      database.take_back();
      return niceness;
    };
    CHECK(lent_at() == std::max(own, 10));
    database.press_lent(true);
    CHECK(lent_at() == own);
    database.press_lent(false);
    CHECK(lent_at() == std::max(own, 10));
  }

  TEST_CASE("what is lent pauses while it is in the way, and not for an owner that waits, nor one that is pressed") {
    auto database = store::Database::in_memory();
    std::atomic<int> asked{0};
    database.pause_lent_while([&] {
      ++asked;
      return true;
    });
    constexpr auto kWork = std::chrono::milliseconds(30);
    long pauses = 0;  // each is a switch to another thread that it wanted itself
    const auto work = [&] {
      const auto worked_before = thread_time();
      const long paused_before = wanted_switches();
      while (thread_time() - worked_before < kWork) database.let_in();
      pauses = wanted_switches() - paused_before;
    };
    database.lend(work);
    while (database.is_lent()) std::this_thread::yield();
    CHECK(asked > 5);
    CHECK(pauses > 5);
    bool has_worked_on = false;  // its owner may lose his processor before he waits, but not each time
    for (int time = 0; time < 50 && !has_worked_on; ++time) {
      database.lend(work);
      database.take_back();
      has_worked_on = pauses < 3;
    }
    CHECK(has_worked_on);
    database.press_lent(true);
    asked = 0;
    database.lend(work);
    while (database.is_lent()) std::this_thread::yield();
    CHECK(asked == 0);
  }

  TEST_CASE("it pauses in one long statement and its commit, too, where nobody can be let in") {
    const tests::ScratchFolder scratch;
    store::WriterOptions options;
    options.is_paced = true;
    auto database = store::Database::open_writer(scratch.path() / "t.db", options);
    database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, bytes BLOB)");
    constexpr const char* kFill =
        "INSERT INTO t(bytes) WITH RECURSIVE n(at) AS (SELECT 1 UNION ALL SELECT at+1 FROM n WHERE at<8000) "
        "SELECT zeroblob(4000) FROM n";
    std::atomic<int> asked{0};
    database.pause_lent_while([&] {
      ++asked;
      return true;
    });
    int code = -1;
    database.lend([&] { code = sqlite3_exec(database.handle(), kFill, nullptr, nullptr, nullptr); });
    while (database.is_lent()) std::this_thread::yield();
    CHECK(code == SQLITE_OK);
    CHECK(asked > 5);
    database.take_back();
    CHECK(database.integer("SELECT count(*) FROM t") == 8'000);
  }

  TEST_CASE("while it pauses its owner has a word at once") {
    auto database = store::Database::in_memory();
    std::atomic<bool> is_in_the_way{true}, is_done{false};
    std::atomic<int> asked{0};
    database.pause_lent_while([&] {
      ++asked;
      return is_in_the_way.load();
    });
    database.lend([&] {
      while (!is_done) database.let_in();
    });
    while (asked < 5) CHECK(database.interject([] {}));
    is_in_the_way = false;
    is_done = true;
    database.take_back();
    CHECK_FALSE(database.is_lent());
  }

  TEST_CASE("while it is lent writes wait without holding up their owner, and statements wait for its return") {
    const tests::ScratchFolder scratch;
    auto database = store::Database::open_writer(scratch.path() / "t.db");
    database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER) STRICT; INSERT INTO t VALUES(1,1)");
    store::Statement put(database, "UPDATE t SET n=?2 WHERE id=?1");
    store::PairedSelect find(database, "SELECT n FROM t WHERE id=?");
    database.execute("BEGIN; UPDATE t SET n=2 WHERE id=1");
    Gate gate;
    std::atomic<int> returned{0};
    database.lend(
        [&] {
          gate.pass();
          database.execute("COMMIT");
        },
        [&] { ++returned; });
    CHECK(database.is_lent());
    put.later(std::int64_t{1}, std::int64_t{3});
    {
      store::Statement& aside = find.fresh(true);  // what is committed, and not what is being committed
      REQUIRE(aside.bind(1, std::int64_t{1}).step());
      CHECK(aside.integer(0) == 1);
    }
    find.reset();
    CHECK(database.is_lent());
    std::thread opener([&] { gate.is_open = true; });
    store::Statement& own = find.fresh(false);  // waits, and sees the write that waited
    REQUIRE(own.bind(1, std::int64_t{1}).step());
    CHECK(own.integer(0) == 3);
    opener.join();
    CHECK_FALSE(database.is_lent());
    while (returned == 0) std::this_thread::yield();
    find.reset();
    put.later(std::int64_t{2}, std::int64_t{4});  // of another row: who knows that does not do it first
    store::Statement& unchanged = find.fresh(true);
    REQUIRE(unchanged.bind(1, std::int64_t{1}).step());
    CHECK(unchanged.integer(0) == 3);
    find.reset();
    CHECK(database.waiting_writes() == 1);
    store::Statement& any = find.fresh(false);
    REQUIRE(any.bind(1, std::int64_t{1}).step());
    CHECK(database.waiting_writes() == 0);
    find.reset();
    CHECK(store::Database::open_reader(scratch.path() / "t.db").integer("SELECT n FROM t") == 3);
  }

  TEST_CASE("its owner has a word between two rows that are written, and sees those before") {
    auto database = store::Database::in_memory();
    database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY) STRICT");
    store::BulkInsert insert(database, "INSERT INTO t", "id");
    store::Statement count(database, "SELECT count(*), max(id) FROM t");
    CHECK_FALSE(database.interject([] {}));  // it is not lent
    constexpr std::int64_t kRows = 3'000'000;
    std::atomic<std::int64_t> filled{0};
    database.lend([&] {
      insert.run(kRows, [&](std::size_t row, store::BulkRow& values) {
        filled = static_cast<std::int64_t>(row) + 1;
        values.add(filled.load());
      });
    });
    std::int64_t seen = 0;
    for (int time = 0; time < 200; ++time) {
      const bool is_let_in = database.interject([&] {
        const std::int64_t before = filled;
        REQUIRE(count.step());
        CHECK(count.integer(0) >= before - 1);  // the last one filled may not be in yet
        CHECK(count.integer(0) <= before);
        CHECK(count.integer(0) == count.integer(1));
        CHECK(count.integer(0) >= seen);
        seen = count.integer(0);
        count.reset();
        CHECK(filled == before);  // the other one stands still
      });
      CHECK(is_let_in == (seen < kRows));
      if (!is_let_in) break;
    }
    CHECK_THROWS_AS(
        [&] {
          if (!database.interject([] { throw core::Fault(core::Exit::kDisk, "no room"); }))
            throw core::Fault(core::Exit::kDisk, "it was over before");
        }(),
        core::Fault);
    CHECK(database.integer("SELECT count(*) FROM t") == kRows);
    CHECK_FALSE(database.is_lent());
  }

  TEST_CASE("a word that finds no place before the end is not had") {
    auto database = store::Database::in_memory();
    Gate gate;
    database.lend([&] { gate.pass(); });
    std::thread opener([&] { gate.is_open = true; });
    CHECK_FALSE(database.interject([] { FAIL_CHECK("it was let in"); }));
    opener.join();
  }

  TEST_CASE("what the borrower throws reaches the owner once, at his next statement") {
    auto database = store::Database::in_memory();
    database.lend([] { throw core::Fault(core::Exit::kDisk, "no room"); });
    while (database.is_lent()) std::this_thread::yield();
    CHECK_THROWS_WITH_AS(database.integer("SELECT 1"), "no room", core::Fault);
    CHECK(database.integer("SELECT 1") == 1);
    database.lend([] { throw core::Fault(core::Exit::kDisk, "no room"); });
    database.end_lending();  // its owner goes: nobody wants to know
  }

  TEST_CASE("an owner that goes while work is under way takes what waits with it: the work does not find it") {
    const tests::ScratchFolder scratch;
    const auto file = scratch.path() / "t.db";
    {
      auto database = store::Database::open_writer(file);
      database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY) STRICT; BEGIN");
      store::Statement put(database, "INSERT INTO t VALUES(?)");
      put.bind_all(std::int64_t{1}).run();
      Gate gate;
      database.lend([&] {
        gate.pass();
        std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the owner has long begun to go
        database.execute("COMMIT");
      });
      put.later(std::int64_t{2});
      gate.is_open = true;
      database.end_lending();
    }
    CHECK(store::Database::open_reader(file).integer("SELECT count(*)*10+max(id) FROM t") == 11);
  }
}
