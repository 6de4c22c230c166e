// What the feed says: one gapless sequence a topic that follows from the log, kept in teller.db and handed on at once.
// Offers made by a load are held until it ends: one superseded within its own load never leaves (design.md 4, policy.md
// 5). Threads: the engine's; the listener is called in its thread, at the end of a turn, and must not block.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/time.h"
#include "store/bulk_insert.h"

namespace tellerd::deliver {

enum class What : std::uint8_t { kOffer = 1, kOfferEnd = 2, kSegment = 3, kChurn = 4, kOverdue = 5, kOfferDone = 6 };

struct Line {
  int topic = 0;
  std::int64_t topic_seq = 0;
  core::Instant at_us = 0;
  What what = What::kOffer;
  std::int64_t a = 0;  // number of the offer, or of the row in its history
};
// Segment and churn lines stand in their histories alone: there the number is the topic's seq.
constexpr bool is_in_history(What what) noexcept { return what == What::kSegment || what == What::kChurn; }
// In the outbox one row stands for `count` lines that differ by one in topic_seq and a.

class Outbox {
 public:
  explicit Outbox(store::Database& database);
  void set_listener(std::function<void(const Line&, const std::string& topic)> listener) {
    listener_ = std::move(listener);
  }
  void begin_turn(std::int64_t seq) noexcept { turn_ = seq; }
  void end_turn();  // the listener hears what was said
  int topic(const std::string& name);
  std::int64_t say(int topic, What what, core::Instant at_us, std::int64_t a);  // its topic_seq

  // A load is active from its first record to its end record, or until nothing has come of it for fifteen minutes.
  void touch_load(std::int32_t producer, core::Instant received_us);
  bool is_loading(std::int32_t producer) const { return loads_.contains(producer); }
  void hold(std::int32_t producer, std::int64_t offer);
  bool is_held(std::int64_t offer) const { return held_.contains(offer); }
  void let_go(std::int64_t offer);  // it ended before it left: it never does
  // Offers of the load, in order, free to leave now.
  std::vector<std::int64_t> end_load(std::int32_t producer);
  std::vector<std::int32_t> overdue_loads(core::Instant received_us) const;
  core::Instant next_overdue_us() const;  // kNever without a load

  void take_lines();  // for the next write_taken_lines(), by whoever has the connection; the one before is through
  void write_taken_lines();
  // Lines of before that time go, at most so many rows a topic; true when none is left.
  bool drop_before(core::Instant at_us, int rows_max);
  std::size_t unwritten() const noexcept { return unwritten_.size(); }
  void give_back() {  // the room that a burst took
    for (auto* runs : {&unwritten_, &taken_}) runs->shrink_to_fit();
  }
  void write_topics();  // and the loads that are active

 private:
  struct Run {
    Line first;
    std::int64_t turn = 0, count = 1;
  };
  store::BulkInsert insert_;
  store::Database& database_;
  store::Statement hold_, release_, drop_;
  std::vector<Run> unwritten_, taken_;
  std::vector<std::size_t> last_run_;  // place of a topic's newest run + 1
  std::function<void(const Line&, const std::string&)> listener_;
  std::vector<std::string> names_;
  std::vector<std::int64_t> last_seq_;
  std::map<std::int32_t, core::Instant> loads_;
  std::map<std::int64_t, std::int32_t> held_;
  bool are_loads_dirty_ = false;
  std::vector<Line> unheard_;  // of this turn, for the listener
  std::int64_t turn_ = 0;
};

}  // namespace tellerd::deliver
