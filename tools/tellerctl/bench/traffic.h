// A branch's traffic as encoded events: event n is a pure function of the options and n, so any part can be made again,
// and a correction finds the fact it corrects without anything being kept.
// The mix is exact in every hundred events: 55 transactions, 12 logins, 12 activities, 6 bill payments, 5 host visits,
// 4 sms, 3 support contacts, 2 product views, 1 holding. One event in fifty takes the place of a new fact: it corrects
// a transaction or bill payment before it (id, customer and time of that fact, a greater version, another amount),
// whose age in events is exponential with mean 200,000. Views live until the next call. Threads: one.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/codec.h"

namespace tellerd::tellerctl::bench {

struct TrafficOptions {
  std::uint64_t seed = 1;
  std::int64_t customers = 200'000;
  bool is_skewed = false;  // customer = floor(customers * u^3) instead of uniform
  bool is_uuid = false;    // random UUIDs instead of ids that count up within a kind
  std::int64_t first = 0;  // no correction reaches back before this event
  std::int64_t history =
      0;  // events before this one are spread over the four weeks before now_us, later ones follow it
  core::Instant now_us = 0;
};

class Traffic {
 public:
  explicit Traffic(const TrafficOptions& options);

  std::string_view event(std::int64_t n);
  std::string_view profile(std::int64_t customer);
  std::string_view consent(std::int64_t customer);  // to marketing: without it a pack that chooses sells nothing
  // What event n is before encoding; texts live until the next call.
  const wire::Event& fact(std::int64_t n);
  bool is_correction(std::int64_t n) const;
  static std::string customer_key(std::int64_t customer);

 private:
  std::int64_t corrected_by(std::int64_t n) const;
  void fill(std::int64_t n);
  void fill_body(wire::Kind kind, std::uint64_t draw);
  core::Instant occurred_us(std::int64_t n) const;

  static constexpr std::int64_t kBlock = 100;
  TrafficOptions options_;
  std::array<wire::Kind, kBlock> kinds_;    // of the places within a hundred
  std::array<std::int64_t, kBlock> ranks_;  // how many of the same kind stand before
  std::array<std::int64_t, 256> shares_{};  // by kind: how many of a hundred
  wire::Encoder encoder_;
  wire::Event event_;
  std::string id_, customer_, merchant_, text_, phone_, email_;
};

}  // namespace tellerd::tellerctl::bench
