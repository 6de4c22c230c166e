// Writes that may wait: their statements and copies of their values, done in the order they came before anything else
// is done on their connection. Threads: the owner's of the connection.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tellerd::store {

class Statement;

struct Blob {
  std::string_view bytes;
};

class WriteQueue {
 public:
  bool is_empty() const noexcept { return writes_.empty(); }
  std::size_t count() const noexcept { return writes_.size(); }
  void begin(Statement& statement);  // its values follow, in the order of its parameters
  void put(std::int64_t value) { values_.push_back({Type::kInteger, value, 0}); }
  void put(std::string_view text) { put(Type::kText, text); }
  void put(Blob blob) { put(Type::kBlob, blob.bytes); }
  void put(std::nullopt_t) { values_.push_back({}); }
  void run();
  void forget() noexcept { *this = {}; }

 private:
  enum class Type : std::uint8_t { kNull, kInteger, kText, kBlob };
  struct Value {
    Type type = Type::kNull;
    std::int64_t integer = 0;  // of a text or blob: where it begins
    std::size_t bytes = 0;
  };
  struct Write {
    Statement* statement;
    std::size_t first_value;
  };
  void put(Type type, std::string_view bytes);
  std::vector<Write> writes_;
  std::vector<Value> values_;
  std::string bytes_;
};

}  // namespace tellerd::store
