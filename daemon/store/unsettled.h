// Keys of rows that have changed since the commit before the last, and what has become of them: a reader beside a
// connection that is lent may not see them as they are. Threads: the owner's of the connection.
#pragma once
#include <cstddef>
#include <unordered_map>
#include <utility>
#include <variant>

namespace tellerd::store {

template <class Key, class Value = std::monostate>
class Unsettled {
 public:
  // After so many between two commits, as a first load has, none is known to be settled, and the rest is not held.
  static constexpr std::size_t kHeldMax = 65'536;

  void put(Key key, Value value = {}) {
    if (changed_.values.size() < kHeldMax)
      changed_.values.insert_or_assign(key, std::move(value));
    else
      changed_.may_be_any = true;
  }
  // The newest, where it is held.
  const Value* find(Key key) const {
    if (changed_.may_be_any) return nullptr;
    if (const auto known = changed_.values.find(key); known != changed_.values.end()) return &known->second;
    if (changing_.may_be_any) return nullptr;
    const auto known = changing_.values.find(key);
    return known == changing_.values.end() ? nullptr : &known->second;
  }
  bool has(Key key) const { return changed_.may_be_any || changing_.may_be_any || find(key) != nullptr; }
  void commit_begins() { changing_ = std::exchange(changed_, {}); }

 private:
  struct Since {
    std::unordered_map<Key, Value> values;
    bool may_be_any = false;
  };
  Since changed_, changing_;  // since the last commit began; in that commit
};

}  // namespace tellerd::store
