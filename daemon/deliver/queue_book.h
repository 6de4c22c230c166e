// The queues' state: who holds which offer under which epoch, what is delayed, dead or done. A plain state machine,
// moved by the engine alone as it applies records and as offers come and go; what the delivery thread has to do about
// it (time a lease, tell a holder) is noted for it. Times in here are durations and callbacks; nobody reads a clock.
// Threads: the engine changes it and the delivery thread reads it, each under lock(). Source: policy.md 5.
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "decide/contact_book.h"
#include "deliver/card_stock.h"
#include "deliver/queue_item.h"
#include "deliver/queue_record.h"
#include "deliver/ready_index.h"

namespace tellerd::deliver {

inline constexpr int kFaultsMax = 5;                     // the fifth makes an offer DEAD
inline constexpr std::int64_t kReserveMs = 30 * 60'000;  // a callback "for me" waits so long for me
std::int64_t back_off_ms(int faults) noexcept;           // 60 s … 6 h

struct Note {                                           // for the delivery thread
  enum class What : std::uint8_t { kTime, kWithdraw };  // an item that has a time; a holder to be told
  What what = What::kTime;
  std::int64_t number = 0;
};

struct QueueCounts {
  std::int64_t leased = 0, scheduled = 0, reserved = 0, dead = 0, done = 0;
};

// Why an offer that is ready may not be taken now: the rules' own words, then the queue's.
enum class Blocked : std::uint8_t { kNone, kWindow, kCap, kSuppressed, kDoNotCall, kConsent, kCapacity };
static_assert(static_cast<std::size_t>(Blocked::kConsent) == static_cast<std::size_t>(decide::Why::kConsent));
inline constexpr std::size_t kBlockedCount = 7;

// What offers of one template have in common.
struct KindFacts {
  int queue = 0, level = 0;         // 0 ≤ level < kLevels
  std::vector<std::string> skills;  // sorted; a desk needs all of them
};

bool has_skills(const Client& client, const std::vector<std::string>& needed);

struct QueueDay {
  core::Day day = 0;
  std::int64_t taken = 0;    // leases of that branch day that were not given back
  std::int64_t refused = 0;  // offers, ever, because the queue was full
  bool is_dirty = false;
};

class QueueBook {
 public:
  std::unique_lock<std::mutex> lock() const { return std::unique_lock(mutex_); }
  void set_loader(std::function<bool(std::int64_t offer_id, Item&)> loader) { loader_ = std::move(loader); }
  // How long a lease is, and the longest it may get by EXTEND.
  void set_lease_ms(std::int64_t ms, std::int64_t ms_max) noexcept {
    lease_ms_ = ms;
    lease_ms_max_ = ms_max;
  }
  std::int64_t lease_ms() const noexcept { return lease_ms_; }
  void name_queue(std::size_t number, std::string_view name);
  int queue_named(std::string_view name) const;  // -1 when there is none
  std::string_view queue_name(std::size_t number) const { return queue_names_[number]; }
  std::size_t queue_count() const noexcept { return queue_names_.size(); }
  void know(OfferKind kind, const KindFacts& facts);  // once, before any offer of the kind; the queue is named
  // How many leases a day, and how many offers of the same or a higher priority may wait; 0 is no limit.
  void set_bounds(std::size_t queue, std::int64_t taken_a_day, std::int64_t waiting);
  decide::ContactBook& contacts() noexcept { return contacts_; }
  const decide::ContactBook& contacts() const noexcept { return contacts_; }

  // Offers come and go.
  bool has_room(OfferKind kind) const;
  // The offer that has to leave when one of this kind, which has room, comes into a queue that is full: the newest of
  // the lowest priority, when that is lower and at no desk; 0 is none.
  std::int64_t displaced_by(OfferKind kind) const;
  void refuse(OfferKind kind);  // one was not let in, or had to leave
  void open(std::int64_t number, std::uint32_t customer, OfferKind kind, bool is_held_back);
  void let_out(std::int64_t number);                         // its load has ended
  bool close(std::int64_t number, std::string_view reason);  // true when it had its outcome already

  // Its outcome came by another way than a desk; false when it was done, or has ended, already.
  bool finish(std::int64_t number, std::int64_t offer_id, std::uint32_t customer, std::string_view code);

  // Records. Each judges itself; what does not hold any more changes nothing.
  void apply(const SessionRecord& record);
  bool may_grant(const GrantRecord& record, const GrantRecord::Offer& offer) const;
  // Those that may; their card, id, customer and granted_us are set. One that the contact policy forbids, also because
  // of one before it in the same grant, is not granted.
  // Of a grant that was promised, the others are in `voided`, their id and customer set: their epoch has been given
  // out, and whoever holds it is told that the offer is withdrawn.
  void grant(const GrantRecord& record, std::vector<Item> offers, std::vector<Item> voided = {});
  QueueCode apply(const LeaseRecord& record);
  struct Disposed {
    QueueCode code = QueueCode::kOk;
    const Item* counts_for = nullptr;  // the outcome is a fact: a contact took place
    bool is_amended = false;           // it stands in the place of another
  };
  Disposed apply(const OutcomeRecord& record);
  void apply(const TimerRecord& record);

  // Gates: what is ready and may not be taken now. Parking is no part of the state: it only says that a look is not
  // worth while, so whoever changes what a look would find unparks.
  struct Gate {
    Blocked why = Blocked::kNone;
    core::Instant open_us = 0;  // no sooner; kNever when time alone opens nothing
  };
  Gate gate(std::int64_t number, core::Instant now_us) const;     // of one that stands
  void park(std::int64_t number, const Gate& gate);               // of one that is ready
  void unpark(std::int64_t number);                               // whatever it is
  void unpark_all();                                              // the rules are others
  bool unpark_due(core::Instant now_us, std::size_t offers_max);  // false when some are left
  std::int64_t parked(std::size_t queue, Blocked why) const;
  core::Instant next_open_us(std::size_t queue, core::Instant now_us);          // kNever when time alone opens nothing
  std::int64_t ready_count(std::size_t queue) const;                            // parked ones as well
  std::int64_t free_count(std::size_t queue) const;                             // without them
  core::Instant spent_until_us(std::size_t queue, core::Instant now_us) const;  // its day's leases are; 0 when not
  std::int64_t oldest(std::size_t queue) const;  // its number, of those that are not parked; 0 when there is none
  std::int64_t refused(std::size_t queue) const { return queues_[queue].day.refused; }
  std::int64_t unskilled(std::size_t queue, const Client& client) const;  // that this client lacks a skill for
  // Customers whose reserved contact was given back or whose standing offers are fewer, since the last time.
  std::vector<std::uint32_t> take_freed() { return std::exchange(freed_, {}); }
  // The ready offers of a queue that this client has the skills for, by priority, oldest first, while `visit` says so.
  template <class Visit>
  void each_ready(std::size_t queue, const Client& client, Visit&& visit) const;

  // Cards made ahead, for the queues that desks ask for.
  CardStock& cards() noexcept { return cards_; }
  const CardStock& cards() const noexcept { return cards_; }
  void asks_for(std::size_t queue, std::int64_t steady_us) { queues_[queue].asked_us = steady_us; }
  bool is_asked(std::int64_t steady_us) const;  // has any been, lately
  bool may_promise(std::size_t queue) const {
    return queues_[queue].taken_a_day == 0;
  }  // a day's last leases are judged
  // Numbers and customers of offers at the heads of those queues that have no fresh card; of the first alone while
  // there are enough.
  std::vector<std::pair<std::int64_t, std::uint32_t>> without_card(std::int64_t steady_us, std::size_t offers_max);

  // Questions.
  const ReadyIndex& ready() const noexcept { return ready_; }
  const Item* find(std::int64_t number) const;              // among those in memory
  const Item* find_known(std::int64_t offer_id) const;      // by id
  Item* find_id(std::int64_t offer_id);                     // and among those that were
  std::int32_t client_number(std::string_view name) const;  // -1 when unknown
  const Client& client(std::int32_t number) const { return clients_[static_cast<std::size_t>(number)]; }
  bool is_current(const Asker& asker) const;
  bool holds(const Asker& asker, const Item& item, std::int64_t epoch) const;
  const Answer* answer_to(const Asker& asker) const;
  const QueueCounts& counts(std::size_t queue) const;
  int queue_of(const ReadyIndex::Slot& slot) const { return lanes_[ready_.class_of(slot)].queue; }
  int level_of(const ReadyIndex::Slot& slot) const { return lanes_[ready_.class_of(slot)].level; }
  template <class Visit>
  void each_standing(int queue, std::int64_t from, Visit&& visit) const {
    ready_.each_standing(from, [&](std::int64_t number, const ReadyIndex::Slot& slot) {
      return queue_of(slot) != queue || visit(number, slot);
    });
  }
  std::uint64_t changes() const noexcept { return changes_; }  // grows when something may have become ready

  // For the delivery thread, from attach() on: notes of what stands, then of what changes.
  void attach();
  void take_notes(std::vector<Note>& into);
  void await_news(bool is_awaited) noexcept { is_awaited_ = is_awaited; }  // what there is already counts, too
  bool has_news() const noexcept { return is_awaited_ && has_news_; }
  void told() noexcept { has_news_ = false; }  // has_news and told are the engine's, and need no lock

  // For the rows: what has changed since the last drain, in order; drained items that are over are forgotten.
  void drain(std::vector<Item>& items, std::vector<ClientRow>& clients);
  void drain(std::vector<std::pair<std::size_t, QueueDay>>& days);
  // Offers before that one are gone, and none of them stands.
  void drop_below(std::int64_t number);
  void restore(std::size_t queue, const QueueDay& day);
  void restore(Item item);
  void restore_done(std::int64_t number);
  void restore(Client client);

 private:
  struct Lane {  // a class of the index
    int queue = 0, level = 0;
    std::vector<std::string> skills;
    std::int64_t waiting = 0;  // neither dead nor done
  };
  struct Queue {
    std::vector<ClassId> lanes;  // by level
    QueueCounts counts;
    QueueDay day;
    std::int64_t taken_a_day = 0, waiting = 0;  // bounds
    std::int64_t asked_us = 0;                  // when a desk asked for it last, on the steady clock
    std::array<std::int64_t, kBlockedCount> parked{};
    std::map<core::Instant, std::vector<std::int64_t>> opening;  // some of these numbers have left since
  };
  Queue& queue_at(const ReadyIndex::Slot& slot) { return queues_[static_cast<std::size_t>(queue_of(slot))]; }
  Lane& lane_of(const ReadyIndex::Slot& slot) { return lanes_[ready_.class_of(slot)]; }
  void reserve_contact(const Item& item);
  void count_taken(const Item& item);
  void free_contact(const Item& item, bool is_taken);
  void no_longer_stands(const ReadyIndex::Slot& slot);
  Item& item(std::int64_t number) { return items_.at(number); }
  Item& item_of(std::int64_t number, std::int64_t offer_id, std::uint32_t customer);  // made when it is new
  void move(Item& item, ItemState to);
  void change(Item& item) { dirty_.insert(item.number); }
  void note(Note::What what, std::int64_t number);
  void void_lease(const GrantRecord& record, Item offer, Answer& answer);
  void give_back(Item& item, bool is_fault, std::string_view reason);
  void delay(Item& item, std::int64_t ms);
  void end_lease(Item& item);
  void keep_answer(const Asker& asker, Answer answer);
  QueueCode lease_verb(const LeaseRecord& record);
  Disposed judged(const OutcomeRecord& record, Item* item);

  mutable std::mutex mutex_;
  std::function<bool(std::int64_t, Item&)> loader_;
  std::int64_t lease_ms_ = 120'000, lease_ms_max_ = 15 * 60'000;
  std::vector<std::string> queue_names_;
  std::vector<Queue> queues_;
  std::vector<Lane> lanes_;
  ReadyIndex ready_;
  decide::ContactBook contacts_;
  CardStock cards_;
  std::vector<std::uint32_t> freed_;
  std::unordered_map<std::int64_t, Item> items_;            // by number
  std::unordered_map<std::int64_t, std::int64_t> numbers_;  // by offer id, of the items
  std::vector<Client> clients_;
  std::map<std::string, std::int32_t, std::less<>> client_numbers_;
  std::set<std::int64_t> dirty_;
  std::vector<Note> notes_;
  std::uint64_t changes_ = 0;
  bool is_listened_ = false;
  std::atomic<bool> is_awaited_{false}, has_news_{false};
};

template <class Visit>
void QueueBook::each_ready(std::size_t queue, const Client& client, Visit&& visit) const {
  struct Head {
    ClassId lane;
    std::int64_t number;
  };
  std::vector<Head> heads;
  const auto& lanes = queues_[queue].lanes;
  for (std::size_t at = 0; at < lanes.size();) {
    heads.clear();
    const int level = lanes_[lanes[at]].level;
    for (; at < lanes.size() && lanes_[lanes[at]].level == level; ++at)
      if (has_skills(client, lanes_[lanes[at]].skills))
        if (const std::int64_t first = ready_.next(lanes[at], 0)) heads.push_back({lanes[at], first});
    while (!heads.empty()) {
      const auto head = std::min_element(heads.begin(), heads.end(),
                                         [](const Head& a, const Head& b) { return a.number < b.number; });
      const std::int64_t number = head->number;
      if (!visit(number, *ready_.find(number))) return;
      head->number = ready_.next(head->lane, number);
      if (head->number == 0) heads.erase(head);
    }
  }
}

}  // namespace tellerd::deliver
