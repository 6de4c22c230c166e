#include "support/desk_world.h"

#include <array>
#include <random>
#include <string>

#include "deliver/queue_record.h"
#include "support/fold.h"
#include "support/scratch_folder.h"

namespace tellerd::tests {
namespace {

using deliver::Asker;
using deliver::LeaseVerb;
using wire::Kind;

class DeskWorld {
 public:
  explicit DeskWorld(std::uint64_t seed) : chance_(seed) {}

  void work(LogMaker& log) {
    if (!fold_) fold_ = std::make_unique<Fold>(log, folder_ / "looked_at.db");
    while (fold_->has_next()) fold_->apply_next();
    while (happens(35)) {
      tell(log);
      while (fold_->has_next()) fold_->apply_next();
    }
  }

 private:
  std::int64_t number(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(chance_);
  }
  bool happens(int percent) { return number(1, 100) <= percent; }

  Asker asker() {
    Asker asker{"desk-" + std::to_string(number(1, 3)), std::to_string(number(1, 2)), {}};
    const auto book = fold_->engine().queues();
    const auto known = book->client_number(asker.client);
    if (known >= 0 && happens(90)) asker.session = book->client(known).session;
    asker.request = happens(95) ? std::to_string(++requests_) : std::to_string(number(1, requests_ + 1));
    return asker;
  }

  // Something that has been granted once, most often what is leased now.
  const deliver::Item* some_item(deliver::ItemState state) {
    const auto book = fold_->engine().queues();
    const deliver::Item* found = nullptr;
    for (std::int64_t at = number(0, last_granted_); at <= last_granted_; ++at)
      if (const auto* item = book->find(at); item && (item->state == state || happens(5)))
        found = found && happens(50) ? found : item;
    return found;
  }

  void tell(LogMaker& log) {
    const std::int64_t what = number(1, 100);
    if (what <= 8) {
      log.queue(Kind::kQueueSession,
                to_payload(deliver::SessionRecord{
                    "desk-" + std::to_string(number(1, 3)), std::to_string(number(1, happens(80) ? 1 : 9)), {}}));
    } else if (what <= 45) {
      grant(log);
    } else if (what <= 60) {
      dispose(log);
    } else if (what <= 85) {
      lease_verb(log);
    } else {
      const auto timer = static_cast<deliver::Timer>(number(0, 2));
      const auto* item = some_item(timer == deliver::Timer::kLease   ? deliver::ItemState::kLeased
                                   : timer == deliver::Timer::kDelay ? deliver::ItemState::kScheduled
                                                                     : deliver::ItemState::kReserved);
      if (item)
        log.queue(Kind::kQueueTimer,
                  to_payload(deliver::TimerRecord{item->number, item->epoch - (happens(5) ? 1 : 0), timer}));
    }
  }

  void grant(LogMaker& log) {
    const auto book = fold_->engine().queues();
    deliver::GrantRecord record{asker(), 120'000, {}};
    for (deliver::ClassId class_id = 0; class_id < book->ready().classes(); ++class_id)
      for (std::int64_t at = book->ready().next(class_id, 0); at && record.offers.size() < 3;
           at = book->ready().next(class_id, at)) {
        const auto* item = book->find(at);
        last_granted_ = std::max(last_granted_, at);
        record.offers.push_back(
            {at, book->ready().find(at)->customer, (item ? item->epoch : 0) + (happens(95) ? 1 : 2)});
      }
    if (happens(10))
      record.offers.push_back({number(1, last_granted_ + 2), static_cast<std::uint32_t>(number(1, 5)), number(1, 3)});
    if (const auto* kept = some_item(deliver::ItemState::kReserved); kept && happens(50))
      record.offers.push_back({kept->number, kept->customer, kept->epoch + 1});
    log.queue(Kind::kQueueGrant, to_payload(record));
  }

  void dispose(LogMaker& log) {
    static constexpr std::array kCodes{"ACCEPTED", "NOT_INTERESTED", "NO_ANSWER", "CALLBACK", "DO_NOT_CALL"};
    deliver::OutcomeRecord record;
    record.asker = asker();
    record.is_correction = happens(20);
    const auto* item = some_item(record.is_correction ? deliver::ItemState::kDone : deliver::ItemState::kLeased);
    record.offer_id = item ? item->offer_id : disposed_;
    record.epoch = item ? item->epoch - (happens(10) ? 1 : 0) : number(0, 2);
    if (item && happens(90) && item->client >= 0)
      record.asker.client = fold_->engine().queues()->client(item->client).name;
    if (item) disposed_ = item->offer_id;
    record.code = kCodes[static_cast<std::size_t>(number(0, 4))];
    log.queue(Kind::kQueueOutcome, to_payload(record));
  }

  void lease_verb(LogMaker& log) {
    deliver::LeaseRecord record;
    record.asker = asker();
    record.verb = static_cast<LeaseVerb>(number(0, 6));
    if (happens(40)) record.verb = LeaseVerb::kFail;
    const auto* item = some_item(record.verb == LeaseVerb::kKick  ? deliver::ItemState::kDead
                                 : record.verb == LeaseVerb::kAck ? deliver::ItemState::kEnded
                                                                  : deliver::ItemState::kLeased);
    if (!item) return;
    record.offer_id = item->offer_id;
    record.epoch = item->epoch;
    if (happens(90) && item->client >= 0) {
      const auto& holder = fold_->engine().queues()->client(item->client);
      record.asker.client = holder.name;
      record.asker.session = holder.session;
    }
    record.reason = "why not";
    record.ms = 60'000;
    record.at_us = log.received_us() + core::kHour;
    record.is_mine = happens(50);
    log.queue(Kind::kQueueLease, to_payload(record));
  }

  std::mt19937_64 chance_;
  ScratchFolder folder_;
  std::unique_ptr<Fold> fold_;
  std::int64_t requests_ = 0, last_granted_ = 0, disposed_ = 0;
};

}  // namespace

std::unique_ptr<LogMaker> with_desks(const LogMaker& log, std::uint64_t seed) {
  DeskWorld desks(seed);
  return log.with([&](LogMaker& growing) { desks.work(growing); });
}

}  // namespace tellerd::tests
