// One code path makes live, historical and training features. What a decision was made with is made again from a log
// that ends at its asof_seq, by another engine that is stopped and read from its file after each record. A decision of
// a deadline is older than what that record tells: for it the log ends in a tick of the same moment. What a training
// sees of the past is what stood then, but for facts that came late.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "app/training_data.h"
#include "core/varint.h"
#include "decide/choice.h"
#include "gold/customer_rows.h"
#include "model/churn_model.h"
#include "support/churn_models.h"
#include "support/fold.h"
#include "support/scratch_folder.h"
#include "support/world.h"

using namespace tellerd;
using tests::kMonday;

namespace {

struct Stored {  // what teller.db holds, read as any other program would
  explicit Stored(const std::filesystem::path& file) : database(store::Database::open_reader(file)) {
    gold::CustomerRows::read_all(database, [&](silver::CustomerId id, gold::Customer&& customer) {
      customers.emplace(id, std::move(customer));
    });
    store::Statement names(database, "SELECT number,level FROM name_of WHERE what='tier'");
    while (names.step()) levels[static_cast<int>(names.integer(0))] = static_cast<int>(names.integer(1));
  }
  model::Stood stood(const gold::Customer& customer) const {
    return {customer.tier < 0 ? 0 : levels.at(customer.tier), customer.dpd_bucket};
  }
  store::Database database;
  std::map<silver::CustomerId, gold::Customer> customers;
  std::map<int, int> levels;
};

struct Made {  // a decision, with what it was made with
  silver::CustomerId customer;
  decide::ChoiceNumbers numbers;
};
using MadeBySeq = std::map<bronze::Seq, std::vector<Made>>;

// Those of records' own turns, or those of the deadlines that ran before them.
MadeBySeq decisions_of(const std::filesystem::path& file, bool are_due) {
  MadeBySeq made;
  auto reader = store::Database::open_reader(file);
  store::Statement rows(reader,
                        "SELECT seq,customer,situation FROM decision WHERE length(situation)>0 AND (due_us<>0)=? ORDER "
                        "BY number");
  rows.bind(1, std::int64_t{are_due});
  while (rows.step()) {
    std::string_view bytes = rows.text(2);
    Made one{static_cast<silver::CustomerId>(rows.integer(1)), {}};
    core::take_varint(bytes), core::take_varint(bytes);  // segment, churn state
    for (std::int64_t& number : one.numbers) number = core::take_varint(bytes);
    auto& of_seq = made[rows.integer(0)];
    std::erase_if(of_seq, [&](const Made& before) { return before.customer == one.customer; });  // the last counts
    of_seq.push_back(one);
  }
  return made;
}

constexpr std::size_t kChurnPercent = decide::kNumbers + 3;  // of the choice's columns
constexpr int kWeeks = 40, kLateWeeks = 3;

struct Told {
  core::Instant arrives, occurred;
  std::uint32_t customer;
};

// What shoppers pay, in the order in which it is told; some of it three weeks late.
std::vector<Told> told_of(std::size_t shoppers) {
  std::vector<Told> told;
  std::uint32_t id = 0;
  for (const auto& shopper : tests::shoppers(shoppers, 0, kWeeks - 1)) {
    ++id;
    for (const core::Week week : shopper.weeks) {
      const core::Instant occurred = kMonday + week * core::kWeek + id * core::kMinute;
      const bool is_late = (week + static_cast<core::Week>(id)) % 17 == 0 && week + kLateWeeks < kWeeks;
      told.push_back({occurred + (is_late ? kLateWeeks * core::kWeek : 0), occurred, id});
    }
  }
  std::stable_sort(told.begin(), told.end(), [](const Told& a, const Told& b) { return a.arrives < b.arrives; });
  return told;
}

void say(tests::LogMaker& log, std::uint32_t customer, wire::Body body, core::Instant occurred_us = 0) {
  const std::string name = fmt::format("E{}", log.records().size()), key = fmt::format("C{}", customer);
  wire::Event event;
  event.id = name;
  event.customer = key;
  event.occurred_us = occurred_us ? occurred_us : log.received_us();
  event.body = std::move(body);
  log.event(event);
}

wire::Transaction payment_of(std::uint32_t customer) {
  return {90'000'00 / (1 + customer % 9), "RUB", "debit", 0, "", "", ""};
}

// Whom something may be sold to, after a quarter of the time by a model.
std::unique_ptr<tests::LogMaker> shop(std::uint32_t customers) {
  auto log = std::make_unique<tests::LogMaker>(ingest::ClockMode::kWall);
  log->pack("default");
  for (std::uint32_t customer = 1; customer <= customers; ++customer) {
    say(*log, customer, wire::Profile{});
    say(*log, customer, wire::Consent{"marketing", "all", true, "form", ""});
  }
  bool has_model = false;
  for (const Told& one : told_of(customers)) {
    log->arrive_at(one.arrives);
    say(*log, one.customer, payment_of(one.customer), one.occurred);
    if (has_model || one.arrives < kMonday + kWeeks / 4 * core::kWeek) continue;
    has_model = true;
    log->model(tests::small_model(0));
    log->activate_model(tests::id_of(tests::small_model(0)));
  }
  return log;
}

struct Compared {
  std::size_t decisions = 0, of_deadlines = 0, scored = 0, between = 0;
};

// What decisions were made with against what a file gives that is derived up to them. Between two deadlines of one turn
// no log can end: what the later one moved (days past due, say) is as `earlier` has it.
void compare_with(const std::filesystem::path& file, const std::vector<Made>& made, Compared& compared,
                  const Stored* earlier = nullptr) {
  static const std::map<std::string, model::ChurnModel> models{
      {tests::id_of(tests::small_model(0)), model::ChurnModel(tests::small_model(0))},
      {tests::id_of(tests::small_model(1)), model::ChurnModel(tests::small_model(1))}};
  Stored stored(file);
  store::Statement cursor(stored.database, "SELECT week,now_us/86400000000,model FROM cursor CROSS JOIN churn_fold");
  REQUIRE(cursor.step());
  const auto week = static_cast<core::Week>(cursor.integer(0));
  const auto day = static_cast<core::Day>(cursor.integer(1));
  const std::string in_use(cursor.text(2));
  for (const Made& one : made) {
    CAPTURE(one.customer);
    const gold::Customer& customer = stored.customers.at(one.customer);
    const decide::Numbers numbers = decide::numbers_of(customer, day);
    bool is_between = false;
    for (std::size_t at = 0; at < decide::kNumbers; ++at) {
      CAPTURE(at);
      if (earlier && numbers[at] != one.numbers[at] && earlier->customers.contains(one.customer)) {
        is_between = true;
        CHECK(decide::numbers_of(earlier->customers.at(one.customer), day)[at] == one.numbers[at]);
      } else {
        CHECK(numbers[at] == one.numbers[at]);
      }
    }
    compared.between += is_between;
    std::int64_t percent = -1;
    if (!in_use.empty()) {
      const model::ChurnModel& model = models.at(in_use);
      const auto ppm = model.score(model::live_view(customer, week, stored.stood(customer), model.scope()));
      percent = ppm < 0 ? -1 : ppm / 10'000;
    }
    CHECK(percent == one.numbers[kChurnPercent]);
    ++compared.decisions;
    compared.scored += percent >= 0;
  }
}

// A log that ends before a record, and then in a tick of its moment.
void apply_tick_instead(const tests::LogMaker& log, const std::filesystem::path& before, bronze::Seq seq) {
  app::EngineOptions options;
  options.database = before;
  options.is_scratch = true;
  options.producer_name = [&log](std::int32_t id) { return log.producer_name(id); };
  app::Engine engine(options);
  bronze::Record tick = log.records()[static_cast<std::size_t>(seq - 1)];
  tick.kind = wire::Kind::kTick;
  tick.payload = {};
  engine.apply(tick);
  engine.flush();
}

void compare(const tests::LogMaker& log, Compared& compared) {
  const tests::ScratchFolder folder;
  tests::Fold live(log, folder / "live.db");
  live.apply_all();
  const MadeBySeq made = decisions_of(live.file(), false), due = decisions_of(live.file(), true);
  tests::Fold again(log, folder / "again.db");
  while (again.has_next()) {
    const bronze::Seq seq = again.engine().applied_seq() + 1;
    CAPTURE(seq);
    if (const auto found = due.find(seq); found != due.end()) {
      again.flush();
      const auto before = folder / fmt::format("{}.db", seq);
      again.engine().snapshot_into(before);
      const Stored earlier(before);
      apply_tick_instead(log, before, seq);
      compare_with(before, found->second, compared, &earlier);
      compared.of_deadlines += found->second.size();
      for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(before.string() + suffix);
    }
    again.apply_next();
    if (const auto found = made.find(seq); found != made.end()) {
      again.flush();
      again.restart();
      compare_with(again.file(), found->second, compared);
    }
  }
}

}  // namespace

TEST_SUITE("app.churn_features_rebuilt") {
  TEST_CASE("features rebuilt as of a decision's asof_seq are those it was made with") {
    REQUIRE(decide::kChoiceNumberNames[kChurnPercent - decide::kNumbers] == "churn_percent");
    Compared compared;
    compare(*shop(60), compared);
    CHECK(compared.decisions > 100);
    CHECK(compared.scored > 20);
    CHECK(compared.of_deadlines > 100);
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      CAPTURE(seed);
      tests::WorldOptions options;
      options.seed = seed;
      options.has_models = true;
      options.records = 400;
      options.customers = 10;
      compare(*tests::World(options).make(), compared);
    }
    CHECK(compared.between * 100 < compared.of_deadlines);
  }

  TEST_CASE("a training sees of T what stood at T, but for facts that came late, whose share is told") {
    constexpr std::uint32_t kCustomers = 120;
    const auto told = told_of(kCustomers);
    const auto late =
        std::count_if(told.begin(), told.end(), [](const Told& one) { return one.arrives != one.occurred; });
    tests::LogMaker log(ingest::ClockMode::kWall);
    log.pack("default");
    for (std::uint32_t customer = 1; customer <= kCustomers; ++customer)  // who is known stands in a tier
      say(log, customer, wire::Profile{});
    for (const Told& one : told) {
      log.arrive_at(one.arrives);
      say(log, one.customer, payment_of(one.customer), one.occurred);
    }
    log.arrive_at(kMonday + kWeeks * core::kWeek + core::kHour);
    log.tick();
    const tests::ScratchFolder folder;
    tests::Fold whole(log, folder / "whole.db");
    whole.apply_all();
    auto read = app::read_training_data(whole.file());
    REQUIRE(std::holds_alternative<app::TrainingData>(read));
    const auto& data = std::get<app::TrainingData>(read);
    CHECK(data.range.late_share == doctest::Approx(static_cast<double>(late) / static_cast<double>(told.size())));

    std::size_t same = 0, apart = 0, in_tiers = 0;
    tests::Fold then(log, folder / "then.db");
    auto snapshots = data.snapshots;
    std::reverse(snapshots.begin(), snapshots.end());  // oldest first
    const core::Week first = core::week_of_day(static_cast<core::Day>(kMonday / core::kDay));
    for (const auto& snapshot : snapshots) {
      const core::Instant start = kMonday + (snapshot.at - first) * core::kWeek;
      while (log.records()[static_cast<std::size_t>(then.engine().applied_seq())].now_us < start) then.apply_next();
      then.flush();
      std::set<std::uint32_t> came_late;  // what had happened before T and was told from T on
      for (const Told& one : told)
        if (one.occurred < start && one.arrives >= start) came_late.insert(one.customer);
      const Stored stored(then.file());
      const auto scope = data.plan.scope_at(snapshot.at);
      std::map<std::uint32_t, model::ChurnView> seen;
      for (const auto& example : snapshot.examples) seen.emplace(example.customer, example.view);
      for (const auto& [customer, row] : stored.customers) {
        const auto view = model::view_of(row, snapshot.at, {}, stored.stood(row), scope, false);
        const auto found = seen.find(customer);
        const bool is_same =
            found == seen.end() ? !view.is_in_population : view.is_in_population && found->second == view;
        if (came_late.contains(customer)) {
          apart += !is_same;
          continue;
        }
        CAPTURE(snapshot.at);
        const auto whose = customer;
        CAPTURE(whose);
        CHECK(is_same);
        same += view.is_in_population;
        in_tiers += view.is_in_population && view.stood.tier_level > 0;
      }
    }
    CHECK(same > 300);
    CHECK(apart > 10);
    CHECK(in_tiers > 300);
  }
}
