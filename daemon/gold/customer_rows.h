// Customers in teller.db: written when they have changed, read whole at start. Threads: whoever has the connection.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "gold/customers.h"
#include "silver/row.h"
#include "store/bulk_insert.h"

namespace tellerd::gold {

class CustomerRows {
 public:
  explicit CustomerRows(store::Database& database);
  // `priority_category` of what a customer has spent; empty: none.
  void write(std::span<const CustomerCopy> customers,
             const std::function<std::string_view(SpendView)>& priority_category);
  static void read_all(store::Database& database, const std::function<void(CustomerId, Customer&&)>& take);
  // Of a row's column `state`: the customer's newest dated fact, 0 without one.
  static silver::FactRef chain_of(std::string_view state);

 private:
  store::BulkInsert write_;
};

}  // namespace tellerd::gold
