#include "app/rows_by_customer.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace tellerd::app {

void RowsByCustomer::read_on(Readers::Turn& turn) {
  if (file_ != turn.file()) {
    file_ = turn.file();
    last_ = 0;
    of_.clear();
  }
  store::Statement rows(*turn, fmt::format("SELECT {0},customer FROM {1} WHERE {0}>?1 ORDER BY {0}", number_, table_));
  rows.bind(1, last_);
  while (rows.step()) {
    last_ = rows.integer(0);
    of_[static_cast<std::uint32_t>(rows.integer(1))].push_back(last_);
  }
}

std::string RowsByCustomer::numbers_of(Readers::Turn& turn, const std::vector<std::int64_t>& ids,
                                       std::size_t count_max) {
  const std::lock_guard held(mutex_);
  read_on(turn);
  std::vector<std::int64_t> found;
  for (const std::int64_t id : ids)
    if (const auto of = of_.find(static_cast<std::uint32_t>(id)); of != of_.end())
      found.insert(found.end(), of->second.begin(), of->second.end());
  std::sort(found.begin(), found.end(), std::greater<>());
  if (found.size() > count_max) found.resize(count_max);
  return fmt::format("[{}]", fmt::join(found, ","));
}

}  // namespace tellerd::app
