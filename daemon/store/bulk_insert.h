// Many rows in one statement: INSERT … SELECT from an in-process table whose rows the caller fills one by one. Against
// a statement a row it spares binding, the machine's start and end, and the way from the root to the place of each row.
// Rows go in in the caller's order: fastest when that is the order of the table's key. Texts and blobs must live until
// the next fill; nothing is copied. Threads: those of its Database. Errors: core::Fault, and none of the rows are in;
// after a failed INSERT, nor is anything else of the transaction.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "store/database.h"

namespace tellerd::store {

class BulkRow {
 public:
  static constexpr int kColumnsMax = 64;
  void add(std::int64_t value) { values_[static_cast<std::size_t>(count_++)] = {Type::kInteger, value, {}}; }
  void add(std::string_view text) { values_[static_cast<std::size_t>(count_++)] = {Type::kText, 0, text}; }
  void add_blob(std::string_view bytes) { values_[static_cast<std::size_t>(count_++)] = {Type::kBlob, 0, bytes}; }
  void add_null() { values_[static_cast<std::size_t>(count_++)] = {}; }
  template <class... Values>
  void add_all(const Values&... values) {
    (add(values), ...);
  }

 private:
  friend struct BulkTable;
  enum class Type : std::uint8_t { kNull, kInteger, kText, kBlob };
  struct Value {
    Type type = Type::kNull;
    std::int64_t integer = 0;
    std::string_view bytes;
  };
  std::array<Value, kColumnsMax> values_;
  int count_ = 0;
};

class BulkInsert {
 public:
  // `into` is "INSERT INTO t" or "REPLACE INTO t"; `columns` are the names, parted by commas.
  BulkInsert(Database& database, std::string_view into, std::string_view columns);
  // Asks fill(row, BulkRow&) for rows 0 … rows - 1; each fills all columns in their order.
  template <class Fill>
  void run(std::size_t rows, Fill&& fill) {
    run(
        rows,
        [](void* context, std::size_t row, BulkRow& values) {
          (*static_cast<std::remove_reference_t<Fill>*>(context))(row, values);
        },
        &fill);
  }

 private:
  using FillRow = void (*)(void* context, std::size_t row, BulkRow& values);
  void run(std::size_t rows, FillRow fill, void* context);
  Database& database_;
  int columns_;
  Statement insert_;
};

// Rows whose key follows from their order: 1 more each. SQLite then finds the key itself, without looking whether it is
// taken already: a fifth less a row.
class BulkAppend {
 public:
  // `key` is the INTEGER PRIMARY KEY of the table, `columns` all others.
  BulkAppend(Database& database, std::string_view table, std::string_view key, std::string_view columns);
  // fill(row, BulkRow&) gives all columns but the key; the keys are first, first + 1, …, greater than all in the table.
  template <class Fill>
  void run(std::int64_t first, std::size_t rows, Fill&& fill) {
    if (rows == 0) return;
    first_.run(1, [&](std::size_t at, BulkRow& row) {  // says where they begin
      row.add(first);
      fill(at, row);
    });
    rest_.run(rows - 1, [&](std::size_t at, BulkRow& row) { fill(at + 1, row); });
    check(first + static_cast<std::int64_t>(rows) - 1);
  }

 private:
  void check(std::int64_t last) const;  // that the last row has this key
  Database& database_;
  BulkInsert first_, rest_;
};

}  // namespace tellerd::store
