// What desks are told: offers, why there are none, what a queue holds.
#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/limits.h"
#include "deliver/desks.h"

namespace tellerd::deliver {
namespace {

std::string_view name_of(ItemState state) {
  switch (state) {
    case ItemState::kReady:
    case ItemState::kReserved:
      return "READY";
    case ItemState::kLeased:
      return "LEASED";
    case ItemState::kScheduled:
      return "SCHEDULED";
    case ItemState::kDone:
      return "DONE";
    case ItemState::kDead:
      return "DEAD";
    case ItemState::kEnded:
      return "ENDED";
  }
  return "";
}

}  // namespace

std::string Desks::offer_json(const Granted& granted) const {
  const Item* item = book_->find(granted.number);
  const bool is_held = item && item->state == ItemState::kLeased && item->epoch == granted.epoch;
  std::string text = fmt::format(R"({{"offer_id":"{}","epoch":{},"lease_ms":{})", offer_hex(granted.offer_id),
                                 granted.epoch, is_held ? timers_.left_ms(*item, now_us_) : 0);
  if (is_held && !item->card.empty()) text.append(",").append(item->card);
  return text + "}";
}

std::string Desks::grant_reply(const std::string& id, const std::vector<Granted>& granted) const {
  std::string text = fmt::format(R"({{"id":{},"ok":true,"offers":[)", id);
  for (std::size_t at = 0; at < granted.size(); ++at) {
    if (at) text += ',';
    text += offer_json(granted[at]);
  }
  return text + "]}";
}

// Why there is nothing, and how many for each reason; `none` when there is no reason but that nothing is there.
std::string Desks::empty_reply(const Open& open) const {
  nlohmann::ordered_json why = nlohmann::ordered_json::object(), next_open_at = nullptr;
  const auto put = [&why](const char* reason, std::int64_t count) {
    if (count > 0) why[reason] = count;
  };
  if (const int number = book_->queue_named(open.ask.queue); number >= 0) {
    const auto queue = static_cast<std::size_t>(number);
    const Client& client = book_->client(book_->client_number(open.asker.client));
    put("window", book_->parked(queue, Blocked::kWindow));
    put("cap", book_->parked(queue, Blocked::kCap));
    put("suppressed", book_->parked(queue, Blocked::kSuppressed));
    put("do_not_call", book_->parked(queue, Blocked::kDoNotCall));
    put("consent", book_->parked(queue, Blocked::kConsent));
    const core::Instant new_day_us = book_->spent_until_us(queue, policy_us_);
    const std::int64_t unskilled = book_->unskilled(queue, client);
    if (new_day_us) put("capacity", book_->free_count(queue) - unskilled);
    const QueueCounts& counts = book_->counts(queue);
    put("leased", counts.leased + static_cast<std::int64_t>(on_their_way_.size()));
    put("skill", unskilled);
    put("not_before", counts.scheduled + counts.reserved);
    put("dead", counts.dead);
    const bool opens_with_day = new_day_us && book_->free_count(queue) > 0;
    const core::Instant open_us =
        opens_with_day ? new_day_us : std::max(book_->next_open_us(queue, policy_us_), new_day_us);
    if (open_us != core::kNever) next_open_at = core::format_instant(open_us);
  }
  put("draining", is_draining_);
  if (why.empty()) why["none"] = 1;
  return fmt::format(R"({{"id":{},"ok":true,"code":"EMPTY","offers":[],"empty":{},"next_open_at":{}}})", open.ask.id,
                     why.dump(), next_open_at.dump());
}

// A page of what stands: it ends with its limit, with its bytes, or when the turn has looked at enough.
std::string Desks::browse_reply(const Open& open) {
  constexpr std::size_t kLooksARow = 10;  // what a row costs, in looks at an offer
  std::string rows;
  std::int64_t count = 0, next = 0;
  const int queue = book_->queue_named(open.ask.queue);
  book_->each_standing(queue, open.ask.from, [&](std::int64_t number, const ReadyIndex::Slot& slot) {
    const bool is_full = count == open.ask.limit || rows.size() >= core::limits::kDeskAnswerBytesMax;
    if (is_full || looks_left_ == 0) {
      next = number;
      return false;
    }
    --looks_left_;
    const Item* item = book_->find(number);
    const std::string_view state = item            ? name_of(item->state)
                                   : slot.is_done  ? "DONE"
                                   : slot.is_ready ? "READY"
                                                   : "NEW";
    if (!open.ask.state.empty() && open.ask.state != state) return true;
    looks_left_ -= std::min(looks_left_, kLooksARow);
    if (count++) rows += ',';
    rows += fmt::format(R"({{"number":{},"state":"{}","priority":{},"epoch":{},"faults":{})", number, state,
                        book_->level_of(slot), item ? item->epoch : 0, item ? item->faults : 0);
    if (item) {
      const nlohmann::json client = item->client < 0 ? "" : book_->client(item->client).name;
      rows += fmt::format(R"(,"offer_id":"{}","client":{},"reason":{},"owner":{})", offer_hex(item->offer_id),
                          client.dump(), nlohmann::json(item->reason).dump(), item->is_mine ? client.dump() : "null");
      if (item->at_us) rows += fmt::format(R"(,"not_before_us":{})", item->at_us);
    }
    rows += '}';
    return true;
  });
  return fmt::format(R"({{"id":{},"ok":true,"offers":[{}],"next":{}}})", open.ask.id, rows, next);
}

}  // namespace tellerd::deliver
