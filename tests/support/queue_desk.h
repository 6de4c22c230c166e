// A queue book with the engine's part played by hand: offers opened as numbers, grants that are what may be granted.
#pragma once
#include <map>
#include <string>

#include "deliver/queue_book.h"

namespace tellerd::tests {

struct HandBook : deliver::QueueBook {
  HandBook() {
    name_queue(0, "marketing");
    for (int level = 0; level < deliver::kLevels; ++level) {
      const auto kind = static_cast<deliver::OfferKind>(level);
      contacts().know(kind, decide::Purpose::kMarketing, decide::Channel::kCall, decide::Credit::kNone, "a", "", "");
      know(kind, {0, level, {}});
    }
    set_loader([this](std::int64_t offer_id, deliver::Item& item) {
      const auto known = rows.find(offer_id);
      if (known != rows.end()) item = known->second;
      return known != rows.end();
    });
  }
  static std::int64_t id_of(std::int64_t number) { return 1'000'000 + number; }
  void offer(std::int64_t number, int level = 3) { open(number, 1, static_cast<deliver::OfferKind>(level), false); }
  void hello(const std::string& client, const std::string& session = "1") {
    apply(deliver::SessionRecord{client, session, {}});
  }
  std::string request() { return std::to_string(++requests); }
  deliver::Asker asker(const std::string& client, const std::string& session = "1") {
    return {client, session, request()};
  }

  // As the engine does it: what may be granted is. Returns how many were.
  std::size_t pull(const deliver::Asker& asker, std::vector<deliver::GrantRecord::Offer> offers) {
    const deliver::GrantRecord record{asker, 120'000, std::move(offers)};
    std::vector<deliver::Item> granted;
    for (const auto& one : record.offers) {
      if (!may_grant(record, one)) continue;
      deliver::Item item;
      item.number = one.number;
      item.offer_id = id_of(one.number);
      item.customer = one.customer;
      granted.push_back(item);
    }
    grant(record, granted);
    const auto* answer = answer_to(asker);
    return answer ? answer->granted.size() : 0;
  }
  std::int64_t pull(const std::string& client, std::int64_t number, const std::string& session = "1") {
    const auto* item = find_id(id_of(number));
    const std::int64_t epoch = (item ? item->epoch : 0) + 1;
    return pull(asker(client, session), {{number, 1, epoch}}) ? epoch : 0;
  }
  deliver::QueueCode lease(const std::string& client, deliver::LeaseVerb verb, std::int64_t number, std::int64_t epoch,
                           const std::string& session = "1") {
    deliver::LeaseRecord record;
    record.asker = asker(client, session);
    record.verb = verb;
    record.offer_id = id_of(number);
    record.epoch = epoch;
    record.reason = "because";
    record.ms = 60'000;
    return apply(record);
  }
  deliver::QueueBook::Disposed dispose(const std::string& client, std::int64_t number, std::int64_t epoch,
                                       const std::string& code, const std::string& session = "1") {
    deliver::OutcomeRecord record;
    record.asker = asker(client, session);
    record.offer_id = id_of(number);
    record.epoch = epoch;
    record.code = code;
    return apply(record);
  }
  void write() {  // as a flush does: what is over is in the rows alone
    std::vector<deliver::Item> items;
    std::vector<deliver::ClientRow> clients;
    drain(items, clients);
    for (auto& item : items) rows[item.offer_id] = item;
  }
  using deliver::QueueBook::apply;

  std::map<std::int64_t, deliver::Item> rows;
  std::int64_t requests = 0;
};

}  // namespace tellerd::tests
