// The traffic that benchmarks send, and the arithmetic of what they measure.
#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ingest/admission.h"
#include "tellerctl/bench/background.h"
#include "tellerctl/bench/figures.h"
#include "tellerctl/bench/frames.h"
#include "tellerctl/bench/traffic.h"
#include "unit/ctl_peer.h"
#include "wire/batch.h"

namespace {

using namespace tellerd;
using tellerctl::bench::Traffic;
using tellerctl::bench::TrafficOptions;
using wire::Kind;

constexpr core::Instant kNow = 1'795'000'000 * core::kSecond;  // November 2026

TrafficOptions options_of(std::int64_t customers, std::int64_t history) {
  TrafficOptions options;
  options.customers = customers;
  options.history = history;
  options.now_us = kNow;
  return options;
}

}  // namespace

TEST_SUITE_BEGIN("tellerctl.bench");

TEST_CASE("a hundred events that correct nothing hold the mix exactly") {
  Traffic traffic(options_of(1000, 0));
  const std::map<Kind, int> expected{{Kind::kTransaction, 55},   {Kind::kLogin, 12},      {Kind::kActivity, 12},
                                     {Kind::kBillPayment, 6},    {Kind::kHostVisit, 5},   {Kind::kSms, 4},
                                     {Kind::kSupportContact, 3}, {Kind::kProductView, 2}, {Kind::kHolding, 1}};
  std::map<Kind, int> found;
  for (std::int64_t n = 0; n < 100; ++n) ++found[traffic.fact(n).kind()];
  CHECK(found == expected);
}

TEST_CASE("events weigh about 160 bytes, and the door takes every one") {
  for (const bool is_uuid : {false, true}) {
    TrafficOptions options = options_of(200'000, 10'000);
    options.is_uuid = is_uuid;
    Traffic traffic(options);
    wire::Decoder decoder;
    std::size_t bytes = 0;
    for (std::int64_t n = 0; n < 20'000; ++n) {
      const std::string event(traffic.event(n));
      bytes += event.size();
      wire::Event decoded;
      REQUIRE(ingest::judge_content(event, decoder, decoded).is_accepted());
      REQUIRE(ingest::judge_future(decoded, kNow).is_accepted());
      REQUIRE(ingest::judge_age(decoded, kNow).is_accepted());
    }
    const double mean = static_cast<double>(bytes) / 20'000;
    CHECK(mean > (is_uuid ? 170 : 150));  // a UUID is 26 characters longer than an id that counts
    CHECK(mean < (is_uuid ? 200 : 170));
  }
}

TEST_CASE("one event in fifty corrects an earlier fact of the same customer, with a greater version") {
  constexpr std::int64_t kEvents = 200'000;
  Traffic traffic(options_of(5000, kEvents));
  struct Seen {
    std::string customer;
    core::Instant occurred_us;
    std::int64_t n;
  };
  std::map<std::string, Seen> first;
  int corrections = 0;
  double age = 0;
  for (std::int64_t n = 0; n < kEvents; ++n) {
    const wire::Event& event = traffic.fact(n);
    const std::string id(event.id);
    const auto [at, is_new] = first.try_emplace(id, Seen{std::string(event.customer), event.occurred_us, n});
    REQUIRE(is_new != traffic.is_correction(n));
    REQUIRE((event.version > 0) != is_new);
    if (is_new) continue;
    ++corrections;
    age += static_cast<double>(n - at->second.n);
    REQUIRE((event.kind() == Kind::kTransaction || event.kind() == Kind::kBillPayment));
    REQUIRE(at->second.customer == event.customer);
    REQUIRE(at->second.occurred_us == event.occurred_us);
  }
  CHECK(corrections > 3'700);  // 4,000 expected, standard deviation 63
  CHECK(corrections < 4'300);
  // The exponential age of mean 200,000 is drawn again evenly where it reaches before the first event, so the mean age
  // lies below half of all events.
  CHECK(age / corrections > 40'000);
  CHECK(age / corrections < 100'000);
}

TEST_CASE("corrections stay behind the event they may reach back to") {
  TrafficOptions options = options_of(5000, 0);
  options.first = 40'000;
  Traffic traffic(options);
  std::set<std::string> own;
  for (std::int64_t n = 40'000; n < 60'000; ++n) {
    const wire::Event& event = traffic.fact(n);
    const bool is_new = own.insert(std::string(event.id)).second;
    REQUIRE(is_new != traffic.is_correction(n));
  }
}

TEST_CASE("the same seed gives the same bytes in any order, another seed others") {
  Traffic one(options_of(1000, 500)), two(options_of(1000, 500));
  TrafficOptions other_options = options_of(1000, 500);
  other_options.seed = 2;
  Traffic other(other_options);
  std::vector<std::string> forward;
  for (std::int64_t n = 0; n < 1000; ++n) forward.emplace_back(one.event(n));
  int different = 0;
  for (std::int64_t n = 999; n >= 0; --n) {
    CHECK(two.event(n) == forward[static_cast<std::size_t>(n)]);
    different += other.event(n) != forward[static_cast<std::size_t>(n)];
  }
  CHECK(different > 990);
}

TEST_CASE("history is spread over four weeks before now, live traffic begins at now") {
  Traffic traffic(options_of(1000, 1000));
  CHECK(traffic.fact(0).occurred_us == kNow - 28 * core::kDay);
  CHECK(traffic.fact(500).occurred_us == kNow - 14 * core::kDay);
  CHECK(traffic.fact(1000).occurred_us == kNow);
  CHECK(traffic.fact(1001).occurred_us == kNow + 1);
}

TEST_CASE("skewed traffic gives an eighth of the customers half of the events") {
  TrafficOptions options = options_of(8000, 0);
  options.is_skewed = true;
  Traffic traffic(options);
  int of_first_eighth = 0;
  for (std::int64_t n = 0; n < 20'000; ++n)
    of_first_eighth += traffic.fact(n).customer < "0001000";  // u < 1/2: u^3 < 1/8
  CHECK(of_first_eighth > 9'700);
  CHECK(of_first_eighth < 10'300);
}

TEST_CASE("frames hold all events in order, the last one what is left") {
  const auto frames = tellerctl::bench::encode_frames("p", 11, 600, [](std::int64_t at) {
    static std::string bytes;
    return std::string_view(bytes = "event number " + std::to_string(at) + " .....");
  });
  REQUIRE(frames.frames.size() == 3);
  CHECK(frames.last_seq() == 610);
  std::uint64_t expected_seq = 11;
  std::int64_t at = 0;
  wire::BatchView batch;
  for (const auto& frame : frames.frames) {
    REQUIRE(std::holds_alternative<wire::BatchView*>(wire::parse_frame(frame, batch)));
    CHECK(batch.first_seq == expected_seq);
    CHECK(batch.producer == "p");
    for (const auto event : batch.events) CHECK(event == "event number " + std::to_string(at++) + " .....");
    expected_seq += batch.events.size();
  }
  CHECK(at == 600);
}

TEST_CASE("percentiles are nearest ranks") {
  using tellerctl::bench::percentile;
  const std::vector<double> five{50, 15, 40, 20, 35};  // the worked example of the nearest-rank method
  CHECK(percentile(five, .05) == 15);
  CHECK(percentile(five, .30) == 20);
  CHECK(percentile(five, .40) == 20);
  CHECK(percentile(five, .50) == 35);
  CHECK(percentile(five, 1.0) == 50);
  std::vector<double> hundred;
  for (int value = 1; value <= 100; ++value) hundred.push_back(value);
  CHECK(percentile(hundred, .99) == 99);
  CHECK(percentile(hundred, 0) == 1);
  CHECK(percentile({7}, .99) == 7);
  CHECK(percentile({}, .5) == 0);
}

TEST_CASE("a median of an even number lies between the two in the middle") {
  using tellerctl::bench::median;
  CHECK(median({3, 1, 2}) == 2);
  CHECK(median({4, 1, 3, 2}) == 2.5);
  CHECK(median({}) == 0);
}

// What an ingest endpoint is told and answers, for a producer beside a benchmark: takes batches in order, after
// `judge`, which says what becomes of the next one.
struct Beside {
  enum class Fate { kTaken, kRefused, kTakenUnanswered };
  std::uint64_t expected = 1;
  int batches = 0, hellos = 0;
  std::chrono::steady_clock::time_point refused, again;
  std::size_t waits = 0, answered = 0;
  double rate = 0;

  void run(const std::function<Fate(Beside&)>& judge, std::chrono::milliseconds span) {
    const test::TemporaryFolder folder;
    const std::string endpoint = test::endpoint_in(folder.path, "ingest");
    const test::Peer peer(endpoint, [&](const std::string& frame) { return answers(frame, judge); });
    Traffic traffic(options_of(1000, 0));
    zmq::context_t context;
    tellerctl::bench::Background background(context, endpoint, "beside", traffic, 0, 20'000);
    const auto until = std::chrono::steady_clock::now() + span;
    while (std::chrono::steady_clock::now() < until) background.tick();
    rate = background.rate();
    waits = background.waits();
    answered = background.ack_ms().size();
  }

 private:
  std::vector<std::string> answers(const std::string& frame, const std::function<Fate(Beside&)>& judge) {
    wire::BatchView batch;
    alignas(8) char aligned[65'536];
    std::memcpy(aligned, frame.data(), frame.size());
    wire::Ack ack;
    ack.through_seq = expected - 1;
    if (!std::holds_alternative<wire::BatchView*>(wire::parse_frame({aligned, frame.size()}, batch))) {
      ++hellos;
      ack.code = wire::AckCode::kHello;
      return {wire::build_ack(ack)};
    }
    ++batches;
    if (batch.first_seq > expected) {
      ack.code = wire::AckCode::kGap;
      return {wire::build_ack(ack)};
    }
    if (batch.first_seq < expected) {
      ack.code = wire::AckCode::kDuplicate;
      return {wire::build_ack(ack)};
    }
    const Fate fate = judge(*this);
    if (fate == Fate::kRefused) {
      refused = std::chrono::steady_clock::now();
      ack.code = wire::AckCode::kRetryAfter;
      ack.retry_ms = 50;
      return {wire::build_ack(ack)};
    }
    if (refused.time_since_epoch().count() && !again.time_since_epoch().count())
      again = std::chrono::steady_clock::now();
    expected += batch.events.size();
    ack.through_seq = expected - 1;
    if (fate == Fate::kTakenUnanswered) return {};
    return {wire::build_ack(ack)};
  }
};

TEST_CASE("traffic that is told to wait waits, and sends what was not taken again in its order") {
  Beside beside;
  beside.run([](Beside& seen) { return seen.batches == 3 ? Beside::Fate::kRefused : Beside::Fate::kTaken; },
             std::chrono::milliseconds(400));
  CHECK(beside.waits == 1);
  CHECK(beside.answered > 20);
  CHECK(beside.again - beside.refused >= std::chrono::milliseconds(50));
  CHECK(beside.expected > 2'000);      // it went on
  CHECK(beside.rate < 20'000 * 0.95);  // and does not claim what it did not send meanwhile
  CHECK(beside.rate > 0);
}

TEST_CASE("traffic that hears nothing asks where it stands, and what is sent again is not counted twice") {
  Beside beside;
  beside.run(
      [](Beside& seen) {
        return seen.batches >= 5 && seen.hellos == 0 ? Beside::Fate::kTakenUnanswered : Beside::Fate::kTaken;
      },
      std::chrono::milliseconds(1'600));
  CHECK(beside.hellos == 1);
  CHECK(beside.waits == 0);
  CHECK(beside.expected > 20'000);  // it went on after a second
  CHECK(beside.rate * 1.5 <= static_cast<double>(beside.expected));
  CHECK(beside.rate * 1.6 > 20'000);
}

TEST_SUITE_END();
