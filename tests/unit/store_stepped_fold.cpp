#include <doctest/doctest.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>

#include "store/stepped_fold.h"
#include "support/scratch_folder.h"

using namespace tellerd;
using store::Database;
using store::SteppedFold;
using Step = SteppedFold::Step;

namespace {

struct Folded {
  tests::ScratchFolder folder;
  Database writer = Database::open_writer(folder / "a.db");
  SteppedFold fold{writer};
  int rows = 0;

  Folded() { writer.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, text TEXT)"); }

  void commit(int count) {
    for (; count > 0; --count, ++rows)
      writer.execute("INSERT INTO t VALUES(" + std::to_string(rows) + ",printf('row %d%.*c'," + std::to_string(rows) +
                     ",1000,'x'))");
  }
  // Of the rows, those whose text is in the file, not in its log alone: how many, and the last of them.
  std::pair<int, int> in_file() const {
    std::ifstream file(folder / "a.db", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    int count = 0, last = -1;
    for (int row = 0; row < rows; ++row)
      if (bytes.find("row " + std::to_string(row) + "x") != std::string::npos) ++count, last = row;
    return {count, last};
  }
  int seen_by_others() const {
    return static_cast<int>(Database::open_reader(writer.file()).integer("SELECT sum(text LIKE 'row _%x') FROM t"));
  }
  void wait_until_synced() const {
    while (fold.is_syncing()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
};

}  // namespace

TEST_SUITE("store.stepped_fold") {
  TEST_CASE("bit by bit what was marked is copied, and the log begins anew at the end alone") {
    constexpr int kRowsAPage = 4;  // at most: a page that has changed since the mark is left to the log
    Folded it;
    it.commit(30);
    CHECK(it.in_file().first == 0);
    CHECK(it.fold.go_on() == Step::kNone);  // a mark
    it.commit(20);
    CHECK(it.fold.go_on() == Step::kBit);
    CHECK(it.in_file().first >= 30 - kRowsAPage);
    CHECK(it.in_file().second < 30);
    CHECK(it.seen_by_others() == 50);
    it.wait_until_synced();
    CHECK(it.fold.go_on() == Step::kNone);  // the next mark
    it.commit(10);
    CHECK(it.fold.go_on() == Step::kBit);
    CHECK(it.in_file().first >= 50 - kRowsAPage);
    CHECK(it.in_file().second < 50);
    const std::int64_t unfolded = it.writer.unfolded_bytes();
    it.commit(1);
    CHECK(it.writer.unfolded_bytes() > unfolded);  // bits leave the log as it is
    CHECK(it.fold.finish());
    CHECK(it.in_file() == std::pair(61, 60));
    it.commit(1);
    CHECK(it.writer.unfolded_bytes() < unfolded);
    CHECK(it.seen_by_others() == 62);
  }

  TEST_CASE("without a commit after the mark a step folds all there is") {
    Folded it;
    it.commit(10);
    CHECK(it.fold.go_on() == Step::kNone);
    CHECK(it.fold.go_on() == Step::kAll);
    CHECK(it.in_file().first == 10);
    it.commit(10);
    CHECK(it.fold.go_on() == Step::kNone);  // and it can be begun again
    it.commit(10);
    CHECK(it.fold.go_on() == Step::kBit);
    CHECK(it.in_file().second < 20);
  }

  TEST_CASE("the end waits for whoever else reads, and comes when he has gone") {
    Folded it;
    it.commit(10);
    auto other = Database::open_reader(it.writer.file());
    other.execute("BEGIN; SELECT * FROM t");
    it.commit(10);
    CHECK(!it.fold.finish());
    CHECK(it.in_file().second < 10);
    CHECK(it.seen_by_others() == 20);
    other.execute("COMMIT");
    CHECK(it.fold.finish());
    CHECK(it.in_file().first == 20);
  }

  TEST_CASE("the end, and its owner's, come while a bit is being synced") {
    for (int attempt = 0; attempt < 20; ++attempt) {
      Folded it;
      it.commit(10);
      it.fold.go_on();
      it.commit(10);
      CHECK(it.fold.go_on() == Step::kBit);
      if (attempt % 2 == 0) continue;
      CHECK(it.fold.finish());
      CHECK(!it.fold.is_syncing());
      CHECK(it.in_file().first == 20);
    }
  }

  TEST_CASE("others see each row at once, whatever part of the log is folded") {
    Folded it;
    for (int turn = 0; turn < 200; ++turn) {
      it.commit(7);
      if (turn % 50 == 49)
        it.fold.finish();
      else
        it.fold.go_on();
      REQUIRE(it.seen_by_others() == it.rows);
    }
  }
}
