// Customers in teller.db: written when they have changed, read whole at start. Threads: the engine's.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "gold/customer.h"
#include "silver/row.h"
#include "store/bulk_insert.h"

namespace tellerd::gold {

class CustomerRows {
 public:
  explicit CustomerRows(store::Database& database);
  struct Shown {
    const Customer& customer;
    std::string_view priority_category;  // empty: none
  };
  // `ids` in order; find(place in ids) is asked once for each, in order.
  void write(std::span<const silver::CustomerId> ids, const std::function<Shown(std::size_t)>& find);
  static void read_all(store::Database& database, const std::function<void(silver::CustomerId, Customer&&)>& take);
  // Of a row's column `state`: the customer's newest dated fact, 0 without one.
  static silver::FactRef chain_of(std::string_view state);

 private:
  store::BulkInsert write_;
  std::string state_;
};

}  // namespace tellerd::gold
