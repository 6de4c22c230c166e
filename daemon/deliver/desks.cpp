#include "deliver/desks.h"

#include <fmt/core.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <zmq_addon.hpp>

#include "core/crash_step.h"
#include "core/fault.h"
#include "core/limits.h"
#include "ingest/sockets.h"

namespace tellerd::deliver {
namespace {

namespace limits = core::limits;
constexpr std::int64_t kSayAgainUs = 5'000'000;  // a withdrawal that is not acknowledged
constexpr std::int64_t kBehind = 64;             // records
constexpr std::size_t kFramesAPump = 1024;
constexpr std::size_t kLooksAPump = 20'000;  // at offers, whether they may be taken: some milliseconds

std::int64_t steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string yes(std::string_view id) { return fmt::format(R"({{"id":{},"ok":true}})", id); }

}  // namespace

struct Desks::Committed {
  ~Committed() { ::close(wake); }
  std::mutex mutex;
  std::vector<std::pair<std::int64_t, std::int64_t>> seqs;    // ticket, seq
  std::vector<std::pair<std::string, std::string>> replayed;  // peer, frame
  int wake = -1;
};

Desks::Desks(zmq::context_t& context, const std::string& endpoint, Log log)
    : log_(std::move(log)),
      socket_(ingest::bound_router(context, {endpoint})),
      committed_(std::make_shared<Committed>()) {
  wake_ = committed_->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_ < 0) throw core::Fault(core::Exit::kFailed, "the queues get no descriptor: raise LimitNOFILE");
}

Desks::~Desks() = default;

void Desks::stir() { eventfd_write(wake_, 1); }

bool Desks::drain() {
  is_draining_ = true;
  stir();
  return is_drained_;
}

int Desks::patience_ms() const {
  if (looks_left_ == 0 && !(pulls_.empty() && open_.empty())) return 0;
  std::int64_t next_us = timers_.next_us();
  for (const Open& open : pulls_) next_us = std::min(next_us, open.until_us);
  for (const auto& [number, again_us] : withdrawals_) next_us = std::min(next_us, again_us);
  const std::int64_t left_us = next_us == INT64_MAX ? 200'000 : next_us - steady_us();
  const std::int64_t most_ms = is_waiting_for_card_ ? 1 : 200;
  return static_cast<int>(std::clamp<std::int64_t>((left_us + 999) / 1000, 0, most_ms));
}

void Desks::pump() {
  eventfd_t woken = 0;
  eventfd_read(wake_, &woken);
  take_frames();
  now_us_ = steady_us();
  note_committed();
  const std::int64_t applied_seq = log_.applied_seq();  // before the lock: what is seen then holds at least this
  if (auto book = log_.book(); book != book_) attach(std::move(book));
  if (book_) {
    book_->await_news(!peers_.empty());  // before any of it is read
    const auto guard = book_->lock();
    heed_notes();
    policy_us_ = log_.policy_us();
    looks_left_ = kLooksAPump;
    if (!book_->unpark_due(policy_us_, kLooksAPump)) looks_left_ = 0;
    for (; !to_apply_.empty() && to_apply_.front().first <= applied_seq; to_apply_.pop_front()) {
      const auto ticket = tickets_.find(to_apply_.front().second);
      end_ticket(ticket->second);
      tickets_.erase(ticket);
    }
    may_promise_ = applied_seq >= promises_from_seq_;
    is_behind_ = log_.committed_seq() - applied_seq > kBehind;
    is_waiting_for_card_ = false;
    settle();
    answer_waiting();
    end_what_is_due();
    push_withdrawals();
  }
  is_drained_ = is_draining_ && tickets_.empty() && submissions_.empty() && (pulls_.empty() || !book_);
  counters_.waiting_pulls = static_cast<std::int64_t>(pulls_.size());
  send_outgoing();
  for (auto& one : submissions_)
    log_.submit(one.kind, std::move(one.payload), [committed = committed_, ticket = one.ticket](std::int64_t seq) {
      {
        const std::lock_guard held(committed->mutex);
        committed->seqs.emplace_back(ticket, seq);
      }
      eventfd_write(committed->wake, 1);
    });
  submissions_.clear();
}

// Its record has been applied.
void Desks::end_ticket(const Ticket& ticket) {
  for (const std::int64_t offer : ticket.offers) on_their_way_.erase(offer);
  for (const std::uint32_t customer : ticket.customers) customers_on_their_way_.erase(customer);
  pulls_granted_.erase(ticket.pull);
  for (const std::int64_t offer_id : ticket.promised) promised_.erase(offer_id);
  if (const auto changing = changing_.find(ticket.changes); changing != changing_.end() && --changing->second == 0)
    changing_.erase(changing);
  const std::string& client = ticket.client.empty() ? ticket.session_of : ticket.client;
  const auto known = under_way_.find(client);
  if (known == under_way_.end()) return;
  known->second.offers -= ticket.offers.size();
  known->second.sessions -= !ticket.session_of.empty();
  if (--known->second.tickets == 0) under_way_.erase(known);
}

// Another engine has read the state: what is on its way goes on, and everything that stands is timed.
void Desks::attach(std::shared_ptr<QueueBook> book) {
  book_ = std::move(book);
  timers_.forget();
  withdrawals_.clear();
  if (!book_) return;
  promises_from_seq_ = log_.committed_seq();
  const auto guard = book_->lock();
  book_->attach();
}

void Desks::note_committed() {
  const std::lock_guard held(committed_->mutex);
  for (const auto& [ticket, seq] : committed_->seqs)
    if (const auto known = tickets_.find(ticket); known != tickets_.end()) {
      known->second.seq = seq;
      to_apply_.emplace_back(seq, ticket);
      if (!known->second.promise.empty()) pulls_granted_[known->second.pull] = std::move(known->second.promise);
    }
  committed_->seqs.clear();
  for (auto& [peer, frame] : committed_->replayed) answer(peer, std::move(frame));
  committed_->replayed.clear();
}

void Desks::heed_notes() {
  book_->take_notes(notes_);
  const core::Instant wall_us = notes_.empty() ? 0 : log_.wall_us();
  for (const Note& note : notes_) {
    const Item* item = book_->find(note.number);
    if (!item) continue;
    if (note.what == Note::What::kTime)
      timers_.start(*item, now_us_, wall_us);
    else
      withdrawals_.emplace(note.number, 0);
  }
  notes_.clear();
}

void Desks::take_frames() {
  std::vector<zmq::message_t> parts;
  for (std::size_t count = 0;
       count < kFramesAPump && zmq::recv_multipart(socket_, std::back_inserter(parts), zmq::recv_flags::dontwait);
       ++count) {
    counters_.asked.fetch_add(1, std::memory_order_relaxed);
    if (parts.size() == 2) take(parts[0].to_string(), parts[1].to_string_view());
    parts.clear();
  }
}

void Desks::take(const std::string& peer, std::string_view frame) {
  auto read = read_ask(frame);
  if (const auto* bad = std::get_if<BadAsk>(&read)) {
    counters_.refused.fetch_add(1, std::memory_order_relaxed);
    return reply(peer, refusal(bad->id, bad->code, bad->text));
  }
  auto& ask = std::get<DeskAsk>(read);
  const auto own = unanswered_.find(peer);
  if (unanswered_count_ >= limits::kDeskAsksMax ||
      (own != unanswered_.end() && own->second >= limits::kDeskAsksPerPeerMax))
    return reply(peer, refusal(ask.id, "RETRY_LATER", "too many questions wait for an answer"));
  ++unanswered_[peer];
  ++unanswered_count_;
  asked_.emplace_back(peer, std::move(ask));
}

void Desks::answer(const std::string& peer, std::string frame) {
  const auto own = unanswered_.find(peer);
  if (--own->second == 0) unanswered_.erase(own);
  --unanswered_count_;
  reply(peer, std::move(frame));
}

// Questions that have come since the last time, in order: answered at once, or open until their record is applied.
void Desks::settle() {
  for (auto& [peer, ask] : asked_) {
    if (ask.verb == Verb::kHello) {
      hello(peer, std::move(ask));
      continue;
    }
    const auto known = peers_.find(peer);
    if (known == peers_.end()) {
      answer(peer, refusal(ask.id, "UNKNOWN_SESSION", "say HELLO with client and session first"));
      continue;
    }
    if (ask.verb == Verb::kReplay) {
      ask_replay(peer, ask);
      continue;
    }
    Open open{peer, std::move(ask), {known->second.client, known->second.session, {}}, 0, 0};
    open.asker.request = open.ask.id;
    if (open.ask.verb == Verb::kPull) {
      open.until_us = now_us_ + open.ask.wait_ms * 1000;
      pulls_.push_back(std::move(open));
    } else if (open.ask.verb == Verb::kBrowse) {
      open_.push_back(std::move(open));
    } else if (!answer_open(open)) {
      Ticket ticket;
      ticket.client = open.asker.client;
      if (open.ask.verb == Verb::kLease) {
        open.ask.lease.asker = open.asker;
        ticket.changes = open.ask.lease.offer_id;
        open.ticket = submit(wire::Kind::kQueueLease, to_payload(open.ask.lease), std::move(ticket));
      } else {
        OutcomeRecord& outcome = open.ask.outcome;
        outcome.asker = open.asker;
        outcome.is_promised = open.is_promised = may_promise(outcome);
        ticket.changes = outcome.offer_id;
        open.ticket = submit(wire::Kind::kQueueOutcome, to_payload(outcome), std::move(ticket));
      }
      open_.push_back(std::move(open));
    }
  }
  asked_.clear();
}

void Desks::ask_replay(const std::string& peer, const DeskAsk& ask) {
  log_.replay({"offer." + ask.queue, ask.from, ask.limit, ask.from_us, core::limits::kDeskAnswerBytesMax},
              [committed = committed_, peer, id = ask.id](std::string members) {
                {
                  const std::lock_guard held(committed->mutex);
                  committed->replayed.emplace_back(peer, fmt::format(R"({{"id":{},{}}})", id, members));
                }
                eventfd_write(committed->wake, 1);
              });
}

void Desks::hello(const std::string& peer, DeskAsk ask) {
  const std::int32_t number = book_->client_number(ask.client);
  Open open{peer, std::move(ask), {}, 0, 0};
  open.asker = {open.ask.client, open.ask.session, open.ask.id};
  const bool is_same = number >= 0 && book_->client(number).session == open.ask.session;
  if (is_same && (open.ask.skills.empty() || book_->client(number).skills == open.ask.skills)) {
    const auto on_its_way = under_way_.find(open.ask.client);  // what it holds is known once that is applied
    if (on_its_way == under_way_.end()) return static_cast<void>(answer_open(open));
    open.ticket = on_its_way->second.last_ticket;
    open_.push_back(std::move(open));
    return;
  }
  Ticket ticket;
  ticket.session_of = open.ask.client;
  open.ticket =
      submit(wire::Kind::kQueueSession, to_payload(SessionRecord{open.ask.client, open.ask.session, open.ask.skills}),
             std::move(ticket));
  open_.push_back(std::move(open));
}

std::int64_t Desks::submit(wire::Kind kind, std::string payload, Ticket ticket) {
  const std::int64_t number = ++last_ticket_;
  if (const std::string& client = ticket.client.empty() ? ticket.session_of : ticket.client; !client.empty()) {
    UnderWay& own = under_way_[client];
    ++own.tickets;
    own.offers += ticket.offers.size();
    own.sessions += !ticket.session_of.empty();
    own.last_ticket = number;
  }
  if (ticket.changes) ++changing_[ticket.changes];
  tickets_.emplace(number, std::move(ticket));
  submissions_.push_back({kind, std::move(payload), number});
  return number;
}

// Pulls first: who only looks at the queue takes of the looks what they leave.
void Desks::answer_waiting() {
  std::erase_if(pulls_, [this](Open& open) { return answer_pull(open); });
  std::erase_if(open_, [this](Open& open) {
    const auto ticket = tickets_.find(open.ticket);
    if (ticket == tickets_.end()) return answer_open(open);
    const bool is_good = open.is_promised && ticket->second.seq != 0;
    if (is_good) answer(open.peer, yes(open.ask.id));
    return is_good;
  });
}

// From the state alone. Before its record (ticket 0) only what is known already; after it, whatever has become of it.
bool Desks::answer_open(Open& open) {
  const std::string& id = open.ask.id;
  const bool is_current = book_->is_current(open.asker);
  if (open.ask.verb == Verb::kHello) {
    if (!is_current) {
      answer(open.peer, refusal(id, "FENCED", "another session of this client has taken its place"));
      return true;
    }
    bind(open.peer, open.asker);
    const Client& client = book_->client(book_->client_number(open.asker.client));
    std::string held;
    for (const std::int64_t number : client.held) {
      const Item* item = book_->find(number);
      if (!held.empty()) held += ',';
      held += offer_json({number, item->offer_id, item->epoch});
    }
    answer(open.peer, fmt::format(R"({{"id":{},"ok":true,"held":[{}]}})", id, held));
    return true;
  }
  if (open.ask.verb == Verb::kBrowse) {
    if (looks_left_ == 0) return false;
    answer(open.peer, browse_reply(open));
    return true;
  }
  if (const Answer* known = book_->answer_to(open.asker)) {
    if (known->code == QueueCode::kOk)
      answer(open.peer, yes(id));
    else
      answer(open.peer, refusal(id, name_of(known->code), {}));
    return true;
  }
  if (open.ticket == 0) return false;
  const bool is_lease_verb =
      open.ask.verb == Verb::kLease ? open.ask.lease.verb != LeaseVerb::kKick : !open.ask.outcome.is_correction;
  answer(open.peer, refusal(id, is_lease_verb ? "STALE_LEASE" : "FENCED", "this session has been fenced"));
  return true;
}

void Desks::end_what_is_due() {
  std::vector<LeaseTimers::Due> due;
  timers_.take_due(
      now_us_, [this](std::int64_t number) { return book_->find(number); }, due);
  for (const auto& one : due) {
    if (one.is_warning) {
      const Item* item = book_->find(one.number);
      push_to(item->client, fmt::format(R"({{"push":"LEASE_ENDS","offer_id":"{}","epoch":{},"left_ms":{}}})",
                                        offer_hex(item->offer_id), one.epoch, one.left_ms));
      continue;
    }
    counters_.leases_ended.fetch_add(one.ended == Timer::kLease, std::memory_order_relaxed);
    Ticket ticket;
    if (const Item* item = book_->find(one.number)) ticket.changes = item->offer_id;
    submit(wire::Kind::kQueueTimer, to_payload(TimerRecord{one.number, one.epoch, one.ended}), std::move(ticket));
  }
}

// Said again until it is acknowledged, or the client has another session.
void Desks::push_withdrawals() {
  for (auto at = withdrawals_.begin(); at != withdrawals_.end();) {
    const Item* item = book_->find(at->first);
    if (!item || !item->is_unacked) {
      at = withdrawals_.erase(at);
      continue;
    }
    if (at->second <= now_us_) {
      push_to(item->client, fmt::format(R"({{"push":"WITHDRAW","offer_id":"{}","epoch":{},"reason":"{}"}})",
                                        offer_hex(item->offer_id), item->epoch, item->reason));
      at->second = now_us_ + kSayAgainUs;
    }
    ++at;
  }
}

void Desks::bind(const std::string& peer, const Asker& asker) {
  const auto [at, is_new] = peers_.try_emplace(peer);
  at->second = {asker.client, asker.session};
  bound_[asker.client] = peer;
  if (is_new) peer_order_.push_back(peer);
  if (peer_order_.size() > limits::kDeskPeersMax) {
    peers_.erase(peer_order_.front());
    peer_order_.pop_front();
  }
  for (auto& [number, again_us] : withdrawals_) {
    const Item* item = book_->find(number);
    if (item && item->client == book_->client_number(asker.client)) again_us = 0;
  }
}

void Desks::push_to(std::int32_t client, std::string frame) {
  const auto bound = bound_.find(book_->client(client).name);
  if (bound == bound_.end()) return;
  counters_.pushed.fetch_add(1, std::memory_order_relaxed);
  reply(bound->second, std::move(frame));
}

// Without the lock: a desk that does not read is not waited for, it asks again.
void Desks::send_outgoing() {
  for (const auto& [peer, frame] : outgoing_) {
    core::crash_step("before_desk_reply");
    try {
      if (socket_.send(zmq::buffer(peer), zmq::send_flags::sndmore | zmq::send_flags::dontwait))
        static_cast<void>(socket_.send(zmq::buffer(frame), zmq::send_flags::dontwait));
    } catch (const zmq::error_t& gone) {
      if (gone.num() != EHOSTUNREACH && gone.num() != EAGAIN) throw;
    }
  }
  outgoing_.clear();
}

}  // namespace tellerd::deliver
