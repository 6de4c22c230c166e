// Which rows of a table are about a customer, for tables that only grow and have no index by customer: one is kept in
// memory beside the store, and reads on from the last row it has seen. So the writer pays nothing for questions, and
// the first question reads the table once. Threads: any.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/readers.h"

namespace tellerd::app {

class RowsByCustomer {
 public:
  // `number`: the table's integer primary key, which grows.
  RowsByCustomer(std::string table, std::string number) : table_(std::move(table)), number_(std::move(number)) {}
  // Numbers of the rows about any of these ids, newest first, at most `count_max`, as a JSON list.
  std::string numbers_of(Readers::Turn& turn, const std::vector<std::int64_t>& ids, std::size_t count_max);

 private:
  void read_on(Readers::Turn& turn);

  const std::string table_, number_;
  std::mutex mutex_;
  ino_t file_ = 0;  // of which store; a new one is read anew
  std::int64_t last_ = 0;
  std::unordered_map<std::uint32_t, std::vector<std::int64_t>> of_;
};

// The histories that grow with every move: one of each for all who ask.
struct HistoriesByCustomer {
  RowsByCustomer tiers{"segment_history", "number"}, churn{"churn_history", "number"};
};

}  // namespace tellerd::app
