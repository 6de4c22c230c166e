#include "deliver/queue_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tellerd::deliver {
namespace {

using nlohmann::json;

#define ITEM_COLUMNS \
  "number,offer_id,customer,state,epoch,faults,client,wait_ms,at_us,code,reason,is_mine,is_unacked,granted_us"

Item item_of(const store::Statement& row) {
  Item item;
  item.number = row.integer(0);
  item.offer_id = row.integer(1);
  item.customer = static_cast<std::uint32_t>(row.integer(2));
  item.state = static_cast<ItemState>(row.integer(3));
  item.epoch = row.integer(4);
  item.faults = static_cast<int>(row.integer(5));
  item.client = static_cast<std::int32_t>(row.integer(6));
  item.wait_ms = row.integer(7);
  item.at_us = row.integer(8);
  item.code = row.text(9);
  item.reason = row.text(10);
  item.is_mine = row.integer(11) != 0;
  item.is_unacked = row.integer(12) != 0;
  item.granted_us = row.integer(13);
  return item;
}

void read_answers(std::string_view text, Client& client) {
  const json answers = json::parse(text);
  std::int64_t at = client.answered - static_cast<std::int64_t>(answers.size());
  client.answers.resize(answers.size());
  for (const auto& from : answers) {
    Answer& answer = client.answers[static_cast<std::size_t>(at++) % kAnswersKept];
    answer.request = from.at(0);
    answer.code = static_cast<QueueCode>(from.at(1).get<int>());
    for (const auto& one : from.at(2)) answer.granted.push_back({one.at(0), one.at(1), one.at(2)});
    answer.row = row_of(answer);
  }
}

}  // namespace

std::string row_of(const Answer& answer) {
  std::string row = fmt::format("[{},{},[", json(answer.request).dump(-1, ' ', false, json::error_handler_t::replace),
                                static_cast<int>(answer.code));
  for (const auto& one : answer.granted)
    row += fmt::format("{}[{},{},{}]", row.back() == '[' ? "" : ",", one.number, one.offer_id, one.epoch);
  return row + "]]";
}

QueueRows::QueueRows(store::Database& database)
    : find_(database, "SELECT " ITEM_COLUMNS " FROM queue_item WHERE offer_id=?"),
      put_item_(database, "REPLACE INTO queue_item(" ITEM_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
      put_client_(
          database,
          "REPLACE INTO queue_client(number,name,session,skills,fenced,answered,answers) VALUES(?,?,?,?,?,?,?)"),
      live_(database,
            "SELECT " ITEM_COLUMNS " FROM queue_item WHERE state NOT IN (3,6) OR is_unacked=1 ORDER BY number"),
      done_(database,
            "SELECT q.number FROM queue_item q JOIN offer o ON o.number=q.number WHERE q.state=3 AND o.state='READY'"),
      put_day_(database, "REPLACE INTO queue_day(queue,day,taken,refused) VALUES(?,?,?,?)"),
      days_(database, "SELECT queue,day,taken,refused FROM queue_day ORDER BY queue"),
      clients_(database, "SELECT name,session,skills,fenced,answered,answers FROM queue_client ORDER BY number") {}

void QueueRows::read(QueueBook& book, std::int64_t first_offer) {
  while (clients_.step()) {
    Client client;
    client.name = clients_.text(0);
    client.session = clients_.text(1);
    client.skills = json::parse(clients_.text(2)).get<std::vector<std::string>>();
    client.fenced = json::parse(clients_.text(3)).get<std::vector<std::string>>();
    client.answered = clients_.integer(4);
    read_answers(clients_.text(5), client);
    book.restore(std::move(client));
  }
  while (live_.step())
    if (Item item = item_of(live_); item.number >= first_offer) book.restore(std::move(item));
  while (done_.step()) book.restore_done(done_.integer(0));
  while (days_.step())
    book.restore(static_cast<std::size_t>(days_.integer(0)),
                 QueueDay{static_cast<core::Day>(days_.integer(1)), days_.integer(2), days_.integer(3), false});
}

bool QueueRows::find(std::int64_t offer_id, Item& item) {
  store::Statement& find = find_.fresh(!unsettled_.has(offer_id));
  const bool is_there = find.bind(1, offer_id).step();
  if (is_there) item = item_of(find);
  find_.reset();
  return is_there;
}

void QueueRows::take(QueueBook& book) {
  const auto guard = book.lock();  // and written without it: nobody waits for the rows
  book.drain(items_, clients_taken_);
  book.drain(days_taken_);
  for (const Item& item : items_) unsettled_.put(item.offer_id);
}

void QueueRows::write_taken() {
  for (const auto& [queue, day] : days_taken_)
    put_day_.bind_all(static_cast<std::int64_t>(queue), std::int64_t{day.day}, day.taken, day.refused).run();
  for (const Item& item : items_)
    put_item_
        .bind_all(item.number, item.offer_id, std::int64_t{item.customer}, static_cast<std::int64_t>(item.state),
                  item.epoch, std::int64_t{item.faults}, std::int64_t{item.client}, item.wait_ms, item.at_us,
                  std::string_view(item.code), std::string_view(item.reason), std::int64_t{item.is_mine},
                  std::int64_t{item.is_unacked}, item.granted_us)
        .run();
  for (const ClientRow& client : clients_taken_) {
    const std::string skills = json(client.skills).dump(), fenced = json(client.fenced).dump();
    put_client_
        .bind_all(std::int64_t{client.number}, std::string_view(client.name), std::string_view(client.session),
                  std::string_view(skills), std::string_view(fenced), client.answered, std::string_view(client.answers))
        .run();
  }
  items_.clear();
  clients_taken_.clear();
  days_taken_.clear();
}

}  // namespace tellerd::deliver
