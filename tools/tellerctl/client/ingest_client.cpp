#include "tellerctl/client/ingest_client.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "core/fault.h"

namespace tellerd::tellerctl {
namespace {

constexpr Milliseconds kConnectWait{100};

}  // namespace

IngestClient::IngestClient(const IngestOptions& options, OnVerdict on_verdict)
    : options_(options), on_verdict_(std::move(on_verdict)), connection_(options.endpoint), alive_(Clock::now()) {}

std::uint64_t IngestClient::hello() {
  alive_ = Clock::now();
  resynchronise(Milliseconds(0));
  return mark_;
}

void IngestClient::add(std::string_view event) {
  const std::uint64_t seq = next_seq_++;
  if (seq <= mark_) return;
  if (filling_.ends.empty()) filling_.first_seq = seq;
  filling_.bytes += event;
  filling_.ends.push_back(filling_.bytes.size());
  if (filling_.ends.size() < kBatchEvents && filling_.bytes.size() < kBatchBytes) return;
  close_batch();
  while (window_.size() >= kWindowBatches) take_answer();
}

void IngestClient::flush() {
  close_batch();
  while (!window_.empty()) take_answer();
}

void IngestClient::close_batch() {
  if (!filling_.ends.empty()) window_.push_back(std::exchange(filling_, Batch{}));
  drop_known();
  send_waiting();
}

void IngestClient::send_waiting() {
  for (; sent_ < window_.size(); ++sent_) {
    const Batch& batch = window_[sent_];
    builder_.start();
    std::size_t begin = 0;
    for (const std::size_t end : batch.ends) {
      builder_.add(std::string_view(batch.bytes).substr(begin, end - begin));
      begin = end;
    }
    const auto frame = builder_.finish(options_.producer, options_.incarnation, batch.first_seq, options_.is_backfill);
    if (!connection_.send(frame, kConnectWait)) return;  // the answer that does not come says the rest
  }
}

void IngestClient::take_answer() {
  std::string frame;
  if (sent_ == 0 || connection_.receive(frame, options_.ack_wait) != Connection::Got::kFrame) {
    connection_.open();
    return resynchronise(Milliseconds(0));
  }
  alive_ = Clock::now();
  wire::Ack ack;
  if (!wire::parse_ack(frame, ack)) fail("what answers at " + connection_.endpoint() + " is no tellerd");
  switch (ack.code) {
    case wire::AckCode::kHello:
      return;
    case wire::AckCode::kAccepted:
      absorb(ack);
      return send_waiting();
    case wire::AckCode::kRetryAfter:
      return resynchronise(Milliseconds(ack.retry_ms));
    case wire::AckCode::kGap:
    case wire::AckCode::kDuplicate:  // someone else sends under this name too, or an answer was lost: the mark decides
      return resynchronise(Milliseconds(0));
    case wire::AckCode::kConflict:
      fail(ack.text + " (producer " + options_.producer + "): the source was read differently before");
    case wire::AckCode::kInvalid:
      fail("tellerd refused a whole batch: " + ack.text);
  }
}

void IngestClient::absorb(const wire::Ack& ack) {
  mark_ = std::max(mark_, ack.through_seq);
  commit_seq_ = std::max(commit_seq_, ack.commit_seq);
  if (on_verdict_)
    for (const auto& verdict : ack.verdicts) on_verdict_(verdict);
  drop_known();
}

// What is on disk leaves the window; a batch that is there in part keeps its rest.
void IngestClient::drop_known() {
  while (!window_.empty() && window_.front().last_seq() <= mark_) {
    window_.pop_front();
    if (sent_ > 0) --sent_;
  }
  if (window_.empty() || window_.front().first_seq > mark_) return;
  Batch& first = window_.front();
  const auto known = static_cast<std::size_t>(mark_ - first.first_seq + 1);
  const std::size_t cut = first.ends[known - 1];
  first.bytes.erase(0, cut);
  first.ends.erase(first.ends.begin(), first.ends.begin() + static_cast<std::ptrdiff_t>(known));
  for (std::size_t& end : first.ends) end -= cut;
  first.first_seq = mark_ + 1;
}

// Until the daemon has said where it stands; then everything after that is sent again.
void IngestClient::resynchronise(Milliseconds pause) {
  for (;;) {
    std::this_thread::sleep_for(pause);
    if (ask_mark(options_.ack_wait)) break;
    if (Clock::now() - alive_ > options_.patience)
      fail("no answer from " + connection_.endpoint() + ": is " + options_.where + " running?");
    pause = Milliseconds(0);
  }
  sent_ = 0;
  drop_known();
  send_waiting();
}

bool IngestClient::ask_mark(Milliseconds wait) {
  if (!connection_.send(wire::build_hello(options_.producer, options_.incarnation), kConnectWait)) return false;
  const auto until = Clock::now() + wait;
  std::string frame;
  wire::Ack ack;
  for (auto left = wait; left > Milliseconds(0);
       left = std::chrono::duration_cast<Milliseconds>(until - Clock::now())) {
    const auto got = connection_.receive(frame, left);
    if (got != Connection::Got::kFrame) break;
    if (!wire::parse_ack(frame, ack)) fail("what answers at " + connection_.endpoint() + " is no tellerd");
    alive_ = Clock::now();
    if (ack.code == wire::AckCode::kAccepted) absorb(ack);  // of a batch sent before the question
    if (ack.code != wire::AckCode::kHello) continue;
    if (ack.through_seq < mark_)
      fail("tellerd acknowledged " + std::to_string(mark_) + " events of " + options_.producer + " and now knows of " +
           std::to_string(ack.through_seq) + ": its log was lost or restored; see tellerctl verify");
    mark_ = ack.through_seq;
    commit_seq_ = std::max(commit_seq_, ack.commit_seq);
    return true;
  }
  connection_.open();
  return false;
}

void IngestClient::fail(const std::string& sentence) const { throw core::Fault(core::Exit::kFailed, sentence); }

}  // namespace tellerd::tellerctl
