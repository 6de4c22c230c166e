#include "app/recorder.h"

#include <fmt/core.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <zmq.hpp>
#include <zmq_addon.hpp>

#include "core/assert.h"
#include "core/checksum.h"
#include "core/crash_step.h"
#include "core/fault.h"
#include "core/limits.h"
#include "core/log.h"
#include "ingest/sockets.h"

namespace tellerd::app {
namespace {

namespace limits = core::limits;
constexpr std::int64_t kRetryMs = 50;
constexpr std::int64_t kDiskRetryUs = core::kSecond;
constexpr std::int64_t kGroupsApartUs = 1'000;
// However many batches are refused at once, their answers find room in the queue to the one who sent them.
constexpr std::size_t kGroupAnswersMax = limits::kPeerFramesMax / 2;
constexpr auto kIdleWait = std::chrono::milliseconds(200);
constexpr auto kDueWait = std::chrono::milliseconds(4);  // something is due: ticks follow each other, a slice each

std::int64_t steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

struct Recorder::Sockets {
  zmq::socket_t router, wake_receive, wake_send;
  std::mutex wake_mutex;
};

Recorder::Recorder(zmq::context_t& context, const RecorderConfig& config, ingest::WorldClock& world,
                   bronze::HandOver& hand_over)
    : config_(config), hand_over_(hand_over), sockets_(std::make_unique<Sockets>()) {
  log_ = std::make_unique<bronze::Log>(config_.bronze, config_.log);
  clock_ = std::make_unique<ingest::RecordClock>(config_.clock, world, log_->last_now_us(), log_->last_received_us());
  started_seq_ = log_->last_seq();
  hand_over_.set_committed_seq(started_seq_);
  sockets_->router = ingest::bound_router(context, config_.endpoints);
  sockets_->wake_receive = zmq::socket_t(context, zmq::socket_type::pair);
  sockets_->wake_send = zmq::socket_t(context, zmq::socket_type::pair);
  const std::string wake = fmt::format("inproc://recorder-wake-{}", static_cast<void*>(this));
  sockets_->wake_receive.bind(wake);
  sockets_->wake_send.connect(wake);
}

Recorder::~Recorder() = default;

void Recorder::submit(wire::Kind kind, std::string payload, std::string hash, std::function<void(bronze::Seq)> done) {
  {
    const std::lock_guard lock(submissions_mutex_);
    submissions_.push_back({kind, std::move(payload), std::move(hash), std::move(done)});
  }
  const std::lock_guard lock(sockets_->wake_mutex);
  sockets_->wake_send.send(zmq::message_t(), zmq::send_flags::dontwait);
}

void Recorder::stop() {
  is_stopping_ = true;
  const std::lock_guard lock(sockets_->wake_mutex);
  sockets_->wake_send.send(zmq::message_t(), zmq::send_flags::dontwait);
}

void Recorder::run() {
  while (!is_stopping_) {
    beats_.fetch_add(1);
    accept_once(true);
  }
  while (accept_once(false)) {
  }  // what has arrived before the stop is still taken and acknowledged
  note_producers();
  fold_log(true);
}

// A start reads what is not noted from the records, but an older tellerd does not.
void Recorder::note_producers() {
  try {
    log_->note_all();
  } catch (const core::Fault& fault) {
    if (!core::is_disk_full(fault)) throw;
    core::log(
        core::Level::kWarning, "ingest",
        fmt::format("{}: where producers stand is not noted at this stop; the next start finds it in the records, "
                    "but do not start an earlier version of tellerd on them",
                    fault.what()));
  }
}

// Answer after the book is written: take what is there, commit, and only then acknowledge.
bool Recorder::accept_once(bool may_wait) {
  if (may_wait) {
    zmq::pollitem_t items[] = {{sockets_->router.handle(), 0, ZMQ_POLLIN, 0},
                               {sockets_->wake_receive.handle(), 0, ZMQ_POLLIN, 0}};
    const bool is_due = clock_->mode() == ingest::ClockMode::kWall &&
                        next_due_us_.load(std::memory_order_relaxed) <= log_->last_now_us();
    if (zmq::poll(items, 2, is_due ? kDueWait : kIdleWait) == 0) {
      tick_when_due();
      fold_log(true);
      return false;
    }
    zmq::message_t nothing;
    while (sockets_->wake_receive.recv(nothing, zmq::recv_flags::dontwait)) {
    }
  }
  if (may_wait) gather();
  const std::int64_t started_us = steady_us();
  received_us_ = clock_->received_us();
  group_ = hand_over_.fresh();
  bool took = false;
  try {
    took_ = 0;
    take_submissions();
    std::vector<zmq::message_t> parts;
    while (group_->records.size() < limits::kCommitEventsMax && acks_.size() < kGroupAnswersMax) {
      parts.clear();
      const auto count = zmq::recv_multipart(sockets_->router, std::back_inserter(parts), zmq::recv_flags::dontwait);
      if (!count) break;
      took = true;
      ++took_;
      if (*count != 2) {
        counters_.malformed_frames.fetch_add(1);
        continue;
      }
      core::crash_step("after_recv");
      take_frame(parts[0].to_string(), parts[1].to_string_view());
      if (steady_us() - started_us > limits::kCommitUsMax) break;
    }
    took = took || !group_->records.empty();
    commit_group();
  } catch (const core::Fault& fault) {
    if (!core::is_disk_full(fault)) throw;
    abandon_group(fault.what());
  }
  fold_log(false);
  return took;
}

// A sync costs the processor as much for one as for many. While several speak at once, the next group is not begun
// right after the last one; whoever speaks alone does not wait.
void Recorder::gather() {
  const std::int64_t now_us = steady_us(), until_us = began_us_ + kGroupsApartUs;
  if (took_ > 1 && until_us > now_us) std::this_thread::sleep_for(std::chrono::microseconds(until_us - now_us));
  began_us_ = steady_us();
}

void Recorder::take_frame(const std::string& peer, std::string_view bytes) {
  if (bytes.size() > limits::kFrameBytesMax) bytes = {};
  const std::string_view frame = group_->keep(bytes);
  const auto parsed = wire::parse_frame(frame, batch_);
  if (const auto* hello = std::get_if<wire::HelloView>(&parsed)) {
    const auto* known = log_->find_producer(hello->producer, hello->incarnation);
    wire::Ack ack;
    ack.code = wire::AckCode::kHello;
    ack.through_seq = known ? static_cast<std::uint64_t>(known->mark) : 0;
    ack.expected_seq = ack.through_seq + 1;
    ack.commit_seq = static_cast<std::uint64_t>(log_->last_seq());
    return answer(peer, ack);
  }
  if (const auto* malformed = std::get_if<wire::Malformed>(&parsed)) {
    counters_.malformed_frames.fetch_add(1);
    wire::Ack ack;
    ack.code = wire::AckCode::kInvalid;
    ack.text = malformed->why;
    return answer(peer, ack);
  }
  take_batch(peer, batch_);
}

void Recorder::take_batch(const std::string& peer, const wire::BatchView& batch) {
  counters_.batches.fetch_add(1);
  const auto* known = log_->find_producer(batch.producer, batch.incarnation);
  const std::uint64_t expected = (known ? static_cast<std::uint64_t>(known->mark) : 0) + 1;
  wire::Ack ack;
  if (batch.first_seq > expected) {
    ack.code = wire::AckCode::kGap;
    ack.through_seq = expected - 1;
    ack.expected_seq = expected;
    ack.text = fmt::format("expected producer_seq {}, got {}", expected, batch.first_seq);
    return answer(peer, ack);
  }
  if (batch.first_seq < expected) return answer(peer, already_known(batch, *known));
  if (const std::string why = why_not_now(); !why.empty()) {
    counters_.pushed_back.fetch_add(1);
    ack.code = wire::AckCode::kRetryAfter;
    ack.through_seq = expected - 1;
    ack.expected_seq = expected;
    ack.retry_ms = kRetryMs;
    ack.text = why;
    return answer(peer, ack);
  }
  ensure_open();
  auto& producer = log_->producer(batch.producer, batch.incarnation);
  const bronze::Seq first_seq = log_->last_seq() + 1;
  for (std::size_t at = 0; at < batch.events.size(); ++at) take_event(batch, producer, at, ack.verdicts);
  log_->end_batch(producer, static_cast<std::int64_t>(batch.first_seq), static_cast<std::int64_t>(batch.events.size()),
                  first_seq);
  ack.code = wire::AckCode::kAccepted;
  ack.through_seq = static_cast<std::uint64_t>(producer.mark);
  ack.commit_seq = static_cast<std::uint64_t>(log_->last_seq());
  answer(peer, ack);
}

void Recorder::take_event(const wire::BatchView& batch, bronze::Producer& producer, std::size_t at,
                          std::vector<wire::Verdict>& verdicts) {
  bronze::Record record;
  record.received_us = received_us_;
  record.producer = producer.id;
  record.producer_seq = static_cast<std::int64_t>(batch.first_seq + at);
  record.payload = batch.events[at];
  record.is_backfill = batch.is_backfill;
  wire::Event event;
  ingest::Judgement judged = ingest::judge_content(record.payload, decoder_, event);
  if (judged.is_accepted()) judged = ingest::judge_future(event, received_us_);
  record.now_us = clock_->now_us(received_us_);
  if (judged.is_accepted()) {
    const bool moves = wire::moves_event_clock(event.kind());
    if (moves) record.now_us = clock_->now_us_with(received_us_, event.occurred_us);
    judged = ingest::judge_age(event, record.now_us);
  }
  record.kind = judged.is_accepted() ? event.kind() : wire::Kind::kRefused;
  if (!judged.is_accepted()) {
    counters_.refused.fetch_add(1, std::memory_order_relaxed);
    verdicts.push_back({static_cast<std::uint64_t>(record.producer_seq), judged.code, std::string(judged.field)});
  }
  append(record);
}

void Recorder::ensure_open() {
  if (log_->is_open()) return;
  opened_us_ = steady_us();
  core::crash_step("before_begin");
  log_->begin(received_us_);
  core::crash_step("after_begin");
}

void Recorder::append(bronze::Record record) {
  record.seq = log_->last_seq() + 1;
  record.crc = core::crc32c(record.payload);
  record.runs_all_due = clock_->mode() == ingest::ClockMode::kEvent;
  log_->append(record);
  clock_->wrote(record.now_us);
  group_->records.push_back(record);
}

// Nothing comes, yet something is due: time itself becomes a record (design.md 1; wall clock only).
void Recorder::tick_when_due() {
  if (clock_->mode() != ingest::ClockMode::kWall || applied_seq_.load(std::memory_order_relaxed) != log_->last_seq())
    return;
  if (next_due_us_.load(std::memory_order_relaxed) <= clock_->received_us()) submit(wire::Kind::kTick, {});
}

void Recorder::take_submissions() {
  {
    const std::lock_guard lock(submissions_mutex_);
    for (auto& one : submissions_) retaken_.push_back(std::move(one));
    submissions_.clear();
  }
  if (retaken_.empty()) return;
  if (disk_retry_us_ > steady_us()) return;  // the disk is full: they wait, as everybody does
  ensure_open();
  for (auto& one : retaken_) {
    bronze::Record record;
    record.received_us = received_us_;
    record.now_us = clock_->now_us(received_us_);
    record.kind = one.kind;
    record.payload = group_->keep(one.payload);
    append(record);
    ++took_;
    record.seq = log_->last_seq();
    if (!one.hash.empty()) log_->note_setting(one.kind, one.hash);
    if (one.done) submitted_.push_back([done = one.done, seq = record.seq](bronze::Seq) { done(seq); });
  }
}

void Recorder::commit_group() {
  if (log_->is_open()) {
    const std::int64_t started_us = steady_us();
    core::crash_step("before_commit");
    log_->commit();
    core::crash_step("after_commit");
    const std::int64_t took_us = steady_us() - started_us;
    counters_.commits.fetch_add(1);
    counters_.commit_us.fetch_add(static_cast<std::uint64_t>(took_us));
    counters_.events.fetch_add(group_->records.size());
    if (counters_.on_fsync) counters_.on_fsync(static_cast<double>(took_us) / 1e6);
    if (counters_.on_commit) counters_.on_commit(static_cast<double>(started_us + took_us - opened_us_) / 1e6);
    if (counters_.is_disk_full.exchange(false))
      core::log(core::Level::kNotice, "ingest", "there is room on the disk again: intake goes on");
    retaken_.clear();
    for (auto& done : submitted_) done(log_->last_seq());
    submitted_.clear();
  }
  const std::int64_t now_us = steady_us();
  for (auto& ack : acks_) {
    zmq::message_t peer(ack.peer), frame(ack.frame);
    try {
      if (sockets_->router.send(peer, zmq::send_flags::sndmore | zmq::send_flags::dontwait))
        static_cast<void>(sockets_->router.send(frame, zmq::send_flags::dontwait));
    } catch (const zmq::error_t& gone) {  // EHOSTUNREACH: the producer asks again with HELLO
      if (gone.num() != EHOSTUNREACH && gone.num() != EAGAIN) throw;
    }
    if (counters_.on_ack) counters_.on_ack(static_cast<double>(now_us - ack.taken_us) / 1e6);
    core::crash_step("after_ack");
  }
  acks_.clear();
  if (group_->records.empty()) return hand_over_.give_back(std::move(group_));
  hand_over_.offer(std::move(group_));
}

// The WAL is as safe as the file: where that finds no room it is folded later, and until then nothing is added to it.
void Recorder::fold_log(bool is_idle) {
  if (disk_retry_us_ > steady_us()) return;
  try {
    log_->checkpoint(is_idle);
  } catch (const core::Fault& fault) {
    if (!core::is_disk_full(fault)) throw;
    wait_for_room(fault.what());
  }
}

void Recorder::wait_for_room(const std::string& why) {
  if (!counters_.is_disk_full.exchange(true))
    core::log(core::Level::kError, "ingest",
              fmt::format("{}: intake stops and is tried again each second; free some space", why));
  disk_retry_us_ = steady_us() + kDiskRetryUs;
}

// The disk is full: nothing of this group is true. Producers are told to come back, and the log says what it holds.
void Recorder::abandon_group(const std::string& why) {
  wait_for_room(why);
  log_->forget();
  clock_->wrote(log_->last_now_us());
  submitted_.clear();
  wire::Ack ack;
  ack.code = wire::AckCode::kRetryAfter;
  ack.retry_ms = static_cast<std::uint32_t>(kDiskRetryUs / 1000);
  ack.text = "the disk is full";
  const std::string frame = wire::build_ack(ack);
  for (auto& pending : acks_) pending.frame = frame;
  group_->records.clear();
  commit_group();
}

void Recorder::answer(const std::string& peer, const wire::Ack& ack) {
  acks_.push_back({peer, wire::build_ack(ack), steady_us()});
}

// A batch at or below the mark: the same bytes are a duplicate, other bytes a conflict.
wire::Ack Recorder::already_known(const wire::BatchView& batch, const bronze::Producer& producer) {
  wire::Ack ack;
  ack.code = wire::AckCode::kDuplicate;
  ack.through_seq = static_cast<std::uint64_t>(producer.mark);
  ack.expected_seq = ack.through_seq + 1;
  ack.commit_seq = static_cast<std::uint64_t>(log_->last_seq());
  counters_.duplicates.fetch_add(1);
  for (std::size_t at = 0; at < batch.events.size(); ++at) {
    const auto seq = static_cast<std::int64_t>(batch.first_seq + at);
    if (seq > producer.mark) break;
    const auto crc = log_->stored_crc(producer, seq);
    if (!crc || *crc == core::crc32c(batch.events[at])) continue;
    ack.code = wire::AckCode::kConflict;
    ack.text = fmt::format("producer_seq {} was sent before with other bytes", seq);
    break;
  }
  return ack;
}

std::string Recorder::why_not_now() {
  const std::int64_t now_us = steady_us();
  if (now_us < disk_retry_us_) return "the disk is full";
  const bronze::Seq lag = log_->last_seq() - std::max(applied_seq_.load(std::memory_order_relaxed), started_seq_);
  if (lag > config_.lag_records_max)
    return fmt::format("the engine is {} records behind (limits.lag_records_max)", lag);
  if (now_us - disk_checked_us_ > core::kSecond) {
    disk_checked_us_ = now_us;
    struct statvfs disk {};
    const bool is_known = statvfs(config_.bronze.c_str(), &disk) == 0;
    const auto free_bytes = static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
    if (is_known && free_bytes < config_.disk_free_bytes_stop) {
      disk_retry_us_ = now_us + kDiskRetryUs;
      if (!counters_.is_disk_full.exchange(true))
        core::log(core::Level::kError, "ingest",
                  fmt::format("{} MiB are left on the disk: intake stops until there is room", free_bytes >> 20));
      return "the disk is nearly full";
    }
  }
  return {};
}

}  // namespace tellerd::app
