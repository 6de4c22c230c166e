// A line of the outbox as the JSON that subscribers get: made from the rows it points at, now or at a replay.
// Threads: one (it owns prepared statements of its database).
#pragma once
#include <string>

#include "deliver/outbox.h"
#include "store/database.h"

namespace tellerd::deliver {

class Words {
 public:
  explicit Words(store::Database& database);
  std::string say(const Line& line, const std::string& topic);

 private:
  store::Statement offer_, segment_, churn_, overdue_;
};

}  // namespace tellerd::deliver
