#include "app/engine.h"

#include "app/engine_statements.h"
#include "core/assert.h"
#include "core/limits.h"
#include "core/prefetch.h"

namespace tellerd::app {

using wire::Kind;

// A turn: time, deadlines, the fact, the decisions (design.md 1).
void Engine::apply(const Record& record) {
  TELLERD_ASSERT(record.seq == seq_ + 1);
  outbox_->begin_turn(record.seq);
  note_load(record);
  move_time(record);
  const std::size_t share = record.runs_all_due ? SIZE_MAX : core::limits::kDeadlinesPerRecord;
  switch (record.kind) {
    case Kind::kTick:
      run_deadlines(record.runs_all_due ? SIZE_MAX : core::limits::kDeadlinesPerTick);
      break;
    case Kind::kPackActivated:
      run_deadlines(share);
      activate_pack(record);
      break;
    case Kind::kPackComing:
      run_deadlines(share);
      announce_pack(record);
      break;
    case Kind::kConfigRecorded:
      run_deadlines(share);
      record_config(record);
      break;
    case Kind::kRepair:
      repair(record);
      break;
    case Kind::kQueueSession:
    case Kind::kQueueGrant:
    case Kind::kQueueLease:
    case Kind::kQueueOutcome:
    case Kind::kQueueTimer:
      apply_queue(record);
      break;
    case Kind::kModelTrained:
      run_deadlines(share);
      record_model(record);
      break;
    case Kind::kModelActivated:
      run_deadlines(share);
      activate_model(record);
      break;
    default:
      apply_event(record, record.payload);
      break;
  }
  decide_touched();
  if (rescored_next_ && record.runs_all_due) score_slice(SIZE_MAX);
  outbox_->end_turn();
  end_reads();
  seq_ = record.seq;
  counters_.turns.fetch_add(1, std::memory_order_relaxed);
  counters_.now_us.store(now_us_, std::memory_order_relaxed);
  counters_.applied_seq.store(seq_, std::memory_order_release);
}

namespace {

// So many records ahead: the bytes, the keys in them, the customer whose place they tell, what hangs on the customer.
constexpr std::size_t kFetchBytesAhead = 7, kFetchKeysAhead = 5, kFetchCustomerAhead = 3, kFetchHangingAhead = 1;
constexpr std::size_t kWaitingWritesMax = 16'384;
constexpr std::size_t kComing = 16, kFetchedBytesMax = 256;
static_assert(kComing > kFetchKeysAhead && kFetchKeysAhead > kFetchCustomerAhead);
static_assert(kFetchCustomerAhead > kFetchHangingAhead);

bool may_be_fetched(const Record& record) noexcept {
  return wire::names_a_customer(record.kind) && reinterpret_cast<std::uintptr_t>(record.payload.data()) % 8 == 0;
}

}  // namespace

// Nothing of a turn, or of a card, is open on the reader beside the connection any more.
void Engine::end_reads() noexcept {
  rows_->end_turn();
  offers_->end_turn();
}

void Engine::apply_all(std::span<const Record> records) {
  std::array<std::uint64_t, kComing> keys{};  // by place in the span; 0: not known
  std::array<CustomerId, kComing> coming{};
  for (std::size_t at = 0; at < records.size(); ++at) {
    if (at + kFetchBytesAhead < records.size()) {
      const std::string_view bytes = records[at + kFetchBytesAhead].payload;
      core::prefetch(bytes.data(), std::min(bytes.size(), kFetchedBytesMax));
    }
    if (at + kFetchKeysAhead < records.size())
      keys[(at + kFetchKeysAhead) % kComing] = fetch_keys(records[at + kFetchKeysAhead]);
    if (at + kFetchCustomerAhead < records.size())
      coming[(at + kFetchCustomerAhead) % kComing] = fetch_customer(keys[(at + kFetchCustomerAhead) % kComing]);
    const gold::Customer& soon = customers_[coming[(at + kFetchHangingAhead) % kComing]];
    soon.spend.prefetch();
    offers_->prefetch(soon.first_offer);
    if (chooses_) fetch_choice(coming[(at + kFetchHangingAhead) % kComing]);
    apply(records[at]);
  }
  if (database_.waiting_writes() > kWaitingWritesMax) settle();
}

std::uint64_t Engine::fetch_keys(const Record& record) {
  if (!may_be_fetched(record)) return 0;
  const wire::Event head = wire::Decoder::decode_head(record.payload);
  if (wire::is_dated_activity(record.kind)) {
    silver::natural_key(head, 0, 0, next_key_);  // of the first system; for others the hint is a wrong one
    dated_keys_.prefetch(silver::key_hash(record.kind, next_key_));
  }
  return identities_->prefetch(head.system, head.customer);
}

CustomerId Engine::fetch_customer(std::uint64_t key) {
  const CustomerId id = key ? identities_->likely(key) : 0;
  if (id != 0) customers_.prefetch(id);
  return id;
}

// Producers named "load:…" hold their offers back until they end.
void Engine::note_load(const Record& record) {
  if (record.producer == 0 || record.is_backfill) return;
  const auto at = static_cast<std::size_t>(record.producer);
  if (at >= is_loader_.size()) is_loader_.resize(at + 1, -1);
  if (is_loader_[at] < 0)
    is_loader_[at] = options_.producer_name && options_.producer_name(record.producer).starts_with("load:");
  if (is_loader_[at]) outbox_->touch_load(record.producer, record.received_us);
}

}  // namespace tellerd::app
