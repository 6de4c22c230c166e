// bench latency: from an event sent to its offer at a subscriber, under background traffic at a fixed rate. A probe is
// the profile of a new customer, who gets his first offers at once; it rides in the background's own batches. Under a
// pack that chooses his consent comes just before it. The floor takes the same batches at the same rate, in turn, and
// makes no offers: there the acknowledgement of the probe's batch is waited for.
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <fstream>
#include <thread>
#include <unordered_map>
#include <vector>
#include <zmq.hpp>
#include <zmq_addon.hpp>

#include "core/fault.h"
#include "decide/pack.h"
#include "decide/pack_files.h"
#include "tellerctl/bench/bank.h"
#include "tellerctl/bench/benches.h"
#include "tellerctl/bench/figures.h"
#include "tellerctl/bench/interrupt.h"
#include "tellerctl/bench/servers.h"
#include "wire/batch.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr std::int64_t kRates[] = {1'000, 10'000, 50'000};
constexpr int kSyncs = 300, kTicksPerProbe = 10, kTicksBeforeProbes = 300;
constexpr auto kTick = std::chrono::milliseconds(1);
constexpr auto kUntilIdle = std::chrono::seconds(2);    // a daemon folds and gives back what it needed after one
constexpr auto kStragglers = std::chrono::seconds(10);  // an offer later than this is missing
constexpr double kSlackMs = 5;
constexpr double kWatchedMs = 1000, kGapMs = 0.5;

double ms_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

// A page written over an existing file and synced, as a log does it: appended to `found`, in ms.
void time_syncs(const std::filesystem::path& folder, std::vector<double>& found) {
  const std::string file = (folder / "sync").string();
  const int to = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const std::vector<char> page(4096, 'x');
  const auto fail = [&] { throw core::Fault(core::Exit::kFailed, file + ": " + std::strerror(errno)); };
  if (to < 0) fail();
  for (int round = 0; round < 2; ++round) {  // the first round lays the file out
    for (int at = 0; at < kSyncs; ++at) {
      const auto started = Clock::now();
      if (pwrite(to, page.data(), page.size(), at * static_cast<off_t>(page.size())) < 0 || fdatasync(to) != 0) fail();
      if (round == 1) found.push_back(ms_between(started, Clock::now()));
    }
  }
  close(to);
}

// What the machine does to everybody: a processor that runs nothing but a loop here stands still now and then, as its
// host runs somebody else.
struct Away {
  double share = 0, longest_ms = 0;  // of a processor's time, in gaps of half a millisecond and more; all added up
};

void watch_processors(Away& found) {
  std::vector<Away> of(std::thread::hardware_concurrency());
  std::vector<std::thread> watching;
  for (std::size_t number = 0; number < of.size(); ++number)
    watching.emplace_back([&away = of[number], number] {
      cpu_set_t only;
      CPU_ZERO(&only);
      CPU_SET(number, &only);
      pthread_setaffinity_np(pthread_self(), sizeof only, &only);  // where it is not let, it watches another one
      const auto started = Clock::now();
      for (auto last = started, now = last; ms_between(started, now) < kWatchedMs; last = now) {
        now = Clock::now();
        const double gap_ms = ms_between(last, now);
        if (gap_ms < kGapMs) continue;
        away.share += gap_ms / kWatchedMs;
        away.longest_ms = std::max(away.longest_ms, gap_ms);
      }
    });
  for (auto& thread : watching) thread.join();
  for (const Away& one : of) {
    found.share += one.share;
    found.longest_ms = std::max(found.longest_ms, one.longest_ms);
  }
}

// Without reading all of the JSON: most of what a subscriber hears is of the background.
std::string customer_of(std::string_view said) {
  constexpr std::string_view kField = "\"customer_key\":\"";
  const std::size_t found = said.find(kField);
  if (found == std::string_view::npos) return {};
  said.remove_prefix(found + kField.size());
  return std::string(said.substr(0, said.find('"')));
}

// One rate: sends a batch each tick and listens between ticks. Without a feed nobody's offer is waited for.
class Probe {
 public:
  Probe(const std::string& ingest, const std::string& feed, Traffic& traffic, std::int64_t rate,
        std::int64_t first_event, bool has_consent)
      : traffic_(traffic),
        rate_(rate),
        next_event_(first_event),
        has_consent_(has_consent),
        has_feed_(!feed.empty()),
        producer_(fmt::format("rate-{}", rate)) {
    for (auto* socket : {&dealer_, &feed_}) socket->set(zmq::sockopt::linger, 0);
    feed_.set(zmq::sockopt::rcvhwm, 0);
    feed_.set(zmq::sockopt::subscribe, "offer.");
    if (has_feed_) feed_.connect(feed);
    dealer_.connect(ingest);
  }

  // All frames are made before the first is sent: making them would take time from the daemon.
  void run(int probes) {
    const int ticks = kTicksBeforeProbes + probes * kTicksPerProbe;
    std::vector<Frame> frames;
    for (int tick = 0; tick < ticks; ++tick)
      frames.push_back(make_frame(tick >= kTicksBeforeProbes && tick % kTicksPerProbe == 0));
    const auto started = Clock::now();
    for (int tick = 0; tick < ticks; ++tick) {
      check_interrupted();
      Frame& frame = frames[static_cast<std::size_t>(tick)];
      if (!frame.probe.empty()) {
        unanswered_.push_back({frame.last_seq, Clock::now()});
        if (has_feed_) sent_.emplace(std::move(frame.probe), Clock::now());
      }
      dealer_.send(zmq::buffer(frame.bytes), zmq::send_flags::none);
      listen_until(started + (tick + 1) * kTick);
    }
    const auto until = Clock::now() + kStragglers;
    while ((!sent_.empty() || !unanswered_.empty()) && Clock::now() < until) listen_until(Clock::now() + 20 * kTick);
  }

  const std::vector<double>& offer_ms() const noexcept { return offer_ms_; }
  const std::vector<double>& ack_ms() const noexcept { return ack_ms_; }
  std::size_t missing() const noexcept { return sent_.size(); }
  std::uint64_t commit_seq() const noexcept { return commit_seq_; }
  std::int64_t next_event() const noexcept { return next_event_; }

 private:
  struct Frame {
    std::string bytes, probe;  // key of the probe in it, if there is one
    std::uint64_t last_seq = 0;
  };

  Frame make_frame(bool has_probe) {
    builder_.start();
    for (std::int64_t left = rate_ / 1000; left > 0; --left) builder_.add(traffic_.event(next_event_++));
    std::int64_t count = rate_ / 1000;
    const std::int64_t customer = kFirstProbe + rate_ * 1000 + probes_;
    if (has_probe && has_consent_) {
      builder_.add(traffic_.consent(customer));
      ++count;
    }
    if (has_probe) builder_.add(traffic_.profile(customer));
    Frame frame{std::string(builder_.finish(producer_, 1, next_seq_, false)), {}};
    if (has_probe) {
      ++count;
      ++probes_;
      frame.probe = Traffic::customer_key(customer);
    }
    next_seq_ += static_cast<std::uint64_t>(count);
    frame.last_seq = next_seq_ - 1;
    return frame;
  }

  // Sleeps until something comes, as a listener does: looking all the time would take a core from the daemon.
  void listen_until(Clock::time_point until) {
    for (;;) {
      take_offers();
      take_answers();
      const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(until - Clock::now()).count();
      if (left <= 0) return;
      pollfd sockets[] = {{feed_.get(zmq::sockopt::fd), POLLIN, 0}, {dealer_.get(zmq::sockopt::fd), POLLIN, 0}};
      const timespec wait{left / 1'000'000'000, left % 1'000'000'000};
      ppoll(sockets, 2, &wait, nullptr);
    }
  }

  void take_offers() {
    std::vector<zmq::message_t> parts;
    while (zmq::recv_multipart(feed_, std::back_inserter(parts), zmq::recv_flags::dontwait)) {
      const auto now = Clock::now();
      const auto at = sent_.find(customer_of(parts.back().to_string_view()));
      parts.clear();
      if (at == sent_.end()) continue;  // the background's, or the second offer of a probe
      offer_ms_.push_back(ms_between(at->second, now));
      sent_.erase(at);
    }
  }

  void take_answers() {
    zmq::message_t message;
    wire::Ack ack;
    while (dealer_.recv(message, zmq::recv_flags::dontwait)) {
      if (!wire::parse_ack(message.to_string_view(), ack) || ack.code != wire::AckCode::kAccepted)
        throw core::Fault(core::Exit::kFailed,
                          fmt::format("{} events/s are not taken: {} {}", rate_, wire::name_of(ack.code), ack.text));
      commit_seq_ = ack.commit_seq;
      for (; !unanswered_.empty() && unanswered_.front().last_seq <= ack.through_seq; unanswered_.pop_front())
        ack_ms_.push_back(ms_between(unanswered_.front().at, Clock::now()));
    }
  }

  static constexpr std::int64_t kFirstProbe = 1'000'000'000;  // no customer of the background
  Traffic& traffic_;
  std::int64_t rate_, next_event_, probes_ = 0;
  bool has_consent_, has_feed_;
  std::string producer_;
  zmq::context_t context_;
  zmq::socket_t dealer_{context_, zmq::socket_type::dealer}, feed_{context_, zmq::socket_type::sub};
  wire::BatchBuilder builder_;
  std::uint64_t next_seq_ = 1, commit_seq_ = 0;
  struct Sent {
    std::uint64_t last_seq;
    Clock::time_point at;
  };
  std::unordered_map<std::string, Clock::time_point> sent_;
  std::deque<Sent> unanswered_;  // batches with a probe
  std::vector<double> offer_ms_, ack_ms_;
};

// Nobody is left without an offer on purpose: a probe in the holdout would wait for ever.
std::string without_holdout(const std::string& name, const std::filesystem::path& folder) {
  decide::PackFiles files = decide::read_pack_files(name);
  std::string& contact = files["contact.toml"];
  const std::size_t at = contact.find("holdout_percent"), end = contact.find('\n', at);
  if (!decide::parse_pack(files).catalogue || at == std::string::npos) return name;
  contact.replace(at, end - at, "holdout_percent = 0");
  std::filesystem::create_directories(folder);
  for (const auto& [file, text] : files) std::ofstream(folder / file, std::ios::binary) << text;
  return folder.string();
}

}  // namespace

Section measure_latency(const Options& options) {
  const std::int64_t customers = options.customers ? options.customers : options.is_quick ? 10'000 : 100'000;
  const int probes = options.is_quick ? 200 : 1000;
  const Scratch scratch(options.where);
  const std::string policy = options.policy.empty() ? "original" : options.policy;
  const bool chooses = decide::parse_pack(decide::read_pack_files(policy)).catalogue.has_value();
  Daemon daemon(scratch.path() / "tellerd", without_holdout(policy, scratch.path() / "policy"));
  TrafficOptions settings;
  settings.customers = customers;
  settings.history = options.history ? options.history : customers;
  settings.now_us = wall_now_us();
  Traffic traffic(settings);
  say(fmt::format("latency: {} customers and {} facts go in", customers, settings.history));
  preload(daemon, traffic, customers, settings.history);

  std::vector<double> syncs;
  std::this_thread::sleep_for(kUntilIdle);
  time_syncs(scratch.path(), syncs);
  Away before, after;
  watch_processors(before);
  std::vector<Json> lines;
  FloorServer floor_server(scratch.path() / "floor");
  std::int64_t next_event = settings.history;
  for (const std::int64_t rate : kRates) {
    Probe floor(floor_server.endpoint(), {}, traffic, rate, next_event, chooses);
    floor.run(probes);
    Probe probe(daemon.endpoint("ingest"), daemon.endpoint("feed"), traffic, rate, next_event, chooses);
    probe.run(probes);
    next_event = probe.next_event();
    daemon.wait_readable(probe.commit_seq());
    lines.push_back({{"line", fmt::format("{} events/s", rate)},
                     {"policy", policy},
                     {"events_per_s", rate},
                     {"probes", probes},
                     {"probes_without_offer", probe.missing()},
                     {"floor_ack_ms_p50", percentile(floor.ack_ms(), .5)},
                     {"floor_ack_ms_p99", percentile(floor.ack_ms(), .99)},
                     {"ack_ms_p50", percentile(probe.ack_ms(), .5)},
                     {"ack_ms_p99", percentile(probe.ack_ms(), .99)},
                     {"offer_ms_p50", percentile(probe.offer_ms(), .5)},
                     {"offer_ms_p99", percentile(probe.offer_ms(), .99)}});
    say(fmt::format(
        "latency at {} events/s: p50 {:.2f} ms, p99 {:.2f} ms; the floor acknowledges after {:.2f} and "
        "{:.2f} ms, tellerd after {:.2f} and {:.2f} ms",
        rate, percentile(probe.offer_ms(), .5), percentile(probe.offer_ms(), .99), percentile(floor.ack_ms(), .5),
        percentile(floor.ack_ms(), .99), percentile(probe.ack_ms(), .5), percentile(probe.ack_ms(), .99)));
  }
  std::this_thread::sleep_for(kUntilIdle);
  time_syncs(scratch.path(), syncs);
  watch_processors(after);
  const double bound_ms = 2 * percentile(syncs, .99) + kSlackMs;
  Section section{
      "latency",
      "event sent until its offer is received by a subscriber, beside the floor's acknowledgement in turn, and "
      "fdatasync, and processors that stand still, with both idle",
      "offer_ms_p99 at most two fdatasync_ms_p99 and 5 ms", Json::array()};
  for (Json& line : lines) {
    line["fdatasync_ms_p50"] = percentile(syncs, .5);
    line["fdatasync_ms_p99"] = percentile(syncs, .99);
    line["offer_ms_p99_bound"] = bound_ms;
    line["processors_away_share"] = (before.share + after.share) / 2;
    line["processors_away_ms_max"] = std::max(before.longest_ms, after.longest_ms);
    line["is_within_bound"] = line["probes_without_offer"] == 0 && line["offer_ms_p99"].get<double>() <= bound_ms;
    section.lines.push_back(line);
  }
  return section;
}

}  // namespace tellerd::tellerctl::bench
