// What is left when bronze weeks go: fences, from which the log is derived on, and dated rows of 64 weeks.
#include <doctest/doctest.h>

#include "app/fence.h"
#include "bronze/log.h"
#include "support/fold.h"
#include "support/scratch_folder.h"

using namespace tellerd;
using tests::kMonday;
using tests::LogMaker;

namespace {

std::size_t files_in(const std::filesystem::path& folder) {
  std::error_code none;
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none))
    count += entry.path().extension() == ".db";
  return count;
}

wire::Event payment(std::string_view id, core::Instant at_us, std::int64_t amount_minor = 10'000,
                    std::uint64_t version = 0) {
  wire::Event event;
  event.id = id;
  event.customer = "A";
  event.occurred_us = at_us;
  event.version = version;
  event.body = wire::Transaction{amount_minor, "RUB", "debit", 5411, "", "", ""};
  return event;
}

// A data directory: a log of ten weeks on disk, and the engine over it.
struct Store {
  tests::ScratchFolder folder;
  LogMaker made{ingest::ClockMode::kWall};
  std::filesystem::path data = folder.path();

  Store() {
    made.pack("default");
    for (int week = 0; week < 10; ++week) {
      made.arrive_at(kMonday + week * core::kWeek + core::kHour);
      for (int at = 0; at < 5; ++at)
        made.event(payment("T" + std::to_string(week) + "-" + std::to_string(at), made.received_us()));
    }
    bronze::Log log(data / "bronze", {});
    for (const auto& record : made.records()) {
      log.begin(record.received_us);
      if (record.producer) log.producer("app", 1);
      log.append(record);
      log.commit();
    }
  }
  app::EngineOptions options() const {
    return {.database = data / "teller.db", .is_scratch = false, .on_work = {}, .on_verdict = {}, .producer_name = {}};
  }
  void derive(app::Engine& engine) const {
    for (const auto& record : made.records())
      if (record.seq > engine.applied_seq()) engine.apply(record);
    engine.flush();
  }
  app::Comparison verified() const {
    const tests::ScratchFolder scratch;
    return app::verify(data, scratch / "again.db", {});
  }
};

}  // namespace

TEST_SUITE("app.fence") {
  TEST_CASE("weeks beyond retention go when a fence stands behind them, and verify begins there") {
    Store store;
    app::Engine engine(store.options());
    store.derive(engine);
    CHECK(store.verified().from == 1);
    CHECK(app::drop_old_weeks(engine, store.data, 10) == 0);
    CHECK(files_in(store.data / "fence") == 0);
    CHECK(app::drop_old_weeks(engine, store.data, 8) == 2);
    CHECK(files_in(store.data / "bronze") == 8);
    CHECK(files_in(store.data / "fence") == 1);
    CHECK(bronze::LogReader(store.data / "bronze").first_seq() == 1 + 2 * 5 + 1);  // the pack, ten payments

    store.made.arrive_at(kMonday + 10 * core::kWeek);
    store.made.event(payment("late", kMonday + 9 * core::kWeek));
    bronze::Log log(store.data / "bronze", {});
    log.begin(store.made.received_us());
    log.append(store.made.records().back());
    log.commit();
    store.derive(engine);
    const auto found = store.verified();
    CHECK(found.from == 52);
    CHECK(found.records == 1);
    CHECK(found.differences.empty());
  }

  TEST_CASE("a week that is not derived yet stays") {
    Store store;
    app::Engine engine(store.options());
    for (const auto& record : store.made.records())
      if (record.seq <= 8) engine.apply(record);
    engine.flush();
    CHECK(app::drop_old_weeks(engine, store.data, 2) == 1);
    CHECK(bronze::LogReader(store.data / "bronze").first_seq() == 7);
  }

  TEST_CASE("a verify sees what the log does not give") {
    Store store;
    app::Engine(store.options()).flush();
    {
      app::Engine engine(store.options());
      store.derive(engine);
    }
    store::Database::open_writer(store.data / "teller.db")
        .execute("UPDATE gold_customer SET transaction_count=transaction_count+1");
    const auto found = store.verified();
    REQUIRE(found.differences.size() == 1);
    CHECK(found.differences[0].find("gold_customer row 1") == 0);
  }

  TEST_CASE("what other rules derived is known as such, and one fence takes the place of the older ones") {
    Store store;
    {
      app::Engine engine(store.options());
      store.derive(engine);
      CHECK_FALSE(engine.was_derived_otherwise());
      app::drop_old_weeks(engine, store.data, 8);
    }
    CHECK_FALSE(app::Engine(store.options()).was_derived_otherwise());
    store::Database::open_writer(store.data / "teller.db")
        .execute("UPDATE cursor SET derive_version=derive_version+1, now_us=now_us+1");
    {
      app::Engine engine(store.options());
      CHECK(engine.was_derived_otherwise());
      std::filesystem::copy_file(store.data / "fence" / "00000000000051.db",
                                 store.data / "fence" / "00000000000040.db");
      const auto fence = app::take_only_fence(engine, store.data);
      CHECK(fence.seq == 51);
      CHECK(files_in(store.data / "fence") == 1);
      engine.flush();
    }
    CHECK_FALSE(app::Engine(store.options()).was_derived_otherwise());
  }

  TEST_CASE("the derivation tells zones with other rules apart") {
    CHECK(app::derivation(core::Calendar("UTC")) == app::derivation(core::Calendar("UTC")));
    CHECK(app::derivation(core::Calendar("UTC")) != app::derivation(core::Calendar("Europe/Moscow")));
    CHECK(app::derivation(core::Calendar("Asia/Novosibirsk")) != app::derivation(core::Calendar("Asia/Krasnoyarsk")));
  }

  TEST_CASE("dated rows go 64 weeks after they came, with what pointed at them; totals without a window stay") {
    tests::LogMaker log(ingest::ClockMode::kWall);
    const tests::ScratchFolder folder;
    log.pack("original");
    log.arrive_at(kMonday + core::kHour);
    wire::Event euro = payment("old", kMonday);
    euro.body = wire::Transaction{500, "EUR", "debit", 5411, "", "", ""};
    log.event(euro);
    wire::Event met;
    met.id = "P";
    met.customer = "A";
    met.occurred_us = kMonday;
    met.body = wire::Profile{};
    log.event(met);
    tests::Fold fold(log, folder / "teller.db");
    const auto after = [&](int weeks) {
      log.arrive_at(kMonday + weeks * core::kWeek + core::kHour);
      log.event(payment("W" + std::to_string(weeks), log.received_us(), 1));
      fold.apply_all();
      return fold.ask("SELECT count(*) FROM silver_transaction WHERE id='old'");
    };
    CHECK(after(1) == "1");
    CHECK(after(64) == "1");
    CHECK(after(65) == "0");
    CHECK(fold.ask("SELECT count(*) FROM silver_profile") == "1");
    CHECK(fold.ask("SELECT transaction_count,transaction_total_minor FROM mart_customer") == "4|503");
    log.event(payment("old", kMonday, 7, 1));
    CHECK(log.last_verdict() == wire::VerdictCode::kTooOld);
    fold.apply_all();
    fold.restart();
    CHECK(fold.ask("SELECT transaction_total_minor FROM mart_customer") == "503");
    CHECK(fold.ask("SELECT count(*) FROM key_run WHERE last_seq<3 AND is_dated=1") == "0");
  }

  TEST_CASE("what waits to be converted again goes with its rows") {
    tests::LogMaker log(ingest::ClockMode::kWall);
    const tests::ScratchFolder folder;
    log.pack("default");
    log.arrive_at(kMonday + core::kHour);
    wire::Event euro = payment("old", kMonday);
    euro.body = wire::Transaction{500, "EUR", "debit", 5411, "", "", ""};
    log.event(euro);
    for (const int weeks : {1, 66}) {
      log.arrive_at(kMonday + weeks * core::kWeek + core::kHour);
      log.event(payment("W" + std::to_string(weeks), log.received_us(), 1));
    }
    tests::Fold fold(log, folder / "teller.db");
    fold.apply_all();
    CHECK(fold.ask("SELECT count(*) FROM foreign_fact") == "0");
  }
}
