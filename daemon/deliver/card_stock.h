// Cards made ahead of the leases that will show them, so that a lease need not wait for the engine: what stands at the
// heads of the queues that desks ask for. A memo and no part of the state: whoever changes an offer drops its card, and
// none is shown that is older than kFreshUs. Times are those of the steady clock, for that alone. Threads: the holder
// of the queues' lock.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>

namespace tellerd::deliver {

class CardStock {
 public:
  static constexpr std::int64_t kFreshUs = 2'000'000;
  static constexpr std::size_t kCardsMax = 2048, kCardsEnough = 1536;  // a third of a second of 2,000 leases, and more
  static constexpr std::size_t kHeads = 512;  // looked at even so: a higher priority comes before all of those, and
                                              // leases that are on their way stand first
  struct Card {
    std::int64_t offer_id = 0, made_us = 0;
    std::string text;  // members of a JSON object
  };

  void put(std::int64_t number, Card card) {
    order_.emplace_back(card.made_us, number);
    cards_[number] = std::move(card);
  }
  const Card* find(std::int64_t number, std::int64_t now_us) const {
    const auto known = cards_.find(number);
    return known == cards_.end() || known->second.made_us + kFreshUs < now_us ? nullptr : &known->second;
  }
  bool contains(std::int64_t number) const { return cards_.contains(number); }
  std::size_t count() const noexcept { return cards_.size(); }
  void drop(std::int64_t number) {
    if (!cards_.empty()) cards_.erase(number);
  }
  void drop_older(std::int64_t made_us) {
    for (; !order_.empty() && order_.front().first < made_us; order_.pop_front()) {
      const auto known = cards_.find(order_.front().second);
      if (known != cards_.end() && known->second.made_us < made_us) cards_.erase(known);
    }
  }

 private:
  std::unordered_map<std::int64_t, Card> cards_;             // by the offer's number
  std::deque<std::pair<std::int64_t, std::int64_t>> order_;  // made, number; some have left since
};

}  // namespace tellerd::deliver
