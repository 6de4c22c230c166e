// A million steps of the lease's state machine beside a plain model of policy.md 5 that knows none of its indexes,
// forgets nothing and looks at everything each time.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "support/queue_desk.h"

using namespace tellerd::deliver;
using tellerd::tests::HandBook;

namespace {

struct Plain {  // one offer
  std::string state = "READY", holder, code;
  std::int64_t epoch = 0;
  int faults = 0, level = 0;
  bool is_mine = false, is_standing = true;
};

const char* name_of(ItemState state) {
  static constexpr const char* kNames[] = {"READY", "LEASED", "SCHEDULED", "DONE", "DEAD", "RESERVED", "ENDED"};
  return kNames[static_cast<int>(state)];
}

class Walk {
 public:
  explicit Walk(std::uint64_t seed) : chance_(seed) {}

  void step() {
    const auto draw = number(100);
    if (draw < 12 && standing() < 40)
      open();
    else if (draw < 16)
      close();
    else if (draw < 19)
      hello();
    else if (draw < 50)
      pull();
    else if (draw < 65)
      dispose();
    else if (draw < 85)
      lease_verb();
    else if (draw < 98)
      timer();
    else
      book_.write();
  }

  void compare() {
    std::map<int, std::int64_t> first;
    std::map<std::string, std::vector<std::int64_t>> held, reserved;
    for (const auto& [number, plain] : offers_) {
      if (plain.is_standing && plain.state == "READY" && !first.contains(plain.level)) first[plain.level] = number;
      if (plain.state == "LEASED") held[plain.holder].push_back(number);
      if (plain.state == "RESERVED") reserved[plain.holder].push_back(number);
      const Item* item = book_.find_id(HandBook::id_of(number));
      if (!item) {
        REQUIRE(plain.epoch == 0);
        continue;
      }
      const std::int64_t which = number;
      CAPTURE(which);
      REQUIRE(name_of(item->state) == plain.state);
      REQUIRE(item->epoch == plain.epoch);
      REQUIRE(item->faults == plain.faults);
      if (plain.state == "DONE") REQUIRE(item->code == plain.code);
    }
    for (int level = 0; level < 3; ++level)
      REQUIRE(book_.ready().next(static_cast<ClassId>(level), 0) == (first.contains(level) ? first[level] : 0));
    for (const auto& [name, session] : sessions_) {
      const Client& client = book_.client(book_.client_number(name));
      REQUIRE(client.session == session);
      REQUIRE(client.held == held[name]);
      REQUIRE(client.reserved == reserved[name]);
    }
    std::erase_if(offers_, [](const auto& one) { return !one.second.is_standing && one.second.state != "DONE"; });
    while (offers_.size() > 200) offers_.erase(offers_.begin());  // those long over
  }
  std::map<std::string, int> seen;

 private:
  std::uint64_t number(std::uint64_t below) { return chance_() % below; }
  bool happens(unsigned percent) { return number(100) < percent; }
  std::size_t standing() const {
    return static_cast<std::size_t>(
        std::count_if(offers_.begin(), offers_.end(), [](const auto& one) { return one.second.is_standing; }));
  }
  std::pair<const std::int64_t, Plain>* some() {
    if (offers_.empty()) return nullptr;
    auto at = offers_.begin();
    std::advance(at, static_cast<long>(number(offers_.size())));
    return &*at;
  }
  std::string some_client() { return std::string(1, static_cast<char>('a' + number(4))); }
  bool is_current(const std::string& client, const std::string& session) {
    return sessions_.contains(client) && sessions_[client] == session;
  }
  std::string session_of(const std::string& client) {
    return sessions_.contains(client) && happens(95) ? sessions_[client] : std::to_string(number(5));
  }

  void open() {
    const int level = static_cast<int>(number(3));
    book_.offer(++last_, level);
    offers_[last_].level = level;
  }

  void close() {
    auto* one = some();
    if (!one || !one->second.is_standing) return;
    const bool was_done = book_.close(one->first, "SUPERSEDED");
    REQUIRE(was_done == (one->second.state == "DONE"));
    one->second.is_standing = false;
    if (one->second.state != "DONE") one->second.state = "ENDED";
    if (one->second.epoch == 0) offers_.erase(one->first);
  }

  void lost(Plain& plain) {
    if (++plain.faults >= 5)
      plain.state = "DEAD";
    else
      plain.state = "READY";
  }

  void hello() {
    const std::string client = some_client(),
                      session = happens(50) ? std::to_string(++sessions_made_) : session_of(client);
    book_.hello(client, session);
    auto& fenced = fenced_[client];
    if (std::find(fenced.begin(), fenced.end(), session) != fenced.end() || is_current(client, session)) return;
    if (sessions_.contains(client)) fenced.push_back(sessions_[client]);
    if (fenced.size() > 16) fenced.erase(fenced.begin());
    sessions_[client] = session;
    for (auto& [number, plain] : offers_)
      if (plain.state == "LEASED" && plain.holder == client) lost(plain);
  }

  void pull() {
    const std::string client = some_client(), session = session_of(client);
    auto* one = some();
    if (!one) return;
    Plain& plain = one->second;
    const std::int64_t epoch = plain.epoch + (happens(95) ? 1 : 0);
    const bool is_granted = book_.pull(book_.asker(client, session), {{one->first, 1, epoch}}) == 1;
    const bool is_free =
        plain.is_standing && (plain.state == "READY" || (plain.state == "RESERVED" && plain.holder == client));
    REQUIRE(is_granted == (is_free && is_current(client, session) && epoch == plain.epoch + 1));
    if (!is_granted) return;
    ++seen["grant"];
    plain.state = "LEASED";
    plain.holder = client;
    plain.epoch = epoch;
    plain.is_mine = false;
  }

  // Who asks about it, most often its holder, and the epoch they name.
  std::tuple<std::string, std::string, std::int64_t> teller_of(const Plain& plain) {
    const std::string client = plain.holder.empty() || happens(5) ? some_client() : plain.holder;
    return {client, session_of(client), plain.epoch - (happens(5) ? 1 : 0)};
  }

  void dispose() {
    auto* one = some();
    if (!one) return;
    Plain& plain = one->second;
    const auto [client, session, epoch] = teller_of(plain);
    const std::string code = happens(70) ? "ACCEPTED" : "PRICE";
    const auto disposed = book_.dispose(client, one->first, epoch, code, session);
    ++seen[std::string(name_of(disposed.code))];
    if (plain.epoch == 0) {
      REQUIRE(disposed.code == QueueCode::kUnknownOffer);
      return;
    }
    if (plain.state == "DONE" && plain.epoch == epoch) {
      REQUIRE(disposed.code == (plain.code == code ? QueueCode::kOk : QueueCode::kAlreadyDone));
      {
        REQUIRE(disposed.counts_for == nullptr);
        return;
      }
    }
    REQUIRE((disposed.counts_for != nullptr) == (epoch >= 1));
    const bool holds =
        plain.state == "LEASED" && plain.holder == client && plain.epoch == epoch && is_current(client, session);
    REQUIRE(disposed.code == (holds ? QueueCode::kOk : QueueCode::kStaleLease));
    if (!holds) return;
    plain.state = "DONE";
    plain.code = code;
    plain.faults = 0;
  }
  static std::string_view name_of(QueueCode code) { return tellerd::deliver::name_of(code); }
  static const char* name_of(ItemState state) { return ::name_of(state); }

  void lease_verb() {
    auto* one = some();
    if (!one) return;
    Plain& plain = one->second;
    const auto [client, session, epoch] = teller_of(plain);
    static constexpr LeaseVerb kVerbs[] = {LeaseVerb::kRelease, LeaseVerb::kFail, LeaseVerb::kFail,
                                           LeaseVerb::kBury,    LeaseVerb::kKick, LeaseVerb::kSnooze,
                                           LeaseVerb::kExtend,  LeaseVerb::kAck};
    const LeaseVerb verb = kVerbs[number(8)];
    LeaseRecord record;
    record.asker = book_.asker(client, session);
    record.verb = verb;
    record.offer_id = HandBook::id_of(one->first);
    record.epoch = epoch;
    record.is_mine = happens(50);
    record.at_us = 5;
    record.ms = 1000;
    const QueueCode code = book_.apply(record);
    ++seen[std::string(tellerd::deliver::name_of(verb)) + " " + std::string(name_of(code))];
    if (plain.epoch == 0) {
      REQUIRE(code == QueueCode::kUnknownOffer);
      return;
    }
    if (verb == LeaseVerb::kAck) {
      REQUIRE(code == QueueCode::kOk);
      return;
    }
    if (verb == LeaseVerb::kKick) {
      if (!is_current(client, session)) {
        REQUIRE(code == QueueCode::kFenced);
        return;
      }
      REQUIRE(code == (plain.state == "DEAD" ? QueueCode::kOk : QueueCode::kNotDead));
      if (code == QueueCode::kOk) plain.state = "READY", plain.faults = 0;
      return;
    }
    const bool holds =
        plain.state == "LEASED" && plain.holder == client && plain.epoch == epoch && is_current(client, session);
    REQUIRE(code == (holds ? QueueCode::kOk : QueueCode::kStaleLease));
    if (!holds) return;
    if (verb == LeaseVerb::kRelease) plain.state = "READY";
    if (verb == LeaseVerb::kBury) plain.state = "DEAD";
    if (verb == LeaseVerb::kFail) {
      lost(plain);
      if (plain.state == "READY") plain.state = "SCHEDULED";
    }
    if (verb == LeaseVerb::kSnooze) plain.state = "SCHEDULED", plain.is_mine = record.is_mine;
  }

  void timer() {
    auto* one = some();
    if (!one) return;
    Plain& plain = one->second;
    const auto ended = static_cast<Timer>(number(3));
    const std::int64_t epoch = plain.epoch - (happens(5) ? 1 : 0);
    book_.apply(TimerRecord{one->first, epoch, ended});
    if (epoch != plain.epoch || epoch == 0) return;
    if (ended == Timer::kLease && plain.state == "LEASED")
      lost(plain);
    else if (ended == Timer::kDelay && plain.state == "SCHEDULED")
      plain.state = plain.is_mine ? "RESERVED" : "READY";
    else if (ended == Timer::kReserve && plain.state == "RESERVED")
      plain.state = "READY", plain.is_mine = false;
  }

  HandBook book_;
  std::mt19937_64 chance_;
  std::map<std::int64_t, Plain> offers_;
  std::map<std::string, std::string> sessions_;
  std::map<std::string, std::vector<std::string>> fenced_;
  std::int64_t last_ = 0;
  int sessions_made_ = 100;
};

}  // namespace

TEST_SUITE("deliver.queue_walk") {
  TEST_CASE("a million steps agree with the plain model") {
    std::map<std::string, int> seen;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      CAPTURE(seed);
      Walk walk(seed);
      for (int step = 0; step < 100'000; ++step) {
        CAPTURE(step);
        walk.step();
        if (step % 50 == 0) walk.compare();
      }
      for (const auto& [what, count] : walk.seen) seen[what] += count;
    }
    // A walk that never gets there proves nothing.
    for (const std::string what : {"grant", "OK", "STALE_LEASE", "ALREADY_DONE", "RELEASE OK", "FAIL OK", "BURY OK",
                                   "KICK OK", "KICK NOT_DEAD", "SNOOZE OK", "EXTEND OK", "FAIL STALE_LEASE"})
      CHECK_MESSAGE(seen[what] > 100, what);
  }
}
