#include "app/engine.h"

#include "app/engine_statements.h"
#include "core/assert.h"
#include "core/limits.h"

namespace tellerd::app {

using wire::Kind;

void Engine::listen(std::function<void(const std::string&, const std::function<std::string()>&)> listener) {
  words_ = std::make_unique<deliver::Words>(database_);
  outbox_->set_listener([this, listener = std::move(listener)](const deliver::Line& line, const std::string& topic) {
    listener(topic, [&] {
      offers_->flush();                                // their rows are what the words are made of
      histories_->flush();
      return words_->say(line, topic);
    });
  });
}

// A turn: time, deadlines, the fact, the decisions (design.md 1).
void Engine::apply(const Record& record) {
  TELLERD_ASSERT(record.seq == seq_ + 1);
  outbox_->begin_turn(record.seq);
  note_load(record);
  move_time(record);
  const std::size_t share = record.runs_all_due ? SIZE_MAX : core::limits::kDeadlinesPerRecord;
  switch (record.kind) {
    case Kind::kTick: run_deadlines(record.runs_all_due ? SIZE_MAX : core::limits::kDeadlinesPerTick); break;
    case Kind::kPackActivated:
      run_deadlines(share);
      activate_pack(record);
      break;
    case Kind::kConfigRecorded:
      run_deadlines(share);
      record_config(record);
      break;
    case Kind::kRepair: repair(record); break;
    default: apply_event(record, record.payload); break;
  }
  decide_touched();
  seq_ = record.seq;
  counters_.turns.fetch_add(1, std::memory_order_relaxed);
  counters_.now_us.store(now_us_, std::memory_order_relaxed);
  counters_.applied_seq.store(seq_, std::memory_order_release);
}

// Producers named "load:…" hold their offers back until they end.
void Engine::note_load(const Record& record) {
  if (record.producer == 0 || record.is_backfill) return;
  const auto at = static_cast<std::size_t>(record.producer);
  if (at >= is_loader_.size()) is_loader_.resize(at + 1, -1);
  if (is_loader_[at] < 0) is_loader_[at] = options_.producer_name && options_.producer_name(record.producer).starts_with("load:");
  if (is_loader_[at]) outbox_->touch_load(record.producer, record.received_us);
}

}  // namespace tellerd::app
