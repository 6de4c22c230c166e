#include "app/deriver.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/fault.h"
#include "core/limits.h"
#include "core/log.h"

namespace tellerd::app {
namespace {

namespace limits = core::limits;
constexpr std::size_t kReadRecordsMax = 4096;
constexpr bronze::Seq kBacklogHeavy =
    8'192;  // a few hundredths of a second of work; past it flushes wait for the longer time
constexpr std::int64_t kBurstOverUs = 2 * core::kSecond;   // without so much as that
constexpr std::int64_t kBurstHeldUs = 30 * core::kSecond;  // its memory: fresh pages are dear, and loads come in a row
constexpr bronze::Seq kFlushRecordsBusy = 20'000;          // what that many change is wanted again soon
constexpr std::int64_t kFlushesApart = 4;             // a flush is begun so many times later than the last one took
constexpr bronze::Seq kBacklogNone = 16;              // all that one event may cause
constexpr bronze::Seq kBacklogHeavyAtDesks = 65'536;  // where somebody waits for what it would put off
constexpr bronze::Seq kFlushRecordsMax = 1'500'000;
constexpr std::int64_t kWalBytesMax = 16 << 20;
// Rows that are only added to are written beside what is applied, by the other thread, as soon as there are so many.
constexpr std::size_t kRowsABit = 1'024, kRowsABitInBurst = 2'048;
constexpr std::size_t kRecordsABit = 256;
constexpr int kRowsPrepared = 2'048;  // for a coming pack, between two groups of records: a millisecond or two
// A copy is in no hurry: after each flush some hundredths of the time since the one before; in a pause bit by bit.
constexpr std::int64_t kPagesASecond = 2'048;
constexpr int kPagesInAPause = 64;
constexpr std::int64_t kDrainUsMax =
    3 * core::kSecond;  // a stop is done in five (faults.md 3, row 4); what is left is in bronze

std::int64_t steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Deriver::Deriver(Engine& engine, bronze::HandOver& hand_over, bronze::LogReader& log, Hooks hooks)
    : engine_(engine), hand_over_(hand_over), log_(log), hooks_(std::move(hooks)), flushed_at_us_(steady_us()) {
  engine_.pause_behind_while([this] {
    const bronze::Seq backlog = hand_over_.committed_seq() - engine_.counters()->applied_seq;
    return !is_asked_ && backlog > kBacklogNone && backlog < kBacklogHeavy && steady_us() - heavy_at_us_ > kBurstOverUs;
  });
}

void Deriver::stop() {
  is_stopping_ = true;
  hand_over_.nudge();
}

void Deriver::want_copy(std::filesystem::path into, Copied done) {
  const std::lock_guard held(copy_mutex_);
  wanted_copy_.emplace(Wanted{std::move(into), std::move(done), nullptr});
  hand_over_.nudge();
}

// One left by somebody who no longer waits is given up for the next.
void Deriver::go_on_copying(int pages_max) {
  {
    const std::lock_guard held(copy_mutex_);
    if (wanted_copy_) copying_ = std::exchange(wanted_copy_, std::nullopt);
  }
  if (!copying_) return;
  std::string trouble;
  try {
    if (!copying_->copy) copying_->copy = engine_.begin_copy(copying_->into);
    if (!engine_.go_on(*copying_->copy, pages_max)) return;
  } catch (const core::Fault& failed) {  // who asked is told
    trouble = failed.what();
  }
  const Copied done = std::move(copying_->done);
  copying_.reset();
  done(trouble);
}

Deriver::~Deriver() {
  engine_.end_flush();  // and forgets what it pauses for
  for (auto* left : {&copying_, &wanted_copy_})
    if (*left) (*left)->done("the engine has stopped");
}

void Deriver::run() {
  // A pack that is to come may be active by what the log has.
  const bronze::Seq known_at_start = hand_over_.committed_seq();
  while (!is_stopping_) {
    beats_.fetch_add(1);
    const bool did = apply_next();
    is_asked_ = engine_.make_cards(steady_us());
    is_preparing_ = engine_.applied_seq() >= known_at_start && engine_.prepare_pack(kRowsPrepared);
    if (auto pack = engine_.take_prepared_pack()) hooks_.activate(std::move(*pack));
    const bool is_level =
        !did || engine_.applied_seq() >= hand_over_.committed_seq();  // what is due need not wait for a pause
    hooks_.on_progress(engine_.applied_seq(), is_level ? engine_.next_due_us() : core::kNever);
    flush_when_due(!did);
  }
  const std::int64_t drained_until_us = steady_us() + kDrainUsMax;
  while (engine_.applied_seq() < hand_over_.committed_seq() && steady_us() < drained_until_us && apply_next()) {
  }
  hooks_.on_progress(engine_.applied_seq(), core::kNever);  // also of what was derived while it stopped
  if (const bronze::Seq left = hand_over_.committed_seq() - engine_.applied_seq(); left > 0)
    core::log(core::Level::kNotice, "engine",
              fmt::format("{} records are left in bronze for the next start to derive", left));
  if (engine_.counters()->flushed_seq < engine_.applied_seq()) {
    engine_.flush();
    hooks_.on_flush(engine_.applied_seq());
  }
  engine_.settle();
  engine_.fold_wal(true);
}

// One group from the hand-over, or records from bronze where it has a gap; false when there is nothing new.
bool Deriver::apply_next() {
  const bool is_behind = engine_.applied_seq() < hand_over_.committed_seq();
  const bool may_copy =
      !engine_.is_writing_behind() && copying_ && engine_.applied_seq() == engine_.counters()->flushed_seq;
  auto group =
      hand_over_.take(is_behind || is_stopping_ || is_preparing_ || may_copy ? 0 : limits::kFlushUsOrdinary / 10);
  if (!group) return is_behind && read_on();
  while (group->records.front().seq > engine_.applied_seq() + 1 && read_on()) {
  }
  const bronze::Seq known =
      engine_.applied_seq() + 1 - group->records.front().seq;  // so many were read from bronze already
  if (known >= 0 && known < static_cast<bronze::Seq>(group->records.size()))
    apply_bits(std::span(group->records).subspan(static_cast<std::size_t>(known)));
  hand_over_.give_back(std::move(group));
  return true;
}

// Whoever waits for what a record does hears of it before the whole group is through, unless much more waits.
void Deriver::apply_bits(std::span<const bronze::Record> records) {
  for (; records.size() > kRecordsABit; records = records.subspan(kRecordsABit)) {
    engine_.apply_all(records.first(kRecordsABit));
    is_asked_ = engine_.make_cards(steady_us());
    if (hand_over_.committed_seq() - engine_.applied_seq() > kBacklogHeavy) continue;
    hooks_.on_progress(engine_.applied_seq(), core::kNever);
  }
  engine_.apply_all(records);
}

void Deriver::expect_burst(bool is_expected) {
  is_in_burst_ = is_expected;
  engine_.expect_burst(is_expected);
  if (!is_expected) hand_over_.shed();
}

bool Deriver::read_on() {
  if (!log_.read_after(engine_.applied_seq(), kReadRecordsMax, from_log_)) return false;
  apply_bits(from_log_.records);
  beats_.fetch_add(1);
  hooks_.on_progress(engine_.applied_seq(), core::kNever);
  flush_when_due(false);
  return true;
}

// What it writes, and its commit, go on beside what is applied next; until that is through, nothing else begins.
void Deriver::flush_when_due(bool is_idle) {
  if (engine_.is_writing_behind()) return;
  if (std::exchange(is_committing_, false)) {
    engine_.end_writing();
    hooks_.on_flush(engine_.counters()->flushed_seq);
    flush_took_us_ = steady_us() - flushed_at_us_;
    if (is_in_burst_ && steady_us() - busy_at_us_ > kBurstHeldUs) expect_burst(false);
  }
  const bronze::Seq applied = engine_.applied_seq(), flushed = engine_.counters()->flushed_seq;
  const std::int64_t now_us = steady_us();
  if (applied > flushed) {
    const bool is_heavy = hand_over_.committed_seq() - applied > (is_asked_ ? kBacklogHeavyAtDesks : kBacklogHeavy);
    if (is_heavy) heavy_at_us_ = now_us;
    if (is_heavy || applied - flushed > kFlushRecordsBusy) {
      busy_at_us_ = now_us;
      expect_burst(true);
    }
    engine_.hurry(is_heavy);
    engine_.press(hand_over_.committed_seq() - applied > kBacklogHeavy);
    const std::int64_t wait_us =
        is_heavy    ? limits::kFlushUsHeaviest
        : is_asked_ ? limits::kFlushUsOrdinary
                    : std::clamp(kFlushesApart * flush_took_us_, limits::kFlushUsOrdinary, limits::kFlushUsHeaviest);
    const bronze::Seq wanted = hand_over_.wanted_seq();
    const bool is_wanted = wanted > flushed && applied >= wanted;
    const auto stir = [this] { hand_over_.nudge(); };
    engine_.write_rows_behind(is_heavy ? kRowsABitInBurst : kRowsABit, stir);
    if (engine_.is_writing_behind()) return;
    // A correction of a row that is neither kept nor committed waits for the commit: at what both processors can bear,
    // flushes come before that.
    const auto kept_max = static_cast<bronze::Seq>(engine_.kept_rows_max());
    const bronze::Seq records_max = is_heavy ? kFlushRecordsMax : kept_max / 2;
    if (!is_wanted && now_us - flushed_at_us_ < wait_us && applied - flushed < records_max) return;
    const std::int64_t since_us = std::min<std::int64_t>(now_us - flushed_at_us_, limits::kFlushUsHeaviest);
    const int pages = kPagesInAPause + static_cast<int>(since_us * kPagesASecond / core::kSecond);
    flushed_at_us_ = now_us;
    is_committing_ = true;
    engine_.flush_behind(
        kWalBytesMax, [this, pages] { go_on_copying(pages); }, stir);
    return;
  }
  if (is_idle) go_on_copying(kPagesInAPause);
  if (is_idle && now_us - flushed_at_us_ >= limits::kFlushUsOrdinary) {
    if (engine_.wal_bytes() > 0) engine_.fold_wal(true);
    if (now_us - busy_at_us_ > kBurstHeldUs) expect_burst(false);
  }
}

}  // namespace tellerd::app
