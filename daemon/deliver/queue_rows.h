// The queues' state in teller.db: read at start, written where it has changed. Threads: the engine's.
#pragma once
#include "deliver/queue_book.h"
#include "store/database.h"

namespace tellerd::deliver {

class QueueRows {
 public:
  explicit QueueRows(store::Database& database);
  void read(QueueBook& book);  // clients and items, once the offers that stand are open in the book
  bool find(std::int64_t offer_id, Item& item);
  void write(QueueBook& book);  // what has changed

 private:
  store::Statement put_item_, put_client_, find_, live_, done_, put_day_, days_, clients_;
};

}  // namespace tellerd::deliver
