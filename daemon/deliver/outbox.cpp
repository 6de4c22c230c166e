#include "deliver/outbox.h"

#include <algorithm>

#include "core/assert.h"

namespace tellerd::deliver {
namespace {
constexpr core::Instant kLoadSilenceUsMax = 15 * core::kMinute;
}

Outbox::Outbox(store::Database& database)
    : insert_(database, "INSERT INTO outbox", "topic,topic_seq,at_us,what,a,count"),
      database_(database),
      hold_(database, "INSERT INTO held_offer(number,producer) VALUES(?,?)"),
      release_(database, "DELETE FROM held_offer WHERE number=?"),
      drop_(database,
            "DELETE FROM outbox WHERE topic=?1 AND topic_seq IN (SELECT topic_seq FROM (SELECT topic_seq,at_us FROM "
            "outbox WHERE topic=?1 ORDER BY topic_seq LIMIT ?3) WHERE at_us<?2)") {
  store::Statement topics(database, "SELECT name,last_seq FROM topic ORDER BY id");
  while (topics.step()) {
    names_.emplace_back(topics.text(0));
    last_seq_.push_back(topics.integer(1));
    last_run_.push_back(0);
  }
  store::Statement held(database, "SELECT number,producer FROM held_offer");
  while (held.step()) held_[held.integer(0)] = static_cast<std::int32_t>(held.integer(1));
  store::Statement loads(database, "SELECT producer,last_received_us FROM active_load");
  while (loads.step()) loads_[static_cast<std::int32_t>(loads.integer(0))] = loads.integer(1);
}

int Outbox::topic(const std::string& name) {
  for (std::size_t at = 0; at < names_.size(); ++at)
    if (names_[at] == name) return static_cast<int>(at);
  names_.push_back(name);
  last_seq_.push_back(0);
  last_run_.push_back(0);
  return static_cast<int>(names_.size()) - 1;
}

std::int64_t Outbox::say(int topic, What what, core::Instant at_us, std::int64_t a) {
  const auto at = static_cast<std::size_t>(topic);
  const Line line{topic, ++last_seq_[at], at_us, what, a};
  if (listener_) unheard_.push_back(line);
  if (is_in_history(what)) {
    TELLERD_ASSERT(line.topic_seq == a);
    return line.topic_seq;
  }
  // A row may not depend on when it is flushed: lines join only inside one turn, and a flush never comes inside one.
  Run* last = last_run_[at] ? &unwritten_[last_run_[at] - 1] : nullptr;
  if (last && turn_ == last->turn && last->first.what == what && last->first.a + last->count == a) {
    ++last->count;
  } else {
    unwritten_.push_back({line, turn_});
    last_run_[at] = unwritten_.size();
  }
  return line.topic_seq;
}

void Outbox::end_turn() {
  for (const Line& line : unheard_) listener_(line, names_[static_cast<std::size_t>(line.topic)]);
  unheard_.clear();
}

void Outbox::touch_load(std::int32_t producer, core::Instant received_us) {
  loads_[producer] = received_us;
  are_loads_dirty_ = true;
}

void Outbox::hold(std::int32_t producer, std::int64_t offer) {
  held_[offer] = producer;
  hold_.later(offer, std::int64_t{producer});
}

void Outbox::let_go(std::int64_t offer) {
  held_.erase(offer);
  release_.later(offer);
}

std::vector<std::int64_t> Outbox::end_load(std::int32_t producer) {
  loads_.erase(producer);
  are_loads_dirty_ = true;
  std::vector<std::int64_t> freed;
  for (const auto& [offer, holder] : held_)
    if (holder == producer) freed.push_back(offer);
  for (const std::int64_t offer : freed) let_go(offer);
  return freed;
}

std::vector<std::int32_t> Outbox::overdue_loads(core::Instant received_us) const {
  std::vector<std::int32_t> found;
  for (const auto& [producer, last_us] : loads_)
    if (received_us - last_us > kLoadSilenceUsMax) found.push_back(producer);
  return found;
}

core::Instant Outbox::next_overdue_us() const {
  core::Instant soonest = core::kNever;
  for (const auto& [producer, last_us] : loads_) soonest = std::min(soonest, last_us + kLoadSilenceUsMax + 1);
  return soonest;
}

void Outbox::take_lines() {
  TELLERD_ASSERT(taken_.empty());
  taken_.swap(unwritten_);
  std::fill(last_run_.begin(), last_run_.end(), std::size_t{0});
}

void Outbox::write_taken_lines() {
  insert_.run(taken_.size(), [&](std::size_t at, store::BulkRow& row) {
    const auto& [first, turn, count] = taken_[at];
    row.add_all(std::int64_t{first.topic}, first.topic_seq, first.at_us, static_cast<std::int64_t>(first.what), first.a,
                count);
  });
  taken_.clear();
}

bool Outbox::drop_before(core::Instant at_us, int rows_max) {
  if (!unwritten_.empty() && unwritten_.front().first.at_us < at_us) {
    database_.take_back();
    take_lines();
    write_taken_lines();
  }
  bool is_done = true;
  for (std::size_t topic = 0; topic < names_.size(); ++topic) {
    drop_.bind_all(static_cast<std::int64_t>(topic), at_us, std::int64_t{rows_max}).run();
    is_done = is_done && database_.changes() < rows_max;
  }
  return is_done;
}

void Outbox::write_topics() {
  store::Statement topic(
      database_, "INSERT INTO topic(id,name,last_seq) VALUES(?1,?2,?3) ON CONFLICT(id) DO UPDATE SET last_seq=?3");
  for (std::size_t at = 0; at < names_.size(); ++at)
    topic.bind_all(static_cast<std::int64_t>(at), std::string_view(names_[at]), last_seq_[at]).run();
  if (!are_loads_dirty_) return;
  are_loads_dirty_ = false;
  database_.execute("DELETE FROM active_load");
  store::Statement load(database_, "INSERT INTO active_load(producer,last_received_us) VALUES(?,?)");
  for (const auto& [producer, last_us] : loads_) load.bind_all(std::int64_t{producer}, last_us).run();
}

}  // namespace tellerd::deliver
