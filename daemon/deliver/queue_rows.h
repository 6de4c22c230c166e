// The queues' state in teller.db: read at start, written where it has changed. Threads: the engine's, but for
// write_taken().
#pragma once
#include "deliver/queue_book.h"
#include "store/database.h"
#include "store/paired_select.h"
#include "store/unsettled.h"

namespace tellerd::deliver {

class QueueRows {
 public:
  explicit QueueRows(store::Database& database);
  // Clients and items, once the offers that stand are open in the book; none of an offer before the first.
  void read(QueueBook& book, std::int64_t first_offer);
  bool find(std::int64_t offer_id, Item& item);         // among what was taken
  void commit_begins() { unsettled_.commit_begins(); }  // of what was taken
  void take(QueueBook& book);                           // what has changed, for write_taken()
  void write_taken();  // and forgets it; also while the connection is lent, from the thread that has it

 private:
  std::vector<Item> items_;
  std::vector<ClientRow> clients_taken_;
  std::vector<std::pair<std::size_t, QueueDay>> days_taken_;
  store::Unsettled<std::int64_t> unsettled_;  // ids of offers
  store::PairedSelect find_;
  store::Statement put_item_, put_client_, live_, done_, put_day_, days_, clients_;
};

}  // namespace tellerd::deliver
