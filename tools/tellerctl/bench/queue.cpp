// bench queue: what a lease costs from few and from many waiting offers; leases at a rate beside ingest at half its
// capacity; an event that ends an offer's ground until the desk that holds it is told.
#include <fmt/core.h>

#include <ctime>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <zmq.hpp>

#include "core/fault.h"
#include "tellerctl/bench/background.h"
#include "tellerctl/bench/bank.h"
#include "tellerctl/bench/benches.h"
#include "tellerctl/bench/desk_crowd.h"
#include "tellerctl/bench/figures.h"
#include "wire/codec.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr int kDesks = 200;
constexpr double kLeasesPerS = 2000;
constexpr std::int64_t kOffersACustomer = 3;  // of pack `original`
constexpr auto kStragglers = std::chrono::seconds(10);

TrafficOptions settings(std::int64_t customers, std::int64_t history) {
  TrafficOptions made;
  made.customers = customers;
  made.history = history;
  made.now_us = wall_now_us();
  return made;
}

// Leases given straight back, as fast as answers come: microseconds of wall and of the daemon's CPU a lease.
Json lease_cost(const Options& options, std::int64_t waiting, std::int64_t leases) {
  const Scratch scratch(options.where);
  Daemon daemon(scratch.path() / "tellerd", "original");
  Traffic traffic(settings(waiting / kOffersACustomer, 1));
  preload(daemon, traffic, waiting / kOffersACustomer + 1, 0);
  zmq::context_t context;
  DeskPace pace;
  pace.desks = 20;
  pace.is_disposing = false;
  DeskCrowd crowd(context, daemon.endpoint("queue"), pace);
  crowd.run(leases / 5, nullptr);  // warm
  const std::int64_t cpu_before = daemon.child().cpu_us();
  crowd.run(leases, nullptr);
  const double cpu_us = static_cast<double>(daemon.child().cpu_us() - cpu_before) / static_cast<double>(leases);
  say(fmt::format("queue: {} waiting: {:.0f} us a lease, {:.0f} us CPU", waiting,
                  crowd.wall_s() * 1e6 / static_cast<double>(leases), cpu_us));
  return {{"line", fmt::format("{} offers wait", waiting)},
          {"leases", leases},
          {"us_per_lease", crowd.wall_s() * 1e6 / static_cast<double>(leases)},
          {"cpu_us_per_lease", cpu_us}};
}

std::int64_t own_cpu_us() {  // of the desks and of who sends beside them
  return static_cast<std::int64_t>(static_cast<double>(std::clock()) * 1e6 / CLOCKS_PER_SEC);
}

double measured_capacity(Daemon& daemon, Traffic& traffic, std::int64_t first, std::int64_t events) {
  Pipeline pipeline(daemon.endpoint("ingest"), "capacity", kStartPatience);
  const Frames frames =
      encode_frames("capacity", 1, events, [&](std::int64_t at) { return traffic.event(first + at); });
  return time_daemon(daemon, pipeline, frames).events_per_s();
}

// A desk that holds offers hears of their end: one batch a customer, a portfolio that makes anybody below VIP a VIP, or
// logins that make a passive VIP an active one.
class Turn {
 public:
  Turn(Daemon& daemon, zmq::context_t& context, std::string name)
      : name_(std::move(name)), desk_(context, zmq::socket_type::dealer), producer_(context, zmq::socket_type::dealer) {
    for (auto* socket : {&desk_, &producer_}) socket->set(zmq::sockopt::linger, 0);
    desk_.connect(daemon.endpoint("queue"));
    producer_.connect(daemon.endpoint("ingest"));
    ask({{"verb", "HELLO"}, {"client", name_}, {"session", "1"}});
  }

  void run(int probes, const std::function<void()>& between) {
    between_ = between;
    std::vector<Json> held;  // until the end: what is given back would come first again
    while (static_cast<int>(withdraw_ms_.size() + missing_) < probes && held.size() + kPull <= kHeldMax) {
      const Json more = ask({{"verb", "PULL"}, {"queue", "marketing"}, {"credit", kPull}, {"wait_ms", 5000}})["offers"];
      if (more.empty()) break;
      for (const auto& offer : more) probe(offer);
      held.insert(held.end(), more.begin(), more.end());
    }
    for (const auto& offer : held)
      ask({{"verb", "RELEASE"}, {"offer_id", offer["offer_id"]}, {"epoch", offer["epoch"]}}, false);
  }
  const std::vector<double>& withdraw_ms() const noexcept { return withdraw_ms_; }
  std::size_t missing() const noexcept { return missing_; }

 private:
  static constexpr std::size_t kPull = 50, kHeldMax = 400;
  static constexpr int kLoginsOfTheActive = 5;
  static constexpr auto kPause = std::chrono::milliseconds(10);  // from one to the next: what runs beside goes on

  void probe(const Json& offer) {
    if (withdrawn_.contains(offer["offer_id"])) return;  // with another offer of the same customer
    const std::string segment = offer["action"]["segment"];
    if (segment == "VIP Active") return;  // nothing is above
    for (const auto until = Clock::now() + kPause; Clock::now() < until;) look();
    if (withdrawn_.contains(offer["offer_id"])) return;
    const std::string customer = offer["customer"]["key"];
    const bool is_vip = segment.starts_with("VIP");
    builder_.start();
    const std::uint64_t first_seq = next_seq_;
    for (int left = is_vip ? kLoginsOfTheActive : 1; left > 0; --left) {
      const std::string id = fmt::format("{}-{}", name_, next_seq_++);
      wire::Event event;
      event.id = id;
      event.customer = customer;
      event.occurred_us = wall_now_us() - core::kSecond;
      if (is_vip)
        event.body = wire::Login{true, "", ""};
      else
        event.body = wire::Holding{"ETF", "Sample", 1'000'000, 0, 600'000'00, "RUB", ""};
      builder_.add(encoder_.encode(event));
    }
    frame_ = builder_.finish(name_, 1, first_seq, false);
    send_frame();
    const auto until = sent_ + kStragglers;
    while (!withdrawn_.contains(offer["offer_id"]) && Clock::now() < until) look();
    if (!withdrawn_.contains(offer["offer_id"])) return static_cast<void>(++missing_);
    withdraw_ms_.push_back(std::chrono::duration<double, std::milli>(withdrawn_[offer["offer_id"]] - sent_).count());
  }

  void send_frame() {
    producer_.send(zmq::buffer(frame_), zmq::send_flags::none);
    sent_ = Clock::now();
  }

  void look() {
    zmq::pollitem_t item{desk_.handle(), 0, ZMQ_POLLIN, 0};
    zmq::poll(&item, 1, std::chrono::milliseconds(1));
    listen(nullptr);
    hear_acks();
    if (Clock::now() >= send_again_at_) {  // the event counts from when it is taken
      send_again_at_ = Clock::time_point::max();
      send_frame();
    }
    if (between_) between_();
  }

  void hear_acks() {
    zmq::message_t message;
    wire::Ack ack;
    while (producer_.recv(message, zmq::recv_flags::dontwait))
      if (!wire::parse_ack(message.to_string_view(), ack) ||
          (ack.code != wire::AckCode::kAccepted && ack.code != wire::AckCode::kRetryAfter))
        throw core::Fault(core::Exit::kFailed,
                          "what ends an offer is not taken: " + std::string(wire::name_of(ack.code)));
    if (ack.code == wire::AckCode::kRetryAfter) send_again_at_ = Clock::now() + std::chrono::milliseconds(ack.retry_ms);
  }

  void listen(Json* answer) {
    zmq::message_t message;
    while (desk_.recv(message, zmq::recv_flags::dontwait)) {
      Json said = Json::parse(message.to_string_view());
      if (!said.contains("push")) {
        if (answer && said.value("id", 0) == last_id_) *answer = std::move(said);
        continue;
      }
      if (said["push"] != "WITHDRAW" || !withdrawn_.emplace(said["offer_id"], Clock::now()).second) continue;
      desk_.send(
          zmq::buffer(
              Json{{"id", -1}, {"verb", "ACK"}, {"offer_id", said["offer_id"]}, {"epoch", said["epoch"]}}.dump()),
          zmq::send_flags::none);
    }
  }

  Json ask(Json question, bool must_agree = true) {
    question["id"] = ++last_id_;
    desk_.send(zmq::buffer(question.dump()), zmq::send_flags::none);
    Json answer;
    for (const auto until = Clock::now() + kStragglers; answer.is_null() && Clock::now() < until;) {
      zmq::pollitem_t item{desk_.handle(), 0, ZMQ_POLLIN, 0};
      zmq::poll(&item, 1, std::chrono::milliseconds(1));
      listen(&answer);
      if (between_) between_();  // what runs beside does not wait for an answer
    }
    if (answer.is_null() || (must_agree && !answer.value("ok", false)))
      throw core::Fault(core::Exit::kFailed, "a desk was refused: " + answer.dump());
    return answer;
  }

  std::string name_;
  zmq::socket_t desk_, producer_;
  std::function<void()> between_;
  wire::BatchBuilder builder_;
  wire::Encoder encoder_;
  std::uint64_t next_seq_ = 1;
  std::string frame_;
  Clock::time_point sent_, send_again_at_ = Clock::time_point::max();
  int last_id_ = 0;
  std::size_t missing_ = 0;
  std::unordered_map<std::string, Clock::time_point> withdrawn_;
  std::vector<double> withdraw_ms_;
};

}  // namespace

Section measure_queue(const Options& options) {
  const std::int64_t many = options.is_quick ? 90'000 : 1'000'000, leases = options.is_quick ? 2'000 : 10'000;
  Section section{
      "queue",
      "leases from few and from many waiting offers; leases and withdrawals beside ingest at half its capacity",
      "cost of a lease from many at most 1.3 of that from few; lease_ms_p99 under 20; withdraw_ms_p99 under 50",
      Json::array()};
  Json few = lease_cost(options, 1'000, leases), deep = lease_cost(options, many, leases);
  deep["ratio_of_few"] = deep["cpu_us_per_lease"].get<double>() / few["cpu_us_per_lease"].get<double>();
  section.lines.push_back(few);
  section.lines.push_back(deep);

  const std::int64_t customers = options.customers ? options.customers : options.is_quick ? 30'000 : 100'000;
  const std::int64_t history = options.history ? options.history : customers;
  const Scratch scratch(options.where);
  Daemon daemon(scratch.path() / "tellerd", "original");
  Traffic traffic(settings(customers, history));
  preload(daemon, traffic, customers, history);
  const std::int64_t burst = options.is_quick ? 100'000 : 500'000;
  const double capacity = measured_capacity(daemon, traffic, history, burst);
  say(fmt::format("queue: ingest takes {:.0f} events/s", capacity));
  zmq::context_t context;
  for (const double share : {0.0, 0.5}) {
    DeskPace pace;
    pace.desks = kDesks;
    pace.leases_per_s = kLeasesPerS;
    DeskCrowd crowd(context, daemon.endpoint("queue"), pace);
    Background background(context, daemon.endpoint("ingest"), fmt::format("beside-{}", share), traffic, history + burst,
                          capacity * share);
    const std::int64_t daemon_before = daemon.child().cpu_us(), own_before = own_cpu_us();
    crowd.run(options.is_quick ? 4'000 : 20'000, [&] { background.tick(); });
    const auto cores = [&](std::int64_t us) { return static_cast<double>(us) / 1e6 / crowd.wall_s(); };
    const double daemon_cores = cores(daemon.child().cpu_us() - daemon_before),
                 own_cores = cores(own_cpu_us() - own_before);
    Turn turn(daemon, context, fmt::format("turn-{}", share));
    turn.run(options.is_quick ? 100 : 500, [&] { background.tick(); });
    section.lines.push_back({{"line", fmt::format("{} desks beside {:.0f} events/s", kDesks, capacity * share)},
                             {"events_per_s", background.rate()},
                             {"waits_of_the_producer", background.waits()},
                             {"leases_per_s", static_cast<double>(crowd.lease_ms().size()) / crowd.wall_s()},
                             {"lease_ms_p50", percentile(crowd.lease_ms(), .5)},
                             {"lease_ms_p99", percentile(crowd.lease_ms(), .99)},
                             {"dispose_ms_p99", percentile(crowd.return_ms(), .99)},
                             {"cores_of_tellerd", daemon_cores},
                             {"cores_of_the_bench", own_cores},
                             {"withdrawals", turn.withdraw_ms().size()},
                             {"withdrawals_missing", turn.missing()},
                             {"withdraw_ms_p50", percentile(turn.withdraw_ms(), .5)},
                             {"withdraw_ms_p99", percentile(turn.withdraw_ms(), .99)}});
    say(fmt::format("queue beside {:.0f} events/s: lease p50 {:.2f} ms, p99 {:.2f} ms; withdraw p99 {:.2f} ms",
                    background.rate(), percentile(crowd.lease_ms(), .5), percentile(crowd.lease_ms(), .99),
                    percentile(turn.withdraw_ms(), .99)));
  }
  return section;
}

}  // namespace tellerd::tellerctl::bench
