#include "app/contact_limits.h"

#include <map>
#include <string>

namespace tellerd::app {
namespace {

using deliver::Json;

constexpr int kAtOnce = 256;              // offers under one lock
constexpr std::int64_t kLooked = 50'000;  // offers looked at; the rest is counted as not looked at

struct Looked {
  std::int64_t free = 0, rest = 0;
  std::map<std::pair<std::string, std::string>, std::int64_t> by_rule;  // rule and why
};

std::string_view source_of(const std::vector<decide::ContactRule>& rules, const std::string& id) {
  for (const auto& rule : rules)
    if (rule.id == id)
      return rule.source == decide::Source::kLaw ? "LAW" : rule.source == decide::Source::kBank ? "BANK" : "BUSINESS";
  return "BANK";  // hours and precedence of the pack
}

// The first hard block of each offer that waits, as a desk would meet it now.
std::vector<Looked> look(deliver::QueueBook& book, core::Instant now_us) {
  std::vector<Looked> queues;
  std::int64_t from = 1, looked = 0;
  for (bool has_more = true; has_more;) {
    const auto guard = book.lock();
    queues.resize(book.queue_count());
    has_more = false;
    int left = kAtOnce;
    book.ready().each_standing(from, [&](std::int64_t number, const deliver::ReadyIndex::Slot& slot) {
      if (left == 0) {
        has_more = true;
        return false;
      }
      --left;
      from = number + 1;
      if (!slot.is_ready) return true;
      Looked& queue = queues[static_cast<std::size_t>(book.queue_of(slot))];
      if (++looked > kLooked) {
        ++queue.rest;
        return true;
      }
      const auto verdict = book.contacts().has_rules() ? book.contacts().check(slot.customer, slot.kind, now_us)
                                                       : decide::ContactVerdict();
      if (verdict.may_contact())
        ++queue.free;
      else
        ++queue.by_rule[{std::string(book.contacts().rules().name_of(verdict.hits.front())),
                         std::string(decide::kWhyNames[static_cast<std::size_t>(verdict.why())])}];
      return true;
    });
  }
  return queues;
}

}  // namespace

Json contact_limits(deliver::QueueBook& book, core::Instant now_us, const std::vector<decide::ContactRule>& rules) {
  const auto looked = look(book, now_us);
  const auto guard = book.lock();
  Json told = Json::array();
  for (std::size_t queue = 0; queue < looked.size(); ++queue) {
    if (book.queue_name(queue).empty()) continue;
    const auto& counts = book.counts(queue);
    Json blocked = Json::array();
    for (const auto& [rule, count] : looked[queue].by_rule)
      blocked.push_back(
          {{"rule", rule.first}, {"source", source_of(rules, rule.first)}, {"why", rule.second}, {"offers", count}});
    const core::Instant opens_us = book.next_open_us(queue, now_us), spent_us = book.spent_until_us(queue, now_us);
    told.push_back({{"queue", book.queue_name(queue)},
                    {"ready", book.ready_count(queue)},
                    {"free", looked[queue].free},
                    {"not_looked_at", looked[queue].rest},
                    {"blocked", blocked},
                    {"parked", book.ready_count(queue) - book.free_count(queue)},
                    {"leased", counts.leased},
                    {"scheduled", counts.scheduled + counts.reserved},
                    {"dead", counts.dead},
                    {"done", counts.done},
                    {"refused", book.refused(queue)},
                    {"next_open_us", opens_us == core::kNever ? Json() : Json(opens_us)},
                    {"spent_until_us", spent_us ? Json(spent_us) : Json()}});
  }
  return told;
}

}  // namespace tellerd::app
