// When a model is due, what the trainer's records hold, and champion beside challenger.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "app/rebuild.h"
#include "app/trainer.h"
#include "app/training_due.h"
#include "support/churn_models.h"
#include "support/fold.h"
#include "support/scratch_folder.h"
#include "support/shoppers.h"

using namespace tellerd;
using tests::kMonday;

namespace {

constexpr int kWeeks = 40;
constexpr core::Instant kStart = kMonday + kWeeks * core::kWeek;

// A log with shoppers of forty weeks (or fewer), derived into a file.
struct Shop {
  explicit Shop(int weeks = kWeeks, int retrain_weeks = 4) : log(ingest::ClockMode::kWall) {
    auto files = decide::read_pack_files("default");
    std::string& text = files["churn.toml"];
    const std::string line = "retrain_weeks = 4";
    text.replace(text.find(line), line.size(), fmt::format("retrain_weeks = {}", retrain_weeks));
    log.pack(files);
    log.arrive_at(kStart);
    std::uint32_t id = 0;
    for (const auto& shopper : tests::shoppers(400, 0, weeks - 1)) {
      ++id;
      for (const core::Week week : shopper.weeks) pay(id, kStart - (weeks - week) * core::kWeek + core::kHour);
    }
  }
  void pay(std::uint32_t customer, core::Instant at) {
    wire::Event event;
    const std::string number = fmt::format("E{}", ++ids), key = fmt::format("C{:03}", customer);
    event.id = number;
    event.customer = key;
    event.occurred_us = at;
    event.body = wire::Transaction{1000, "RUB", "debit", 0, "", "", ""};
    log.event(event);
  }
  app::TrainingDue due() {
    fold.apply_all();
    return app::training_due(fold.file());
  }
  // Hands in what the trainer gives as records, as the recorder would.
  app::Trainer::Hooks hooks() {
    return {[this](wire::Kind kind, std::string payload, std::function<void(bronze::Seq)> done) {
              const bronze::Seq seq =
                  kind == wire::Kind::kModelTrained ? log.queue(kind, std::move(payload)) : log.activate_model(payload);
              if (done) done(seq);
            },
            [this](const std::filesystem::path& into, const std::function<void(std::string)>& done) {
              fold.engine().snapshot_into(into);
              done("");
            }};
  }
  app::Trainer::State train_once() {
    app::Trainer trainer(fold.file(), std::chrono::seconds(0), hooks());
    trainer.want();
    std::thread running([&] { trainer.run(); });
    while (trainer.state().stage == app::Trainer::Stage::kRunning)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    trainer.stop();
    running.join();
    fold.apply_all();
    return trainer.state();
  }

  tests::LogMaker log;
  tests::ScratchFolder folder;
  tests::Fold fold{log, folder / "teller.db"};
  int ids = 0;
};

}  // namespace

TEST_SUITE("app.trainer") {
  TEST_CASE("nothing known is never due; a history without a model is") {
    const tests::ScratchFolder folder;
    tests::LogMaker empty(ingest::ClockMode::kWall);
    tests::Fold fold(empty, folder / "teller.db");
    fold.apply_all();
    CHECK(app::training_due(fold.file()).cause == "");
    Shop shop;
    CHECK(shop.due().cause == "schedule");
    Shop by_hand(kWeeks, 0);
    CHECK(by_hand.due().cause == "");
  }

  TEST_CASE("a model lasts retrain_weeks, to the week") {
    Shop shop;
    shop.fold.apply_all();
    CHECK(shop.train_once().stage == app::Trainer::Stage::kTrained);
    CHECK(shop.due().cause == "");
    shop.log.arrive_at(kStart + 3 * core::kWeek + core::kDay);
    shop.log.tick();
    CHECK(shop.due().cause == "");
    shop.log.arrive_at(kStart + 4 * core::kWeek + core::kDay);
    shop.log.tick();
    CHECK(shop.due().cause == "schedule");
  }

  TEST_CASE("an alarm of the watch in a later week than the newest model makes one due, once") {
    Shop shop(kWeeks, 52);
    shop.fold.apply_all();
    shop.train_once();
    const std::string model = shop.fold.ask("SELECT model FROM churn_fold");
    REQUIRE(model != "");
    CHECK(shop.due().cause == "");
    // On a copy, whose writer we may be.
    const auto copy = shop.folder / "copy.db";
    for (const char* suffix : {"", "-wal"})
      std::filesystem::copy_file(shop.fold.file().string() + suffix, copy.string() + suffix);
    const auto change = [&](const std::string& sql) {
      store::Database::open_writer(copy).execute(sql);
      return app::training_due(copy).cause;
    };
    CHECK(change(fmt::format(
              "INSERT INTO churn_watch VALUES((SELECT week+1 FROM cursor),0,'{}',900,0.4,0.4,'tenure','drift')",
              model)) == "drift");
    CHECK(change("UPDATE churn_watch SET model='another'") == "");  // about a model that scores no more
    CHECK(change(fmt::format("UPDATE churn_watch SET model='{}', week=(SELECT week FROM cursor)", model)) == "");
  }

  TEST_CASE("the record says why it was trained, what decided about it, and how the one before did beside it") {
    Shop shop;
    shop.fold.apply_all();
    shop.train_once();
    const std::string first = shop.fold.ask("SELECT model FROM churn_fold");
    CHECK(shop.fold.ask("SELECT cause, verdict, champion FROM churn_model") == "asked|no model scored before|NULL");
    // Twenty weeks on the newest judged week is one that the first has not seen.
    shop.log.arrive_at(kStart + 20 * core::kWeek + core::kHour);
    std::uint32_t id = 0;
    for (const auto& shopper : tests::shoppers(400, 0, kWeeks + 19)) {
      ++id;
      for (const core::Week week : shopper.weeks)
        if (week >= kWeeks) shop.pay(id, kStart + (week - kWeeks) * core::kWeek + core::kHour);
    }
    shop.fold.apply_all();
    shop.train_once();
    CHECK(shop.fold.ask("SELECT count(*) FROM churn_model") == "2");
    const std::string newest = " FROM churn_model ORDER BY seq DESC LIMIT 1";
    CHECK(shop.fold.ask("SELECT cause, verdict<>''" + newest) == "asked|1");
    CHECK(shop.fold.ask("SELECT champion" + newest) == first);
    CHECK(shop.fold.ask("SELECT champion_roc_auc>0.5, champion_log_loss>0" + newest) == "1|1");
  }

  TEST_CASE("by itself it trains when a training is due, and once a week at most") {
    Shop shop(10, 4);  // ten weeks: BG/NBD
    shop.fold.apply_all();
    std::atomic<int> records{0};
    auto hooks = shop.hooks();
    hooks.submit = [&](wire::Kind, const std::string&, const std::function<void(bronze::Seq)>& done) {
      ++records;  // handed in, never derived: the store goes on saying that none is there
      if (done) done(1);
    };
    app::Trainer trainer(shop.fold.file(), std::chrono::seconds(1), hooks);
    std::thread running([&] { trainer.run(); });
    for (int wait = 0; wait < 1000 && records < 2; ++wait) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    CHECK(records == 2);  // the model and its activation
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));
    CHECK(records == 2);
    CHECK(trainer.state().text.find("by BG/NBD, not judged; activated: history is too short for labels") !=
          std::string::npos);
    trainer.stop();
    running.join();
  }

  TEST_CASE("where history is short BG/NBD scores everybody who came lately, and is named") {
    Shop shop(10);
    shop.fold.apply_all();
    shop.train_once();
    CHECK(shop.fold.ask("SELECT method, validated_by FROM mart_model WHERE is_active") == "bgnbd|none");
    shop.log.arrive_at(kStart + 2 * core::kWeek);
    shop.log.tick();
    shop.fold.apply_all();
    CHECK(shop.fold.ask("SELECT count(*) FROM mart_churn WHERE model='inactivity' AND state='active'") == "0");
    CHECK(std::stoi(shop.fold.ask("SELECT count(*) FROM mart_churn WHERE probability>0")) > 100);
  }

  TEST_CASE("a store that cannot be copied is said, and nothing is trained") {
    Shop shop;
    shop.fold.apply_all();
    auto hooks = shop.hooks();
    hooks.copy = [](const std::filesystem::path&, const std::function<void(std::string)>& done) { done("no room"); };
    app::Trainer trainer(shop.fold.file(), std::chrono::seconds(0), hooks);
    trainer.want();
    std::thread running([&] { trainer.run(); });
    while (trainer.state().stage == app::Trainer::Stage::kRunning)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    trainer.stop();
    running.join();
    CHECK(trainer.state().stage == app::Trainer::Stage::kRefused);
    CHECK(trainer.state().text == "no model is trained: what is derived cannot be copied: no room");
  }

  TEST_CASE("the copy that training reads is the store as of its last flush, though facts come while it is made") {
    Shop shop;
    shop.fold.apply_all();
    auto& engine = shop.fold.engine();
    const auto file = shop.folder / "copy.db";
    auto copy = engine.begin_copy(file);
    int bits = 0;
    for (bool is_complete = false; !is_complete; ++bits) {
      shop.pay(1 + static_cast<std::uint32_t>(bits % 400), kStart - (1 + bits % kWeeks) * core::kWeek);  // late ones
      shop.fold.apply_next();
      CHECK(!engine.go_on(*copy, 1'000'000));  // something waits for a flush
      engine.flush();
      is_complete = engine.go_on(*copy, 4);
      engine.fold_wal(true);
      CHECK(engine.wal_bytes() == 0);
    }
    CHECK(bits > 5);
    app::Comparison found;
    app::compare(file, shop.fold.file(), found);
    CHECK(found.differences == std::vector<std::string>{});
    const auto sealed_of = [](const std::filesystem::path& store) {
      const auto read = app::read_training_data(store);
      const auto& data = std::get<app::TrainingData>(read);
      return std::get<model::Trained>(model::train_churn(data.plan, data.settings, data.snapshots, data.range)).sealed;
    };
    CHECK(sealed_of(file) == sealed_of(shop.fold.file()));
  }
}
