#include <doctest/doctest.h>

#include <string>

#include "bronze/log.h"
#include "core/checksum.h"
#include "core/fault.h"
#include "support/scratch_folder.h"

using namespace tellerd;
using bronze::Log;
using bronze::LogReader;
using bronze::Record;

namespace {

constexpr core::Instant kMonday = 1'736'121'600 * core::kSecond;  // 2025-01-06, week 2025-W02

// One batch of a producer, committed.
void write(Log& log, std::string_view producer, const std::vector<std::string>& payloads, core::Instant received_us) {
  log.begin(received_us);
  auto& from = log.producer(producer, 9);
  const bronze::Seq first = log.last_seq() + 1;
  const std::int64_t first_producer_seq = from.mark + 1;
  for (std::size_t at = 0; at < payloads.size(); ++at) {
    Record record;
    record.seq = log.last_seq() + 1;
    record.received_us = record.now_us = received_us;
    record.producer = from.id;
    record.producer_seq = first_producer_seq + static_cast<std::int64_t>(at);
    record.kind = wire::Kind::kLogin;
    record.is_backfill = at % 2;
    record.runs_all_due = at % 3 == 0;
    record.payload = payloads[at];
    record.crc = core::crc32c(record.payload);
    log.append(record);
  }
  log.end_batch(from, first_producer_seq, static_cast<std::int64_t>(payloads.size()), first);
  log.commit();
}

std::string read_all(const std::filesystem::path& folder, std::size_t records_a_time) {
  LogReader reader(folder);
  bronze::Group group;
  std::string text;
  bronze::Seq after = 0;
  while (reader.read_after(after, records_a_time, group))
    for (const auto& record : group.records) {
      text += std::to_string(record.seq) + ":" + std::string(record.payload) + (record.is_backfill ? "b" : "") +
              (record.runs_all_due ? "d" : "") + " ";
      after = record.seq;
    }
  return text;
}

}  // namespace

TEST_SUITE("bronze.log") {
  TEST_CASE("records are read back in order across weekly files, whatever the size of a reading") {
    const tests::ScratchFolder folder;
    Log log(folder.path(), {});
    write(log, "a", {"one", "two", "three", "four"}, kMonday);
    write(log, "b", {"five"}, kMonday + core::kWeek);
    write(log, "a", {"six"}, kMonday + 3 * core::kWeek);
    for (const std::size_t records : {1, 2, 100})
      CHECK(read_all(folder.path(), records) == "1:oned 2:twob 3:three 4:fourbd 5:fived 6:sixd ");
    std::string names;
    for (const auto& file : log.files()) names += file.filename().string() + " ";
    CHECK(names == "2025-W02.db 2025-W03.db 2025-W05.db ");
    LogReader reader(folder.path());
    CHECK(reader.first_seq() == 1);
    bronze::Group group;
    CHECK_FALSE(reader.read_after(6, 10, group));
    write(log, "a", {"seven"}, kMonday + 3 * core::kWeek);
    CHECK(reader.read_after(6, 10, group));
  }

  TEST_CASE("what is read ahead goes to whoever asks for just that, and its damage is told to nobody else") {
    const tests::ScratchFolder folder;
    Log log(folder.path(), {});
    write(log, "a", {"one", "two", "three", "four", "five"}, kMonday);
    LogReader reader(folder.path());
    bronze::Group group;
    const auto read = [&](bronze::Seq after, std::size_t records_max) {
      std::string text;
      if (reader.read_after(after, records_max, group))
        for (const auto& record : group.records) text += std::string(record.payload) + " ";
      return text;
    };
    CHECK(read(0, 2) == "one two ");
    CHECK(read(2, 2) == "three four ");
    CHECK(read(4, 2) == "five ");  // all there is: nothing is read ahead of it
    write(log, "a", {"six", "seven"}, kMonday);
    CHECK(read(5, 2) == "six seven ");
    CHECK(read(7, 2) == "");
    CHECK(read(0, 2) == "one two ");
    CHECK(read(1, 2) == "two three ");      // from elsewhere
    CHECK(read(3, 3) == "four five six ");  // and of another size
    CHECK(read(6, 1) == "seven ");
    CHECK(read(0, 3) == "one two three ");
    CHECK(read(3, 3) == "four five six ");
    store::Database::open_writer(folder / "2025-W02.db").execute("DELETE FROM record WHERE seq=4");
    CHECK(read(0, 3) == "one two three ");
    CHECK(read(1, 2) == "two three ");  // what was found beyond the third is not this caller's
    CHECK_THROWS_WITH_AS(read(3, 2), doctest::Contains("record 4 is missing"), core::Fault);
    CHECK(read(4, 2) == "five six ");
    LogReader left(folder.path());  // one that goes while it reads ahead
    CHECK(left.read_after(0, 1, group));
  }

  TEST_CASE("marks and settings are carried over into a new week and outlive a stop and the old weeks") {
    const tests::ScratchFolder folder;
    {
      Log log(folder.path(), {});
      write(log, "a", {"one", "two"}, kMonday);
      log.begin(kMonday);
      log.note_setting(wire::Kind::kPackActivated, "abc");
      log.commit();
      write(log, "b", {"three"}, kMonday + core::kWeek);
      std::filesystem::remove(log.files().front());
    }
    Log again(folder.path(), {});
    REQUIRE(again.find_producer("a", 9) != nullptr);
    CHECK(again.find_producer("a", 9)->mark == 2);
    CHECK(again.find_producer("a", 8) == nullptr);
    CHECK(again.setting(wire::Kind::kPackActivated) == "abc");
    CHECK(again.last_seq() == 3);
    CHECK_FALSE(again.stored_crc(*again.find_producer("a", 9), 1).has_value());  // its week is gone
  }

  TEST_CASE("the checksum of what a producer sent is found in every week that is there") {
    const tests::ScratchFolder folder;
    Log log(folder.path(), {});
    write(log, "a", {"one", "two"}, kMonday);
    write(log, "a", {"three"}, kMonday + core::kWeek);
    const auto& producer = *log.find_producer("a", 9);
    CHECK(log.stored_crc(producer, 1) == core::crc32c("one"));
    CHECK(log.stored_crc(producer, 2) == core::crc32c("two"));
    CHECK(log.stored_crc(producer, 3) == core::crc32c("three"));
    CHECK_FALSE(log.stored_crc(producer, 4).has_value());
  }

  TEST_CASE("where a producer's seqs stand is noted for many commits at once, and known at every moment") {
    const tests::ScratchFolder folder;
    int commits = 0;
    const auto runs = [&](const char* week) {
      return store::Database::open_reader(folder / week).integer("SELECT count(*) FROM batch");
    };
    const auto check = [&](Log& log) {
      for (const char* name : {"a", "b"}) {
        const auto* producer = log.find_producer(name, 9);
        REQUIRE(producer != nullptr);
        CHECK(producer->mark == 2 * commits);
        for (std::int64_t seq = 1; seq <= 2 * commits; seq += commits < 20 ? 1 : 97)
          CHECK(log.stored_crc(*producer, seq) == core::crc32c(name + std::to_string((seq + 1) / 2)));
        CHECK_FALSE(log.stored_crc(*producer, 2 * commits + 1).has_value());
      }
    };
    const auto go_on = [&](Log& log, int until, core::Instant received_us) {
      while (commits < until) {
        ++commits;
        for (const char* name : {"a", "b"})
          write(log, name, {name + std::to_string(commits), name + std::to_string(commits)}, received_us);
      }
      check(log);
    };
    {
      Log log(folder.path(), {});
      go_on(log, 7, kMonday);
      CHECK(runs("2025-W02.db") == 0);
    }
    {
      Log log(folder.path(), {});
      check(log);
      go_on(log, 600, kMonday);  // 1,024 runs, and 176 that wait
      CHECK(runs("2025-W02.db") == 1'024);
    }
    {
      Log log(folder.path(), {});
      check(log);
      go_on(log, 602, kMonday + core::kWeek);  // the week before is noted to its end
      CHECK(runs("2025-W02.db") == 1'200);
      CHECK(runs("2025-W03.db") == 0);
    }
    Log log(folder.path(), {});
    check(log);
    write(log, "c", std::vector<std::string>(8'191, "one of many"), kMonday + core::kWeek);
    CHECK(runs("2025-W03.db") == 5);
    Log again(folder.path(), {});  // all is noted
    check(again);
    CHECK(again.find_producer("c", 9)->mark == 8'191);
    for (int at = 0; at < 3; ++at) write(again, "c", {"alone"}, kMonday + core::kWeek);
    Log last(folder.path(), {});  // what nobody interrupts is one run
    write(last, "c", std::vector<std::string>(8'192, "one of many"), kMonday + core::kWeek);
    CHECK(runs("2025-W03.db") == 6);
    CHECK(last.stored_crc(*last.find_producer("c", 9), 8'194) == core::crc32c("alone"));
    go_on(last, 603, kMonday + core::kWeek);
    CHECK(runs("2025-W03.db") == 6);
    last.note_all();  // at a stop
    CHECK(runs("2025-W03.db") == 8);
    CHECK(store::Database::open_reader(folder / "2025-W03.db").integer("SELECT mark FROM producer WHERE name='b'") ==
          2 * commits);
    check(last);
    go_on(last, 604, kMonday + core::kWeek);
    check(last);
    Log after_stop(folder.path(), {});
    check(after_stop);
  }

  TEST_CASE("what was not committed is forgotten, with the marks it had moved") {
    const tests::ScratchFolder folder;
    Log log(folder.path(), {});
    write(log, "a", {"one"}, kMonday);
    log.begin(kMonday);
    log.producer("new", 1);
    auto& producer = log.producer("a", 9);
    Record record;
    record.seq = 2;
    record.now_us = record.received_us = kMonday;
    record.payload = "lost";
    log.append(record);
    log.end_batch(producer, 2, 1, 2);
    log.forget();
    CHECK(log.last_seq() == 1);
    CHECK(log.find_producer("a", 9)->mark == 1);
    CHECK(log.find_producer("new", 1) == nullptr);
    write(log, "a", {"two"}, kMonday);
    CHECK(read_all(folder.path(), 10) == "1:oned 2:twod ");
  }

  TEST_CASE("a missing record and changed bytes are named, not passed over") {
    const tests::ScratchFolder folder;
    {
      Log log(folder.path(), {});
      write(log, "a", {"one", "two", "three"}, kMonday);
    }
    const auto file = folder / "2025-W02.db";
    store::Database::open_writer(file).execute("UPDATE record SET payload=CAST('twx' AS BLOB) WHERE seq=2");
    CHECK_THROWS_WITH_AS(read_all(folder.path(), 10), doctest::Contains("record 2 does not match its CRC"),
                         core::Fault);
    store::Database::open_writer(file).execute("DELETE FROM record WHERE seq=2");
    CHECK_THROWS_WITH_AS(read_all(folder.path(), 10), doctest::Contains("record 2 is missing"), core::Fault);
  }

  TEST_CASE("small commits are folded by the records they hold, and the file is written over, not cut") {
    const tests::ScratchFolder folder;
    bronze::LogOptions options;
    options.is_synced = false;
    Log log(folder.path(), options);
    const auto write_and_fold = [&](std::size_t record_bytes, bool is_idle) {
      write(log, "a", {std::string(record_bytes, 'x')}, kMonday);
      log.checkpoint(is_idle);
    };
    for (int commit = 0; commit < 200; ++commit) write_and_fold(100, false);
    CHECK(log.wal_bytes() > 200 * 8'192);
    CHECK(log.wal_bytes() < 240 * 8'192);  // the page of the record, and seldom another
    for (int commit = 0; commit < 90; ++commit) write_and_fold(50'000, false);  // in all more than 4 MiB of records
    const std::int64_t folded = log.wal_bytes();
    for (int commit = 0; commit < 50; ++commit) write_and_fold(100, false);
    CHECK(log.wal_bytes() == folded);
    write_and_fold(100, true);
    CHECK(log.wal_bytes() == folded);
  }

  TEST_CASE("commits of next to nothing are folded before a start would read long") {
    constexpr std::int64_t kMiB = 1 << 20;
    const tests::ScratchFolder folder;
    bronze::LogOptions options;
    options.is_synced = false;
    Log log(folder.path(), options);
    for (int commit = 0; commit < 12'000; ++commit) {
      write(log, "a", {""}, kMonday);
      log.checkpoint(false);
    }
    CHECK(log.wal_bytes() > 20 * kMiB);
    CHECK(log.wal_bytes() < 66 * kMiB);
  }

  TEST_CASE("the log begins anew after four MiB of records, unless a bit of it is still being synced") {
    const auto commits_before_fold = [](std::size_t record_bytes) {
      const tests::ScratchFolder folder;
      Log log(folder.path(), {});
      std::int64_t bytes = 0;
      for (std::int64_t commits = 0; commits < 1'000; ++commits) {
        write(log, "a", {std::string(record_bytes, 'x')}, kMonday);
        if (log.wal_bytes() == bytes) return commits;  // it is written over from its beginning
        bytes = log.wal_bytes();
        log.checkpoint(false);
      }
      return std::int64_t{0};
    };
    for (const std::int64_t record_bytes : {30'000, 200'000}) {
      const std::int64_t asked = (4 << 20) / (record_bytes + 40) + 1;  // with 40 bytes beside each payload
      const std::int64_t found = commits_before_fold(static_cast<std::size_t>(record_bytes));
      CHECK(found >= asked);
      CHECK(found < asked + 100);
    }
  }
}
