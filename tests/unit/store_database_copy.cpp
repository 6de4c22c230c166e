// A copy that is made between commits.
#include <doctest/doctest.h>

#include "core/fault.h"
#include "store/database_copy.h"
#include "support/scratch_folder.h"

using namespace tellerd;

namespace {

std::string rows_of(store::Database& database) {
  store::Statement all(database, "SELECT group_concat(id || ':' || text, ';') FROM (SELECT * FROM thing ORDER BY id)");
  all.step();
  return std::string(all.text(0));
}

struct Source {
  Source() {
    database.execute("CREATE TABLE thing(id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
    put(1, 1'000);
  }
  void put(int from, int to) {
    store::Transaction transaction(database);
    store::Statement insert(database, "REPLACE INTO thing VALUES(?, ?)");
    for (int id = from; id <= to; ++id)
      insert.bind_all(std::int64_t{id}, std::string_view(std::string(200, static_cast<char>('a' + ++written % 26))))
          .run();
    transaction.commit();
  }
  tests::ScratchFolder folder;
  store::Database database = store::Database::open_writer(folder / "source.db");
  int written = 0;
};

}  // namespace

TEST_SUITE("store.database_copy") {
  TEST_CASE("what is written between two bits, before and behind what is copied, is in the copy; the log is folded") {
    Source source;
    store::DatabaseCopy copy(source.database, source.folder / "copy.db");
    int bits = 0;
    for (; !copy.go_on(4); ++bits) {
      source.put(1, 3);                         // copied long ago
      source.put(998, 1'000 + bits);            // not yet
      CHECK(source.database.checkpoint(true));  // nobody is in the way
      CHECK(source.database.wal_bytes() == 0);
    }
    CHECK(bits >= 10);  // 1,000 rows of 200 bytes fill some fifty pages of 4 KiB
    auto copied = store::Database::open_reader(source.folder / "copy.db");
    CHECK(copied.quick_check() == "ok");
    CHECK(rows_of(copied) == rows_of(source.database));
    CHECK(copied.integer("SELECT count(*) FROM thing") == 1'000 + bits - 1);
  }

  TEST_CASE("a copy that is given up leaves the source as it was") {
    Source source;
    const std::string before = rows_of(source.database);
    {
      store::DatabaseCopy copy(source.database, source.folder / "copy.db");
      CHECK(!copy.go_on(4));
    }
    source.put(1'001, 1'001);
    CHECK(source.database.integer("SELECT count(*) FROM thing") == 1'001);
    CHECK(rows_of(source.database).starts_with(before));
  }

  TEST_CASE("a copy into a folder that is not there is a fault") {
    Source source;
    CHECK_THROWS_AS(store::DatabaseCopy(source.database, source.folder / "nowhere" / "copy.db"), core::Fault);
  }
}
