// The queue endpoint (policy.md 5): desks ask in JSON over a ROUTER, one frame each way. A question that changes
// something becomes a record and is answered from the queue's state once the record has been applied, or, where the
// answer is sure, once it is on disk (desks_pull.cpp), so a question asked again, also after a crash, finds the same
// answer. Empty pulls wait here; leases and delays are timed here, and only the record of their end changes anything.
// Threads: pump() is the delivery thread's; stir() and drain() are for anyone; `submit` calls `done` in the recorder's.
#pragma once
#include <atomic>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>
#include <zmq.hpp>

#include "deliver/desk_ask.h"
#include "deliver/lease_timers.h"
#include "deliver/queue_book.h"

namespace tellerd::deliver {

class Desks {
 public:
  struct Replay {  // what a queue's topic has said, from a sequence number or a time on
    std::string topic;
    std::int64_t from_seq = 0, limit = 0;
    core::Instant from_us = 0;
    std::size_t bytes_max = 0;  // of the messages, about; 0 is no bound
  };
  struct Log {  // what the rest of the house does for the desks
    std::function<void(wire::Kind, std::string payload, std::function<void(std::int64_t seq)> done)> submit;
    std::function<std::int64_t()> applied_seq, committed_seq;
    std::function<std::shared_ptr<QueueBook>()> book;  // nullptr while there is none
    std::function<core::Instant()> wall_us;            // for a callback's time alone
    // Reads where a lease does not wait for it; `done` is called in another thread, with members of a JSON object.
    std::function<void(const Replay& replay, std::function<void(std::string members)> done)> replay;
    std::function<core::Instant()> policy_us;  // what a record would be dated now: for a look that is judged again
  };
  Desks(zmq::context_t& context, const std::string& endpoint, Log log);
  ~Desks();

  void pump();  // takes, answers, times
  void* handle() { return socket_.handle(); }
  int wake_descriptor() const noexcept { return wake_; }
  int patience_ms() const;  // how long a poll may sleep before something is due
  void stir();              // the book has news
  // No more grants; what is under way is finished. True once nothing is.
  bool drain();

  struct Counters {
    std::atomic<std::uint64_t> asked{0}, granted{0}, refused{0}, pushed{0}, leases_ended{0};
    std::atomic<std::int64_t> waiting_pulls{0};
  };
  const Counters& counters() const noexcept { return counters_; }

 private:
  struct Peer {
    std::string client, session;
  };
  struct Open {  // a question that waits for its record, or a pull for an offer
    std::string peer;
    DeskAsk ask;
    Asker asker;
    std::int64_t ticket = 0, until_us = 0;  // ticket 0: no record is on its way
    std::int64_t card_until_us = 0;         // so long a pull waits for a card
    bool is_promised = false;               // DISPOSE: `ok` as soon as its record is on disk
  };
  struct Promised {  // a lease, to whom
    std::string client, session;
    std::int64_t epoch = 0;
  };
  struct Ticket {
    std::int64_t seq = 0;                  // 0 until it is committed
    std::vector<std::int64_t> offers;      // on their way to somebody
    std::vector<std::uint32_t> customers;  // theirs, where a contact policy stands
    std::string pull;                      // key of the pull that it answers
    std::string client;                    // whose grant or question it is
    std::int64_t changes = 0;              // the offer's id, of a question or of the end of a lease
    std::string promise;                   // the answer to that pull, good as soon as it is on disk; "": it waits
    std::vector<std::int64_t> promised;    // the ids of the offers in it
    std::string session_of;                // the client whose session it changes
  };
  struct UnderWay {  // of a client, not applied yet
    std::size_t tickets = 0, offers = 0, sessions = 0;
    std::int64_t last_ticket = 0;
  };

  void take_frames();
  void take(const std::string& peer, std::string_view frame);
  void hello(const std::string& peer, DeskAsk ask);
  void attach(std::shared_ptr<QueueBook> book);
  void note_committed();
  void heed_notes();
  void settle();
  void answer_waiting();
  bool answer_pull(Open& open);
  bool answer_open(Open& open);
  void ask_replay(const std::string& peer, const DeskAsk& ask);
  bool grant(Open& open);
  bool may_promise(const GrantRecord& record, std::size_t queue) const;
  bool may_promise(const OutcomeRecord& record) const;
  bool is_session_sure(const std::string& client) const;
  std::string promise_of(const GrantRecord& record) const;
  bool waits_for_card(Open& open);
  void end_ticket(const Ticket& ticket);
  std::string empty_reply(const Open& open) const;
  std::string browse_reply(const Open& open);
  std::string grant_reply(const std::string& id, const std::vector<Granted>& granted) const;
  std::string offer_json(const Granted& granted) const;
  void end_what_is_due();
  void push_withdrawals();
  std::int64_t submit(wire::Kind kind, std::string payload, Ticket ticket);
  void bind(const std::string& peer, const Asker& asker);
  void push_to(std::int32_t client, std::string frame);
  void reply(const std::string& peer, std::string frame) { outgoing_.emplace_back(peer, std::move(frame)); }
  void answer(const std::string& peer, std::string frame);  // to a question that was taken
  void send_outgoing();

  Log log_;
  zmq::socket_t socket_;
  int wake_ = -1;
  std::shared_ptr<QueueBook> book_;
  LeaseTimers timers_;
  std::unordered_map<std::string, Peer> peers_;         // by routing id
  std::unordered_map<std::string, std::string> bound_;  // client to the routing id that spoke last
  std::deque<std::string> peer_order_;                  // oldest first
  std::vector<std::pair<std::string, DeskAsk>> asked_;  // taken, while there is no book yet
  std::list<Open> pulls_, open_;
  std::unordered_map<std::string, std::size_t> unanswered_;  // questions that were taken, by routing id
  std::size_t unanswered_count_ = 0;
  std::unordered_map<std::int64_t, Ticket> tickets_;
  std::deque<std::pair<std::int64_t, std::int64_t>> to_apply_;  // seq, ticket: committed, as the log has them
  std::unordered_set<std::int64_t> on_their_way_;               // offers in grants that are not applied yet
  std::unordered_set<std::uint32_t> customers_on_their_way_;
  // Keys of pulls whose grant is on its way, and what may be said of it as soon as it is on disk.
  std::unordered_map<std::string, std::string> pulls_granted_;
  std::unordered_map<std::string, UnderWay> under_way_;     // by client
  std::unordered_map<std::int64_t, std::size_t> changing_;  // by offer id: records that are not applied yet
  std::unordered_map<std::int64_t, Promised> promised_;     // by offer id, of grants that are not applied yet
  std::int64_t promises_from_seq_ = 0;                      // before it is applied nothing is known of earlier grants
  std::unordered_map<std::int64_t, std::int64_t> withdrawals_;  // offer number to when it is said again
  struct Submission {
    wire::Kind kind;
    std::string payload;
    std::int64_t ticket;
  };
  std::vector<Submission> submissions_;
  std::vector<std::pair<std::string, std::string>> outgoing_;
  std::vector<Note> notes_;
  std::int64_t last_ticket_ = 0, now_us_ = 0;
  core::Instant policy_us_ = 0;
  std::size_t looks_left_ = 1;  // in this pump
  bool may_promise_ = false, is_behind_ = false, is_waiting_for_card_ = false;
  std::atomic<bool> is_draining_{false}, is_drained_{false};
  struct Committed;  // outlives the desks for a recorder that is still at it
  std::shared_ptr<Committed> committed_;
  Counters counters_;
};

}  // namespace tellerd::deliver
