// Records in memory as the recorder makes them (app/recorder.cpp): judged, timed by the wall or the event clock, with
// the backfill and all-due bits. Payloads live as long as the maker. Time of arrival is moved by hand; it never goes
// back.
#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bronze/record.h"
#include "decide/pack_files.h"
#include "ingest/clock.h"
#include "wire/batch.h"
#include "wire/codec.h"

namespace tellerd::tests {

inline constexpr core::Instant kMonday = 1'736'121'600 * core::kSecond;  // 2025-01-06T00:00:00Z, a Monday

class LogMaker {
 public:
  explicit LogMaker(ingest::ClockMode mode, core::Instant received_us = kMonday)
      : mode_(mode), received_us_(received_us) {}

  void arrive_at(core::Instant received_us) { received_us_ = std::max(received_us_, received_us); }
  core::Instant received_us() const noexcept { return received_us_; }
  core::Instant now_us() const noexcept { return now_us_; }  // of the last record
  bool is_wall() const noexcept { return mode_ == ingest::ClockMode::kWall; }

  // Each returns the record's seq.
  bronze::Seq pack(std::string_view name_or_dir) { return pack(decide::read_pack_files(name_or_dir)); }
  bronze::Seq pack(const decide::PackFiles& files);
  bronze::Seq coming_pack(const decide::PackFiles& files);
  bronze::Seq zone(std::string_view name);
  bronze::Seq queue(wire::Kind kind, std::string payload) { return daemon_record(kind, std::move(payload)); }
  bronze::Seq model(std::string_view sealed) {
    return daemon_record(wire::Kind::kModelTrained, "7\n" + std::string(sealed));
  }
  bronze::Seq activate_model(std::string_view id) {
    return daemon_record(wire::Kind::kModelActivated, std::string(id));
  }
  bronze::Seq tick() { return daemon_record(wire::Kind::kTick, {}); }
  bronze::Seq repair(bronze::Seq quarantined, const wire::Event& event);
  bronze::Seq event(const wire::Event& event, std::string_view producer = "app", bool is_backfill = false);
  bronze::Seq bytes(std::string_view payload, std::string_view producer = "app", bool is_backfill = false);

  const std::vector<bronze::Record>& records() const noexcept { return records_; }
  std::string producer_name(std::int32_t id) const;
  wire::VerdictCode last_verdict() const noexcept { return verdict_; }
  // The same records without those at `from`, `from` + 1 … `until` - 1, numbered again: for making a failing log
  // smaller.
  std::unique_ptr<LogMaker> without(std::size_t from, std::size_t until) const;
  // The same records, with whatever `after_each` adds to the log after each of them.
  std::unique_ptr<LogMaker> with(const std::function<void(LogMaker&)>& after_each) const;

 private:
  bronze::Seq daemon_record(wire::Kind kind, std::string payload);
  bronze::Seq append(bronze::Record record, std::string payload);
  std::int32_t producer(std::string_view name);

  ingest::ClockMode mode_;
  core::Instant received_us_, now_us_ = 0;
  std::vector<bronze::Record> records_;
  std::deque<std::string> payloads_;
  std::vector<std::string> producers_{""};
  std::vector<std::int64_t> producer_seqs_{0};
  wire::Encoder encoder_;
  wire::Decoder decoder_;
  wire::VerdictCode verdict_ = wire::VerdictCode::kAccepted;
};

}  // namespace tellerd::tests
