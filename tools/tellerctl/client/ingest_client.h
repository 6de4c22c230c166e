// Hands events to the daemon, batch after batch with several on their way, and knows which are on disk: an event is
// forgotten only when it has been acknowledged, and never sent again after that. A daemon that goes away is waited for;
// HELLO then says where to go on.
// Errors: core::Fault(kFailed) with a sentence: silence longer than the patience, a CONFLICT, a frame refused whole, or
// a daemon that knows less than it has acknowledged. Threads: one.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tellerctl/client/connection.h"
#include "wire/batch.h"

namespace tellerd::tellerctl {

struct IngestOptions {
  std::string endpoint, producer;
  std::uint64_t incarnation = 1;
  bool is_backfill = false;
  Milliseconds patience{5000};  // without a sign of life
  Milliseconds ack_wait{2000};  // after which an acknowledgement counts as lost
  std::string where;            // "tellerd on DIR": for sentences
};

class IngestClient {
 public:
  using OnVerdict = std::function<void(const wire::Verdict&)>;
  static constexpr std::size_t kBatchEvents = 512, kBatchBytes = 200u << 10, kWindowBatches = 8;

  explicit IngestClient(const IngestOptions& options, OnVerdict on_verdict = {});

  std::uint64_t hello();  // the mark: events up to it are on disk; call it first
  bool is_next_known() const noexcept { return next_seq_ <= mark_; }
  void skip_next() noexcept { ++next_seq_; }
  // The next event in order; one at or below the mark is left out. Waits when the window is full.
  void add(std::string_view event);
  void flush();  // returns when everything added is on disk

  std::uint64_t mark() const noexcept { return mark_; }
  std::uint64_t next_seq() const noexcept { return next_seq_; }
  std::uint64_t commit_seq() const noexcept {
    return commit_seq_;
  }  // greatest seq the daemon has named: what Wait takes

 private:
  struct Batch {
    std::uint64_t first_seq = 0;
    std::string bytes;
    std::vector<std::size_t> ends;
    std::uint64_t last_seq() const noexcept { return first_seq + ends.size() - 1; }
  };

  void close_batch();
  void send_waiting();
  void take_answer();
  void absorb(const wire::Ack& ack);
  void drop_known();
  void resynchronise(Milliseconds pause);
  bool ask_mark(Milliseconds wait);
  [[noreturn]] void fail(const std::string& sentence) const;

  IngestOptions options_;
  OnVerdict on_verdict_;
  Connection connection_;
  wire::BatchBuilder builder_;
  std::deque<Batch> window_;  // not acknowledged yet, oldest first; the first sent_ of them are on their way
  std::size_t sent_ = 0;
  Batch filling_;
  std::uint64_t mark_ = 0, next_seq_ = 1, commit_seq_ = 0;
  Clock::time_point alive_;  // when the daemon last gave a sign of life
};

}  // namespace tellerd::tellerctl
