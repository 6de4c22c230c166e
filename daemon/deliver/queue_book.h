// The queues' state: who holds which offer under which epoch, what is delayed, dead or done. A plain state machine,
// moved by the engine alone as it applies records and as offers come and go; what the delivery thread has to do about
// it (time a lease, tell a holder) is noted for it. Times in here are durations and callbacks; nobody reads a clock.
// Threads: the engine changes it and the delivery thread reads it, each under lock(). Source: policy.md 5.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

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

  // Offers come and go.
  void open(std::int64_t number, std::uint32_t customer, ClassId class_id, bool is_held_back);
  void let_out(std::int64_t number);                         // its load has ended
  bool close(std::int64_t number, std::string_view reason);  // true when it had its outcome already

  // Its outcome came by another way than a desk; false when it was done, or has ended, already.
  bool finish(std::int64_t number, std::int64_t offer_id, std::uint32_t customer, std::string_view code);

  // Records. Each judges itself; what does not hold any more changes nothing.
  void apply(const SessionRecord& record);
  bool may_grant(const GrantRecord& record, const GrantRecord::Offer& offer) const;
  void grant(const GrantRecord& record,
             std::vector<Item> offers);  // those that may; their card, id and customer are set
  QueueCode apply(const LeaseRecord& record);
  struct Disposed {
    QueueCode code = QueueCode::kOk;
    const Item* counts_for = nullptr;  // the outcome is a fact: a contact took place
  };
  Disposed apply(const OutcomeRecord& record);
  void apply(const TimerRecord& record);

  // Questions.
  const ReadyIndex& ready() const noexcept { return ready_; }
  const Item* find(std::int64_t number) const;              // among those in memory
  Item* find_id(std::int64_t offer_id);                     // and among those that were
  std::int32_t client_number(std::string_view name) const;  // -1 when unknown
  const Client& client(std::int32_t number) const { return clients_[static_cast<std::size_t>(number)]; }
  bool is_current(const Asker& asker) const;
  const Answer* answer_to(const Asker& asker) const;
  const QueueCounts& counts(std::size_t queue) const;
  template <class Visit>
  void each_standing(int queue, std::int64_t from, Visit&& visit) const {
    ready_.each_standing(from, [&](std::int64_t number, const ReadyIndex::Slot& slot) {
      return slot.class_id / kLevels != queue || visit(number, slot);
    });
  }
  std::uint64_t changes() const noexcept { return changes_; }  // grows when something may have become ready

  // For the delivery thread, from attach() on: notes of what stands, then of what changes.
  void attach();
  void take_notes(std::vector<Note>& into);
  bool has_news() const noexcept { return is_listened_ && has_news_; }
  void told() noexcept { has_news_ = false; }  // has_news and told are the engine's, without the lock

  // For the rows: what has changed since the last drain, in order; drained items that are over are forgotten.
  void drain(std::vector<Item>& items, std::vector<std::pair<std::int32_t, Client>>& clients);
  void restore(Item item);
  void restore_done(std::int64_t number);
  void restore(Client client);

 private:
  Item& item(std::int64_t number) { return items_.at(number); }
  Item& item_of(std::int64_t number, std::int64_t offer_id, std::uint32_t customer);  // made when it is new
  void move(Item& item, ItemState to);
  void change(Item& item) { dirty_.insert(item.number); }
  void note(Note::What what, std::int64_t number);
  bool holds(const Asker& asker, const Item& item, std::int64_t epoch) const;
  void give_back(Item& item, bool is_fault, std::string_view reason);
  void delay(Item& item, std::int64_t ms);
  void end_lease(Item& item);
  void keep_answer(const Asker& asker, Answer answer);
  QueueCode lease_verb(const LeaseRecord& record);
  QueueCode judged(const OutcomeRecord& record, Item* item, bool& counts);

  mutable std::mutex mutex_;
  std::function<bool(std::int64_t, Item&)> loader_;
  std::int64_t lease_ms_ = 120'000, lease_ms_max_ = 15 * 60'000;
  std::vector<std::string> queue_names_;
  ReadyIndex ready_;
  std::unordered_map<std::int64_t, Item> items_;            // by number
  std::unordered_map<std::int64_t, std::int64_t> numbers_;  // by offer id, of the items
  std::vector<Client> clients_;
  std::map<std::string, std::int32_t, std::less<>> client_numbers_;
  std::vector<QueueCounts> counts_;
  std::set<std::int64_t> dirty_;
  std::vector<Note> notes_;
  std::uint64_t changes_ = 0;
  bool is_listened_ = false, has_news_ = false;
};

}  // namespace tellerd::deliver
