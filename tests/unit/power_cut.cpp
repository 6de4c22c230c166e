// Power cuts at any operation of the disk (faults.md 3, rows 9, 11 and 12). More of them: TELLERD_CUTS=10000.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "app/engine.h"
#include "app/rebuild.h"
#include "bronze/log.h"
#include "core/checksum.h"
#include "core/fault.h"
#include "decide/pack_files.h"
#include "support/cut_vfs.h"
#include "support/scratch_folder.h"
#include "wire/codec.h"

namespace tellerd::tests {
namespace {

namespace fs = std::filesystem;
using bronze::Log;
using bronze::Record;
using bronze::Seq;

constexpr core::Instant kStart = 1'767'571'200'000'000;  // 2026-01-05, a Monday
constexpr int kGroups = 60;

long cuts_wanted(long otherwise) {
  const char* asked = std::getenv("TELLERD_CUTS");
  return asked ? std::atol(asked) : otherwise;
}

// What was promised: told through a pipe after commit() returned, so it outlives the power.
struct Promise {
  Seq last_seq = 0;
  std::int64_t marks[4] = {};  // by producer; [0]: operations of the disk so far
};

std::string payload_of(Seq seq, unsigned seed) {
  std::mt19937 random(static_cast<unsigned>(seq) * 2'654'435'761u + seed);
  std::string bytes(random() % 1500 + (random() % 20 ? 0 : 20'000), ' ');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// One group: a few batches of three producers, sometimes a record of the daemon itself; `kept` holds its payloads.
void write_group(Log& log, std::mt19937& random, core::Instant now_us, unsigned seed, bronze::Group& kept) {
  log.begin(now_us);
  for (unsigned batches = 1 + random() % 3; batches > 0; --batches) {
    auto& producer = log.producer("producer " + std::to_string(random() % 3), 7);
    const Seq first_seq = log.last_seq() + 1;
    const auto count = static_cast<std::int64_t>(1 + random() % 8);
    for (std::int64_t at = 0; at < count; ++at) {
      Record record;
      record.seq = log.last_seq() + 1;
      record.now_us = record.received_us = now_us;
      record.producer = producer.id;
      record.producer_seq = producer.mark + 1 + at;
      record.kind = wire::Kind::kSms;
      record.payload = kept.keep(payload_of(record.seq, seed));
      record.crc = core::crc32c(record.payload);
      log.append(record);
    }
    log.end_batch(producer, producer.mark + 1, count, first_seq);
  }
}

// Groups are written, promised and checkpointed, over three weeks.
void work(const fs::path& folder, bool is_synced, unsigned seed, int promises) {
  bronze::LogOptions options;
  options.is_synced = is_synced;
  std::mt19937 random(seed);
  Log log(folder, options);
  core::Instant now_us = kStart;
  for (int group = 0; group < kGroups; ++group) {
    now_us += core::kHour * 8;
    bronze::Group kept;
    write_group(log, random, now_us, seed, kept);
    log.commit();
    Promise promise;
    promise.last_seq = log.last_seq();
    promise.marks[0] = disk_operations();
    for (const auto& producer : log.producers()) promise.marks[producer.id] = producer.mark;
    if (::write(promises, &promise, sizeof promise) != static_cast<ssize_t>(sizeof promise)) ::_exit(2);
    log.checkpoint(seed % 2 == 0 || random() % 8 == 0);
  }
}

// Runs `doing` in a process of its own; its exit code, and the last promise it made.
int apart(const std::function<void(int promises)>& doing, Promise& last) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    try {
      doing(ends[1]);
    } catch (const std::exception& trouble) {
      std::fprintf(stderr, "%s\n", trouble.what());
      ::_exit(3);
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  Promise promise;
  while (::read(ends[0], &promise, sizeof promise) == static_cast<ssize_t>(sizeof promise)) last = promise;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct Outcome {
  long cuts = 0, lost_runs = 0, damaged = 0;
  std::int64_t promised = 0;
  std::string first;  // what was wrong first, with its seed
  void note(const std::string& what, unsigned seed) {
    ++damaged;
    if (first.empty()) first = "seed " + std::to_string(seed) + ": " + what;
  }
};

// What a restart finds: whole, with all that was promised, marks that agree with the records, and ready to go on.
void examine(const fs::path& folder, const Promise& promise, unsigned seed, Outcome& outcome) {
  Log log(folder, {});
  const Seq found = log.last_seq();
  if (found < promise.last_seq) ++outcome.lost_runs;
  for (const auto& file : bronze::log_files(folder))
    if (auto database = store::Database::open_reader(file); database.quick_check() != "ok")
      outcome.note("quick_check of " + file.string(), seed);
  for (int group = 0; group < 2; ++group) {
    std::mt19937 random(seed + 1);
    bronze::Group kept;
    write_group(log, random, std::max(log.last_now_us(), kStart + 40 * core::kWeek), seed, kept);
    log.commit();
  }
  std::map<std::int32_t, std::int64_t> marks;
  bronze::LogReader reader(folder);
  bronze::Group group;
  Seq read = 0;
  while (reader.read_after(read, 1000, group)) {  // gapless and with their CRC, or it throws
    for (const auto& record : group.records) {
      if (record.payload != payload_of(record.seq, seed))
        outcome.note("record " + std::to_string(record.seq) + " holds other bytes", seed);
      if (record.producer_seq != marks[record.producer] + 1)
        outcome.note("a producer's seq is missing or there twice", seed);
      marks[record.producer] = record.producer_seq;
    }
    read = group.records.back().seq;
  }
  if (read != log.last_seq())
    outcome.note("the reader sees " + std::to_string(read) + " of " + std::to_string(log.last_seq()), seed);
  for (const auto& producer : log.producers()) {
    if (producer.mark != marks[producer.id])
      outcome.note("mark of " + producer.name + " is not its greatest seq", seed);
    if (found >= promise.last_seq && producer.mark < promise.marks[producer.id])
      outcome.note("mark of " + producer.name + " is below what was promised", seed);
  }
}

Outcome cut_log(long cuts, bool is_synced) {
  Outcome outcome;
  const ScratchFolder scratch;
  long operations = 0;
  for (unsigned seed = 1; outcome.cuts < cuts; ++seed) {
    const fs::path disk = scratch / "disk", remains = scratch / "remains";
    for (const auto& folder : {disk, remains}) fs::remove_all(folder), fs::create_directories(folder / "bronze");
    std::mt19937 random(seed);
    Promise promise;
    const int code = apart(
        [&](int promises) {
          arm_cut({operations ? static_cast<long>(random() % static_cast<unsigned>(operations)) + 1 : 0, seed, disk,
                   remains});
          work(disk / "bronze", is_synced, seed, promises);
          ::_exit(0);
        },
        promise);
    if (operations == 0) {  // the first run is calm and tells how long a run is
      REQUIRE(code == 0);
      fs::copy(disk / "bronze", remains / "bronze", fs::copy_options::recursive | fs::copy_options::overwrite_existing);
      operations = promise.marks[0];
    } else if (code == 0) {
      continue;  // a shorter run: it ended before its cut
    } else {
      REQUIRE(code == kPowerGone);
      ++outcome.cuts;
    }
    outcome.promised += promise.last_seq;
    try {
      examine(remains / "bronze", promise, seed, outcome);
    } catch (const core::Fault& fault) {
      outcome.note(fault.what(), seed);
    }
  }
  return outcome;
}

// Every group again and again until it is in: what finds no room is forgotten, as the recorder does, and written anew.
void work_on_a_full_disk(const fs::path& folder, unsigned seed, long from, bool for_good, Outcome& outcome) {
  std::mt19937 random(seed);
  Log log(folder, {});
  FullDisk disk(from, for_good);
  core::Instant now_us = kStart;
  for (int group = 0; group < kGroups; ++group) {
    now_us += core::kHour * 8;
    const std::mt19937 again = random;
    for (int attempt = 0;; ++attempt) {
      const Seq before = log.last_seq();
      try {
        random = again;
        bronze::Group kept;
        write_group(log, random, now_us, seed, kept);
        log.commit();
        break;
      } catch (const core::Fault& full) {
        log.forget();
        if (log.last_seq() != before)
          outcome.note("after a full disk the log stands at " + std::to_string(log.last_seq()) + ", not at " +
                           std::to_string(before),
                       seed);
        if (outcome.damaged || attempt > 2) return;
        disk.make_room();
      }
    }
    try {
      log.checkpoint(true);
    } catch (const core::Fault&) {
      disk.make_room();
    }
  }
}

std::string encoded(wire::Encoder& encoder, std::mt19937& random, core::Instant now_us, int number) {
  const std::string id = "id " + std::to_string(number), customer = "C" + std::to_string(random() % 40);
  wire::Event event;
  event.id = id;
  event.customer = customer;
  event.system = "main";
  event.occurred_us = now_us - static_cast<core::Instant>(random() % 1000) * core::kMinute;
  const std::string name = "Name " + customer;
  switch (random() % 5) {
    case 0:
      event.body = wire::Login{true, "Mobile", "Firefox"};
      break;
    case 1: {
      wire::Profile profile;
      profile.name = name;
      profile.registered_on = "2024-02-03";
      event.body = profile;
      break;
    }
    case 2: {
      wire::Loan loan;
      loan.loan_name = "L1";
      loan.amount_minor = 10'000'000;
      loan.currency = "RUB";
      loan.start_date = "2025-06-01";
      loan.payment_count = 12;
      loan.planned_minor = 900'000;
      event.body = loan;
      break;
    }
    default: {
      wire::Transaction transaction;
      transaction.amount_minor = static_cast<std::int64_t>(random() % 30'000'000);
      transaction.currency = "RUB";
      transaction.direction = "debit";
      transaction.mcc = 5411;
      event.body = transaction;
    }
  }
  return std::string(encoder.encode(event));
}

constexpr int kEngineRecords = 1500;

// A log of a few weeks of a small bank, its pack first.
void make_log(const fs::path& folder) {
  bronze::LogOptions options;
  options.is_synced = false;
  Log log(folder, options);
  wire::Encoder encoder;
  std::mt19937 random(11);
  core::Instant now_us = kStart;
  for (int number = 0; number < kEngineRecords; ++number) {
    now_us += 25 * core::kMinute;
    log.begin(now_us);
    auto& producer = log.producer("bank", 1);
    Record record;
    record.seq = log.last_seq() + 1;
    record.now_us = record.received_us = now_us;
    record.runs_all_due = true;
    std::string payload;
    if (number == 0) {
      record.kind = wire::Kind::kPackActivated;
      payload = decide::serialise_pack(decide::read_pack_files("default"));
    } else {
      record.producer = producer.id;
      record.producer_seq = number;
      payload = encoded(encoder, random, now_us, number);
      wire::Decoder decoder;
      record.kind = decoder.decode(payload).kind();
    }
    record.payload = payload;
    record.crc = core::crc32c(payload);
    log.append(record);
    if (number) log.end_batch(producer, number, 1, record.seq);
    log.commit();
  }
}

// Derives what is missing, with a flush each `records_a_flush` and the WAL folded now and then.
void derive(const fs::path& log_folder, const fs::path& database, std::size_t records_a_flush, int promises) {
  app::EngineOptions options;
  options.database = database;
  options.producer_name = [](std::int32_t id) { return id ? "bank" : ""; };
  app::Engine engine(options);
  bronze::LogReader reader(log_folder);
  bronze::Group group;
  for (int turn = 1; reader.read_after(engine.applied_seq(), records_a_flush, group); ++turn) {
    for (const auto& record : group.records) engine.apply(record);
    engine.flush();
    if (turn % 3 == 0) engine.fold_wal(turn % 2 == 0);
    Promise promise;
    promise.last_seq = engine.applied_seq();
    promise.marks[0] = disk_operations();
    if (promises >= 0 && ::write(promises, &promise, sizeof promise) != static_cast<ssize_t>(sizeof promise))
      ::_exit(2);
  }
}

}  // namespace

TEST_SUITE("bronze.power_cut") {
  TEST_CASE("no power cut takes what was acknowledged or leaves the log damaged") {
    const Outcome outcome = cut_log(cuts_wanted(1000), true);
    MESSAGE(outcome.cuts << " cuts, " << outcome.promised << " records promised");
    CHECK_MESSAGE(outcome.lost_runs == 0, outcome.lost_runs);
    CHECK_MESSAGE(outcome.damaged == 0, outcome.first);
  }

  TEST_CASE("without the sync at commit the same cuts do lose: the test can see") {
    const Outcome outcome = cut_log(100, false);
    CHECK(outcome.lost_runs > 10);
    CHECK_MESSAGE(outcome.damaged == 0, outcome.first);  // lost, but never damaged
  }

  TEST_CASE("a disk that is full at any write, once or for a while, leaves the log where it stood") {
    Outcome outcome;
    for (const bool for_good : {false, true}) {
      for (long from = 1; from < 700; from += 3) {
        const ScratchFolder scratch;
        work_on_a_full_disk(scratch / "bronze", 5, from, for_good, outcome);
        Promise promise;
        if (!outcome.damaged) examine(scratch / "bronze", promise, 5, outcome);
        REQUIRE_MESSAGE(outcome.damaged == 0, "full from write " << from << ": " << outcome.first);
      }
    }
  }
}

TEST_SUITE("app.power_cut") {
  TEST_CASE("after a power cut the engine goes on from its cursor and ends as a calm run does") {
    const ScratchFolder scratch;
    make_log(scratch / "bronze");
    derive(scratch / "bronze", scratch / "calm.db", 40, -1);
    const fs::path disk = scratch / "disk", remains = scratch / "remains";
    long operations = 0, behind = 0;
    for (unsigned seed = 1; seed <= cuts_wanted(60) + 1; ++seed) {
      for (const auto& folder : {disk, remains}) fs::remove_all(folder), fs::create_directories(folder);
      std::mt19937 random(seed);
      Promise promise;
      const int code = apart(
          [&](int promises) {
            arm_cut({operations ? static_cast<long>(random() % static_cast<unsigned>(operations)) + 1 : 0, seed, disk,
                     remains});
            derive(scratch / "bronze", disk / "teller.db", 40, promises);
            ::_exit(0);
          },
          promise);
      REQUIRE(code == (operations ? kPowerGone : 0));
      if (operations == 0) {
        operations = promise.marks[0];
        continue;
      }
      derive(scratch / "bronze", remains / "teller.db", 1 + random() % 300, -1);
      app::Comparison found;
      app::compare(remains / "teller.db", scratch / "calm.db", found);
      behind += promise.last_seq < kEngineRecords;
      REQUIRE(found.rows > 1000);
      REQUIRE_MESSAGE(found.differences.empty(), "seed " << seed << ": " << found.differences.front());
    }
    CHECK(behind > 0);
  }
}

}  // namespace tellerd::tests
