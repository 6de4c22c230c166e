#include <doctest/doctest.h>

#include <cstring>
#include <deque>
#include <memory>
#include <optional>

#include "core/fault.h"
#include "tellerctl/client/ingest_client.h"
#include "unit/ctl_peer.h"

using namespace tellerd;
using namespace tellerd::test;
using namespace tellerd::tellerctl;
using wire::AckCode;

namespace {

enum class Act { kTake, kTakeAndLoseAnswer, kLose, kRetryLater, kDuplicate, kConflict, kInvalid };

// The recorder as design.md 4 describes it, with a script for what happens to the next batches.
class ScriptedRecorder {
 public:
  explicit ScriptedRecorder(const TemporaryFolder& folder, std::deque<Act> script = {})
      : script_(std::move(script)),
        peer_(endpoint_in(folder.path, "ingest.sock"), [this](const std::string& frame) { return answer(frame); }) {}

  struct Seen {
    std::vector<std::string> stored;        // event bytes in order
    std::vector<std::uint64_t> first_seqs;  // of every batch that came, taken or not
    int hellos = 0;
    std::string producer;
    bool is_backfill = false;
  };
  Seen seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  void set_mark(std::uint64_t mark) {
    const std::lock_guard lock(mutex_);
    seen_.stored.resize(mark);
  }

 private:
  std::vector<std::string> answer(const std::string& frame) {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint64_t> words(frame.size() / 8 + 1);
    std::memcpy(words.data(), frame.data(), frame.size());
    wire::BatchView batch;
    const auto parsed = wire::parse_frame({reinterpret_cast<const char*>(words.data()), frame.size()}, batch);
    wire::Ack ack;
    if (std::holds_alternative<wire::HelloView>(parsed)) {
      ++seen_.hellos;
      ack.code = AckCode::kHello;
    } else if (std::holds_alternative<wire::BatchView*>(parsed)) {
      const Act act = script_.empty() ? Act::kTake : script_.front();
      if (!script_.empty()) script_.pop_front();
      if (!take(batch, act, ack)) return {};
    } else {
      ack.code = AckCode::kInvalid;
    }
    ack.through_seq = seen_.stored.size();
    return {wire::build_ack(ack)};
  }

  bool take(const wire::BatchView& batch, Act act, wire::Ack& ack) {
    seen_.first_seqs.push_back(batch.first_seq);
    seen_.producer = batch.producer;
    seen_.is_backfill = batch.is_backfill;
    const std::uint64_t expected = seen_.stored.size() + 1;
    if (act == Act::kLose) return false;
    if (act == Act::kRetryLater || act == Act::kDuplicate || act == Act::kConflict || act == Act::kInvalid) {
      ack.code = act == Act::kRetryLater  ? AckCode::kRetryAfter
                 : act == Act::kDuplicate ? AckCode::kDuplicate
                 : act == Act::kConflict  ? AckCode::kConflict
                                          : AckCode::kInvalid;
      ack.retry_ms = 10;
      ack.text = "as scripted";
      return true;
    }
    ack.code = batch.first_seq > expected   ? AckCode::kGap
               : batch.first_seq < expected ? AckCode::kDuplicate
                                            : AckCode::kAccepted;
    if (ack.code != AckCode::kAccepted) return true;
    for (std::size_t at = 0; at < batch.events.size(); ++at) {
      if (batch.events[at] == "bad")
        ack.verdicts.push_back({batch.first_seq + at, wire::VerdictCode::kBadAmount, "amount"});
      seen_.stored.emplace_back(batch.events[at]);
    }
    ack.commit_seq = 1000 + seen_.stored.size();
    return act != Act::kTakeAndLoseAnswer;
  }

  std::mutex mutex_;
  std::deque<Act> script_;
  Seen seen_;
  Peer peer_;
};

IngestOptions options_for(const TemporaryFolder& folder) {
  IngestOptions options;
  options.endpoint = endpoint_in(folder.path, "ingest.sock");
  options.producer = "load:abc";
  options.patience = Milliseconds(1500);
  options.ack_wait = Milliseconds(150);
  options.where = "tellerd on DIR";
  return options;
}

std::vector<std::string> events_named(int count) {
  std::vector<std::string> events;
  for (int n = 1; n <= count; ++n) events.push_back("event " + std::to_string(n));
  return events;
}

// What is stored after a load under this script.
ScriptedRecorder::Seen load(std::deque<Act> script, int count = 2000) {
  const TemporaryFolder folder;
  ScriptedRecorder recorder(folder, std::move(script));
  IngestClient client(options_for(folder));
  client.hello();
  for (const auto& event : events_named(count)) client.add(event);
  client.flush();
  CHECK(client.mark() == static_cast<std::uint64_t>(count));
  return recorder.seen();
}

std::string fault_of(std::deque<Act> script) {
  try {
    load(std::move(script));
  } catch (const core::Fault& fault) {
    CHECK(fault.exit_code() == core::Exit::kFailed);
    return fault.what();
  }
  return "";
}

}  // namespace

TEST_SUITE("tellerctl.ingest_client") {
  TEST_CASE("events arrive once and in order, in batches of 512") {
    const auto seen = load({}, 1025);
    CHECK(seen.stored == events_named(1025));
    CHECK(seen.first_seqs == std::vector<std::uint64_t>{1, 513, 1025});
    CHECK(seen.producer == "load:abc");
    CHECK_FALSE(seen.is_backfill);
    CHECK(seen.hellos == 1);
  }

  TEST_CASE("nothing added is nothing sent") { CHECK(load({}, 0).first_seqs.empty()); }

  TEST_CASE("a daemon that asks for patience gets every event once, though later batches were on their way") {
    const auto seen = load({Act::kTake, Act::kRetryLater, Act::kRetryLater}, 5000);
    CHECK(seen.stored == events_named(5000));
    CHECK(seen.hellos >= 2);
  }

  TEST_CASE("a lost batch and a lost answer are found out by HELLO, and what was taken is not sent again") {
    CHECK(load({Act::kTake, Act::kLose}).stored == events_named(2000));
    const auto seen = load({Act::kTake, Act::kTake, Act::kTake, Act::kTakeAndLoseAnswer});
    CHECK(seen.stored == events_named(2000));
    CHECK(seen.first_seqs == std::vector<std::uint64_t>{1, 513, 1025, 1537});
    CHECK(seen.hellos == 2);
  }

  TEST_CASE("after a DUPLICATE the mark decides") {
    CHECK(load({Act::kTake, Act::kDuplicate}).stored == events_named(2000));
  }

  TEST_CASE("a conflict and a refused frame end the load with the daemon's sentence") {
    CHECK(fault_of({Act::kTake, Act::kConflict}).find("as scripted") == 0);
    CHECK(fault_of({Act::kInvalid}) == "tellerd refused a whole batch: as scripted");
  }

  TEST_CASE("a second run goes on after the mark, in the middle of what was a batch too") {
    const TemporaryFolder folder;
    ScriptedRecorder recorder(folder);
    recorder.set_mark(700);
    IngestClient client(options_for(folder));
    CHECK(client.hello() == 700);
    int skipped = 0;
    for (const auto& event : events_named(1000)) {
      if (client.is_next_known()) ++skipped;
      client.add(event);
    }
    client.flush();
    CHECK(skipped == 700);
    const auto seen = recorder.seen();
    CHECK(seen.first_seqs == std::vector<std::uint64_t>{701});
    CHECK(seen.stored.size() == 1000);
    CHECK(seen.stored[700] == "event 701");
  }

  TEST_CASE("someone else's mark inside a batch of ours: only the rest is sent") {
    const TemporaryFolder folder;
    ScriptedRecorder recorder(folder);
    IngestClient client(options_for(folder));
    client.hello();
    recorder.set_mark(100);
    for (const auto& event : events_named(300)) client.add(event);
    client.flush();
    CHECK(recorder.seen().first_seqs == std::vector<std::uint64_t>{1, 101});
    CHECK(recorder.seen().stored.size() == 300);
    CHECK(recorder.seen().stored[100] == "event 101");
  }

  TEST_CASE("a daemon that is killed and started again gets the rest") {
    const TemporaryFolder folder;
    auto recorder = std::make_unique<ScriptedRecorder>(folder);
    IngestClient client(options_for(folder));
    client.hello();
    const auto events = events_named(1200);
    for (int n = 0; n < 600; ++n) client.add(events[static_cast<std::size_t>(n)]);
    client.flush();
    recorder.reset();
    recorder = std::make_unique<ScriptedRecorder>(folder);
    recorder->set_mark(600);
    for (int n = 600; n < 1200; ++n) client.add(events[static_cast<std::size_t>(n)]);
    client.flush();
    CHECK(recorder->seen().stored.size() == 1200);
    CHECK(recorder->seen().stored[600] == "event 601");
    CHECK(recorder->seen().first_seqs.front() == 601);
  }

  TEST_CASE("a daemon that knows less than it acknowledged fails the load") {
    const TemporaryFolder folder;
    auto recorder = std::make_unique<ScriptedRecorder>(folder);
    IngestClient client(options_for(folder));
    client.hello();
    for (const auto& event : events_named(10)) client.add(event);
    client.flush();
    recorder.reset();
    recorder = std::make_unique<ScriptedRecorder>(folder);
    recorder->set_mark(9);
    client.add("event 11");
    CHECK_THROWS_WITH(
        client.flush(),
        "tellerd acknowledged 10 events of load:abc and now knows of 9: its log was lost or restored; see "
        "tellerctl verify");
    CHECK(recorder->seen().stored.size() == 9);
  }

  TEST_CASE("without a daemon it gives up after its patience and asks the right question") {
    const TemporaryFolder folder;
    auto options = options_for(folder);
    options.patience = Milliseconds(300);
    IngestClient client(options);
    const auto begun = Clock::now();
    CHECK_THROWS_WITH(client.hello(), ("no answer from " + options.endpoint + ": is tellerd on DIR running?").c_str());
    const auto took = Clock::now() - begun;
    CHECK(took >= Milliseconds(300));
    CHECK(took < Milliseconds(1500));
  }

  TEST_CASE("verdicts and the greatest commit seq are told, and a backfill is marked") {
    const TemporaryFolder folder;
    ScriptedRecorder recorder(folder);
    auto options = options_for(folder);
    options.is_backfill = true;
    std::vector<std::string> told;
    IngestClient client(options, [&told](const wire::Verdict& verdict) {
      told.push_back(std::to_string(verdict.seq) + " " + std::string(wire::name_of(verdict.code)) + " " +
                     verdict.field);
    });
    client.hello();
    for (const char* event : {"good", "bad", "good"}) client.add(event);
    client.flush();
    CHECK(told == std::vector<std::string>{"2 BAD_AMOUNT amount"});
    CHECK(client.commit_seq() == 1003);
    CHECK(recorder.seen().is_backfill);
  }
}
