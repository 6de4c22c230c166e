// Keys of rows that have changed since the commit before the last, and what has become of them: a reader beside a
// connection that is lent may not see them as they are. Threads: the owner's of the connection.
#pragma once
#include <unordered_map>
#include <utility>
#include <variant>

namespace tellerd::store {

template <class Key, class Value = std::monostate>
class Unsettled {
 public:
  void put(Key key, Value value = {}) { changed_.insert_or_assign(key, std::move(value)); }
  const Value* find(Key key) const {  // the newest; nullptr: it is settled
    for (const auto* values : {&changed_, &changing_})
      if (const auto known = values->find(key); known != values->end()) return &known->second;
    return nullptr;
  }
  bool has(Key key) const { return find(key) != nullptr; }
  void commit_begins() {
    changing_.swap(changed_);
    changed_.clear();
  }

 private:
  std::unordered_map<Key, Value> changed_, changing_;  // since the last commit began; in that commit
};

}  // namespace tellerd::store
