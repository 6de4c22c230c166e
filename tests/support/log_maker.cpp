#include "support/log_maker.h"

#include <algorithm>
#include <cstring>

#include "core/checksum.h"
#include "ingest/admission.h"

namespace tellerd::tests {

using bronze::Record;
using bronze::Seq;
using wire::Kind;

Seq LogMaker::append(Record record, std::string payload) {
  payloads_.push_back(std::move(payload));
  record.seq = static_cast<Seq>(records_.size()) + 1;
  record.payload = payloads_.back();
  record.crc = core::crc32c(record.payload);
  record.runs_all_due = mode_ == ingest::ClockMode::kEvent;
  now_us_ = record.now_us;
  records_.push_back(record);
  return record.seq;
}

Seq LogMaker::daemon_record(Kind kind, std::string payload) {
  Record record;
  record.kind = kind;
  record.received_us = received_us_;
  record.now_us = is_wall() ? received_us_ : now_us_;
  return append(record, std::move(payload));
}

Seq LogMaker::pack(const decide::PackFiles& files) {
  return daemon_record(Kind::kPackActivated, decide::serialise_pack(files));
}

bronze::Seq LogMaker::coming_pack(const decide::PackFiles& files) {
  return daemon_record(Kind::kPackComing, decide::serialise_pack(files));
}

Seq LogMaker::zone(std::string_view name) {
  return daemon_record(Kind::kConfigRecorded, "{\"zone\":\"" + std::string(name) + "\"}");
}

Seq LogMaker::repair(Seq quarantined, const wire::Event& event) {
  std::string payload(sizeof quarantined, '\0');
  std::memcpy(payload.data(), &quarantined, sizeof quarantined);
  payload += encoder_.encode(event);
  return daemon_record(Kind::kRepair, std::move(payload));
}

std::int32_t LogMaker::producer(std::string_view name) {
  const auto at = std::find(producers_.begin() + 1, producers_.end(), name);
  if (at != producers_.end()) return static_cast<std::int32_t>(at - producers_.begin());
  producers_.emplace_back(name);
  producer_seqs_.push_back(0);
  return static_cast<std::int32_t>(producers_.size()) - 1;
}

Seq LogMaker::event(const wire::Event& event, std::string_view producer, bool is_backfill) {
  return bytes(encoder_.encode(event), producer, is_backfill);
}

Seq LogMaker::bytes(std::string_view payload, std::string_view producer_name, bool is_backfill) {
  Record record;
  record.received_us = received_us_;
  record.producer = producer(producer_name);
  record.producer_seq = ++producer_seqs_[static_cast<std::size_t>(record.producer)];
  record.is_backfill = is_backfill;
  wire::Event event;
  ingest::Judgement judged = ingest::judge_content(payload, decoder_, event);
  if (judged.is_accepted()) judged = ingest::judge_future(event, received_us_);
  record.now_us = is_wall() ? received_us_ : now_us_;
  if (judged.is_accepted()) {
    if (!is_wall() && wire::moves_event_clock(event.kind())) record.now_us = std::max(now_us_, event.occurred_us);
    judged = ingest::judge_age(event, record.now_us);
  }
  verdict_ = judged.code;
  record.kind = judged.is_accepted() ? event.kind() : Kind::kRefused;
  return append(record, std::string(payload));
}

std::string LogMaker::producer_name(std::int32_t id) const {
  return static_cast<std::size_t>(id) < producers_.size() ? producers_[static_cast<std::size_t>(id)] : std::string();
}

std::unique_ptr<LogMaker> LogMaker::without(std::size_t from, std::size_t until) const {
  auto less = std::make_unique<LogMaker>(mode_, 0);
  less->producers_ = producers_;
  for (std::size_t at = 0; at < records_.size(); ++at)
    if (at < from || at >= until) less->append(records_[at], std::string(records_[at].payload));
  return less;
}

std::unique_ptr<LogMaker> LogMaker::with(const std::function<void(LogMaker&)>& after_each) const {
  auto more = std::make_unique<LogMaker>(mode_, 0);
  more->producers_ = producers_;
  for (const auto& record : records_) {
    more->arrive_at(record.received_us);
    more->append(record, std::string(record.payload));
    after_each(*more);
  }
  return more;
}

}  // namespace tellerd::tests
