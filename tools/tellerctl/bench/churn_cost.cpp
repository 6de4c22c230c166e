// bench churn cost: what the model costs. Training on many customers; a week that begins beside ingest and scores
// everybody again; the share of ingest's throughput that scoring takes.
#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>
#include <zmq.hpp>

#include "bronze/log.h"
#include "core/fault.h"
#include "core/time.h"
#include "decide/pack_files.h"
#include "store/database.h"
#include "tellerctl/bench/background.h"
#include "tellerctl/bench/bank.h"
#include "tellerctl/bench/churn_daemon.h"
#include "tellerctl/bench/figures.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr int kWeeks = 44;
constexpr double kRate = 0.05, kRateOfRegulars = 0.4;  // visits a week, at least
constexpr core::Instant kFirstMonday = 1'735'516'800'000'000;
constexpr std::int64_t kSliceEvents = 256 * 1024;
constexpr double kBesideEventsPerS = 20'000;
constexpr auto kQuietFor = std::chrono::seconds(8), kPassPatience = std::chrono::seconds(120);

struct Visit {
  int week;
  std::int32_t customer;
};

// Customers with a rate each, from the least on; half of them stop for good at some week. In the order of weeks.
std::vector<Visit> visits_of(std::int64_t customers, double least_rate) {
  std::mt19937_64 chance(17);
  std::uniform_real_distribution<double> draw(0, 1);
  std::vector<Visit> visits;
  for (std::int64_t customer = 0; customer < customers; ++customer) {
    const double rate = least_rate + 0.4 * draw(chance);
    const int from = static_cast<int>(12 * draw(chance)),
              until = draw(chance) < 0.5 ? kWeeks : from + static_cast<int>((kWeeks - from) * draw(chance));
    for (int week = from; week < until; ++week)
      if (week == from || draw(chance) < rate) visits.push_back({week, static_cast<std::int32_t>(customer)});
  }
  std::stable_sort(visits.begin(), visits.end(), [](const Visit& a, const Visit& b) { return a.week < b.week; });
  return visits;
}

// Week 0 begins at first_us.
void tell(Daemon& daemon, const std::vector<Visit>& visits, core::Instant first_us) {
  Pipeline pipeline(daemon.endpoint("ingest"), "visits", kStartPatience);
  wire::Encoder encoder;
  std::string id, key;
  const auto count = static_cast<std::int64_t>(visits.size());
  const auto event_at = [&](std::int64_t at) -> std::string_view {
    const Visit& visit = visits[static_cast<std::size_t>(std::min(at, count - 1))];
    id = fmt::format("V{}", at);
    key = Traffic::customer_key(visit.customer);
    wire::Event event;
    event.id = id;
    event.customer = key;
    event.occurred_us = first_us + (at == count ? kWeeks : visit.week) * core::kWeek + core::kHour;
    if (at == count)
      event.body = wire::Login{true, "", ""};  // the week after begins
    else
      event.body = wire::Transaction{10'000 + visit.customer % 9'000, "RUB", "debit", 5411, "", "", ""};
    return encoder.encode(event);
  };
  Sent sent;
  for (std::int64_t begin = 0; begin <= count; begin += kSliceEvents)
    sent = pipeline.send(encode_frames("visits", static_cast<std::uint64_t>(begin) + 1,
                                       std::min(kSliceEvents, count + 1 - begin),
                                       [&](std::int64_t at) { return event_at(begin + at); }));
  daemon.wait_readable(sent.commit_seq);
}

// Trains on `customers`; the sealed model is left in `sealed`.
Json training_cost(const Options& options, std::int64_t customers, std::string& sealed) {
  const Scratch scratch(options.where);
  const auto data = scratch.path() / "tellerd";
  Daemon daemon(data, "default", {"--clock", "event"});
  const auto visits = visits_of(customers, kRate);
  say(fmt::format("churn: {} visits of {} customers go in", visits.size(), customers));
  tell(daemon, visits, kFirstMonday);
  const std::int64_t cpu_before = daemon.child().cpu_us();
  const auto started = Clock::now();
  const auto state = train_on(daemon);
  const double took_s = std::chrono::duration<double>(Clock::now() - started).count();
  const double cpu_s = static_cast<double>(daemon.child().cpu_us() - cpu_before) / 1e6;
  say("churn: " + state.at("text").get<std::string>());
  auto reader = store::Database::open_reader(data / "teller.db");
  store::Statement model(reader, "SELECT sealed, trained_ms, card->>'$.data.rows' FROM churn_model LIMIT 1");
  if (!model.step()) throw core::Fault(core::Exit::kFailed, "no model was recorded");
  sealed = model.text(0);
  const double trained_s = static_cast<double>(model.integer(1)) / 1000;
  return {{"line", fmt::format("training, {} customers", customers)},
          {"customers", customers},
          {"rows", model.integer(2)},
          {"training_s", trained_s},
          {"training_until_scored_s", took_s},
          {"training_cpu_s", cpu_s},
          {"is_training_reached", trained_s < 10}};
}

// Until it is that week in the database and no customer waits for a score; `meanwhile` is called all the time.
void wait_scored(const std::filesystem::path& database, core::Week week, const std::function<void()>& meanwhile) {
  const auto until = Clock::now() + kPassPatience;
  auto look = Clock::now();
  while (Clock::now() < until) {
    if (meanwhile) meanwhile();
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    if (Clock::now() < look) continue;
    look = Clock::now() + std::chrono::milliseconds(50);
    auto reader = store::Database::open_reader(database);
    store::Statement fold(reader, "SELECT c.week,f.next_customer FROM cursor c CROSS JOIN churn_fold f");
    if (fold.step() && fold.integer(0) >= week && fold.integer(1) == 0) return;
  }
  throw core::Fault(core::Exit::kFailed, "scoring everybody again does not end");
}

// A bank in which each customer has a profile and has paid once, within the last eleven weeks: everybody is scored, and
// some are at risk.
void fill(Daemon& daemon, Traffic& traffic, std::int64_t customers, core::Instant until_us) {
  constexpr int kPaidWithin = 11;
  preload(daemon, traffic, customers, 0);
  Pipeline pipeline(daemon.endpoint("ingest"), "payments", kStartPatience);
  wire::Encoder encoder;
  std::string id, key;
  const auto event_at = [&](std::int64_t at) -> std::string_view {
    id = fmt::format("V{}", at);
    key = Traffic::customer_key(at);
    wire::Event event;
    event.id = id;
    event.customer = key;
    event.occurred_us = until_us - (at % kPaidWithin) * core::kWeek - core::kHour;
    event.body = wire::Transaction{10'000 + at % 9'000, "RUB", "debit", 5411, "", "", ""};
    return encoder.encode(event);
  };
  Sent sent;
  for (std::int64_t begin = 0; begin < customers; begin += kSliceEvents)
    sent = pipeline.send(encode_frames("payments", static_cast<std::uint64_t>(begin) + 1,
                                       std::min(kSliceEvents, customers - begin),
                                       [&](std::int64_t at) { return event_at(begin + at); }));
  daemon.wait_readable(sent.commit_seq);
}

TrafficOptions traffic_of(std::int64_t customers, core::Instant now_us) {
  TrafficOptions settings;
  settings.customers = customers;
  settings.now_us = now_us;
  return settings;
}

// The bank as the week before left it: told by the event clock, which has not come further.
void leave_last_week(const std::filesystem::path& data, std::int64_t customers, core::Instant until_us,
                     const std::string& sealed) {
  Daemon daemon(data, "default", {"--clock", "event"});
  Traffic traffic(traffic_of(customers, until_us));
  say(fmt::format("churn: {} customers go in", customers));
  fill(daemon, traffic, customers, until_us);
  activate_sealed(daemon, sealed);
  wait_scored(data / "teller.db", 0, nullptr);
  daemon.child().end();
}

// When the first record after `last` was received. Nobody has sent it: the daemon finds that a week has begun.
core::Instant week_found_us(const std::filesystem::path& data, bronze::Seq last) {
  bronze::LogReader log(data / "bronze");
  bronze::Group group;
  for (const auto until = Clock::now() + kPassPatience; Clock::now() < until;) {
    if (log.read_after(last, 1, group)) return group.records.front().received_us;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  throw core::Fault(core::Exit::kFailed, "the daemon does not find that a week has begun");
}

// Until what the last flush has left in the log beside the database is folded into it.
void wait_folded(const std::filesystem::path& database) {
  const std::filesystem::path log = database.string() + "-wal";
  std::error_code none;
  for (const auto until = Clock::now() + kPassPatience; Clock::now() < until;) {
    if (std::filesystem::file_size(log, none) == 0 || none) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

// A week begins while traffic goes on: everybody is scored again, deadlines run and forecasts are written.
// Acknowledgements meanwhile, and when that is over.
Json week_cost(const Options& options, std::int64_t customers, const std::string& sealed) {
  const Scratch scratch(options.where);
  const auto data = scratch.path() / "tellerd";
  const core::Calendar calendar;
  const core::Week week = calendar.week_of(wall_now_us());
  leave_last_week(data, customers, calendar.start_of_week(week) - core::kHour, sealed);
  Daemon daemon(data, "default");
  const core::Instant found_us = week_found_us(data, static_cast<bronze::Seq>(daemon.flushed_seq()));
  Traffic traffic(traffic_of(customers, wall_now_us()));
  zmq::context_t context;
  std::int64_t next = 0;
  const auto beside = [&](const char* producer, const std::function<void(Background&)>& run) {
    Background background(context, daemon.endpoint("ingest"), producer, traffic, next, kBesideEventsPerS);
    run(background);
    next += static_cast<std::int64_t>(30 * kBesideEventsPerS);  // further than any run goes
    return percentile(background.ack_ms(), .99);
  };
  double took_s = 0;
  const double busy_ms = beside("busy", [&](Background& background) {
    wait_scored(data / "teller.db", week, [&] { background.tick(); });
    took_s = static_cast<double>(wall_now_us() - found_us) / 1e6;
  });
  wait_folded(data / "teller.db");
  const double quiet_ms = beside("quiet", [&](Background& background) {
    for (const auto until = Clock::now() + kQuietFor; Clock::now() < until;) {
      background.tick();
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  auto reader = store::Database::open_reader(data / "teller.db");
  const std::int64_t scored = reader.integer("SELECT count(*) FROM gold_customer WHERE churn_ppm>=0"),
                     foretold = reader.integer(fmt::format("SELECT count(*) FROM churn_forecast WHERE week={}", week));
  if (foretold == 0) throw core::Fault(core::Exit::kFailed, "no week has begun: no forecasts were written");
  say(fmt::format(
      "churn: a week began, {} of {} scored again in {:.1f} s; acknowledged within {:.1f} ms, then {:.1f} ms", scored,
      customers, took_s, busy_ms, quiet_ms));
  return {{"line", fmt::format("a week begins, {} customers", customers)},
          {"customers", customers},
          {"scored", scored},
          {"forecasts", foretold},
          {"scored_again_s", took_s},
          {"beside_events_per_s", kBesideEventsPerS},
          {"ack_ms_p99", busy_ms},
          {"ack_ms_p99_after", quiet_ms},
          {"ack_ratio", busy_ms / std::max(quiet_ms, 1e-3)},
          {"is_scoring_reached", took_s < 15 && busy_ms <= 2 * quiet_ms}};
}

// Ingest with and without a model, in turn (with, without, without, with) on one daemon, event after event.
class InTurn {
 public:
  InTurn(Daemon& daemon, std::filesystem::path database, Traffic& traffic, std::string id, std::int64_t events)
      : daemon_(daemon),
        database_(std::move(database)),
        traffic_(traffic),
        pipeline_(daemon.endpoint("ingest"), "bench", kStartPatience),
        id_(std::move(id)),
        events_(events) {}

  // The first events about a customer cost more than the next: they bring what stands in motion.
  void warm_up(int rounds) {
    for (int round = 0; round < rounds; ++round) round_of_events();
  }
  Json line(const std::string& name, std::int64_t customers, int rounds) {
    std::vector<double> with, without, cpu_with, cpu_without, at_risk;
    for (int round = 0; round < 2 * rounds; ++round) {
      const bool has_model = round % 4 == 0 || round % 4 == 3;
      activate_id(daemon_, has_model ? id_ : "none");
      wait_scored(database_, 0, nullptr);
      wait_folded(database_);  // else the round pays for what the activation has written
      const double at_risk_before = at_risk_share(customers);  // asked in each round, so that rounds are alike
      const Timed timed = round_of_events();
      if (has_model) at_risk.insert(at_risk.end(), {at_risk_before, at_risk_share(customers)});
      (has_model ? with : without).push_back(timed.events_per_s());
      (has_model ? cpu_with : cpu_without).push_back(timed.cpu_us_per_event());
      say(fmt::format("churn: {:.0f} events/s {} a model, {:.2f} us of CPU each", timed.events_per_s(),
                      has_model ? "with" : "without", timed.cpu_us_per_event()));
    }
    const double share = 1 - median(with) / median(without);
    return {{"line", fmt::format("{}, {} customers", name, customers)},
            {"customers", customers},
            {"events_per_s_without", median(without)},
            {"events_per_s_with", median(with)},
            {"share_of_throughput", share},
            {"cpu_us_per_event_without", median(cpu_without)},
            {"cpu_us_per_event_with", median(cpu_with)},
            {"share_of_cpu", 1 - median(cpu_without) / median(cpu_with)},
            {"at_risk_share_first", at_risk.front()},
            {"at_risk_share_last", at_risk.back()},
            {"is_share_reached", share <= 0.15}};
  }

 private:
  double at_risk_share(std::int64_t customers) const {
    auto reader = store::Database::open_reader(database_);
    const std::int64_t count = reader.integer("SELECT count(*) FROM mart_churn WHERE state='at_risk'");
    return static_cast<double>(count) / static_cast<double>(customers);
  }
  Timed round_of_events() {
    const Frames frames = encode_frames("bench", static_cast<std::uint64_t>(sent_) + 1, events_,
                                        [&](std::int64_t at) { return traffic_.event(sent_ + at); });
    sent_ += events_;
    return time_daemon(daemon_, pipeline_, frames);
  }
  Daemon& daemon_;
  std::filesystem::path database_;
  Traffic& traffic_;
  Pipeline pipeline_;
  std::string id_;
  std::int64_t events_, sent_ = 0;
};

// Rules by which many are at risk, and stay so though they come: each of their visits gives them another score, and
// other reasons.
decide::PackFiles wary_rules() {
  auto files = decide::read_pack_files("default");
  std::string& text = files.at("churn.toml");
  for (const auto& [from, to] : {std::pair{"at_risk_threshold = 0.6", "at_risk_threshold = 0.1"},
                                 std::pair{"at_risk_leave = 0.5", "at_risk_leave = 0.05"}})
    text.replace(text.find(from), std::string_view(from).size(), to);
  return files;
}

// The customers are regulars, some of whom have stayed away of late, and most events are about some of them.
void add_throughput_cost(const Options& options, Section& section, std::int64_t customers, std::int64_t events,
                         int rounds, const std::string& sealed) {
  const Scratch scratch(options.where);
  const auto data = scratch.path() / "tellerd";
  Daemon daemon(data, "default");
  TrafficOptions settings = traffic_of(customers, wall_now_us());
  settings.is_skewed = true;
  Traffic traffic(settings);
  preload(daemon, traffic, customers, 0);
  tell(daemon, visits_of(customers, kRateOfRegulars), wall_now_us() - kWeeks * core::kWeek - 2 * core::kHour);
  InTurn in_turn(daemon, data / "teller.db", traffic, activate_sealed(daemon, sealed), events);
  in_turn.warm_up(2);
  section.lines.push_back(in_turn.line("ingest", customers, rounds));
  activate_pack(daemon, wary_rules());
  section.lines.push_back(in_turn.line("ingest, many at risk", customers, rounds));
}

}  // namespace

void add_churn_cost(const Options& options, Section& section) {
  std::string sealed;
  const auto sized = [&](std::int64_t quick, std::int64_t whole) { return options.is_quick ? quick : whole; };
  section.lines.push_back(training_cost(options, sized(20'000, 100'000), sealed));
  section.lines.push_back(week_cost(options, sized(100'000, 1'000'000), sealed));
  add_throughput_cost(options, section, sized(50'000, 200'000),
                      options.events ? options.events : sized(200'000, 500'000), options.rounds ? options.rounds : 4,
                      sealed);
}

}  // namespace tellerd::tellerctl::bench
