#include "store/write_queue.h"

#include "core/assert.h"
#include "store/database.h"

namespace tellerd::store {
namespace {

constexpr std::size_t kValuesKept = 32'768;  // more than a flush of ordinary load has

}  // namespace

void WriteQueue::begin(Statement& statement) { writes_.push_back({&statement, values_.size()}); }

void WriteQueue::put(Type type, std::string_view bytes) {
  values_.push_back({type, static_cast<std::int64_t>(bytes_.size()), bytes.size()});
  bytes_.append(bytes);
}

// What is taken out is not done a second time, should one of them fail: the transaction fails with it.
void WriteQueue::run() {
  WriteQueue taken;
  std::swap(taken, *this);
  for (std::size_t at = 0; at < taken.writes_.size(); ++at) {
    Statement& statement = *taken.writes_[at].statement;
    const std::size_t end = at + 1 < taken.writes_.size() ? taken.writes_[at + 1].first_value : taken.values_.size();
    int parameter = 0;
    for (std::size_t value = taken.writes_[at].first_value; value < end; ++value) {
      const auto& [type, integer, size] = taken.values_[value];
      const auto bytes = [&taken, from = integer, count = size] {
        return std::string_view(taken.bytes_).substr(static_cast<std::size_t>(from), count);
      };
      ++parameter;
      if (type == Type::kInteger)
        statement.bind(parameter, integer);
      else if (type == Type::kText)
        statement.bind(parameter, bytes());
      else if (type == Type::kBlob)
        statement.bind_blob(parameter, bytes());
      else
        statement.bind_null(parameter);
    }
    TELLERD_ASSERT(!statement.step());  // it has no rows
  }
  taken.writes_.clear();
  taken.values_.clear();
  taken.bytes_.clear();
  if (is_empty() && taken.values_.capacity() <= kValuesKept) std::swap(taken, *this);  // their memory is used again
}

}  // namespace tellerd::store
