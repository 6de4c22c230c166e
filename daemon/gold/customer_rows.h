// Customers in teller.db: written when they have changed, read whole at start. Threads: the engine's.
#pragma once
#include <functional>

#include "gold/customer.h"
#include "silver/rows.h"
#include "store/database.h"

namespace tellerd::gold {

class CustomerRows {
 public:
  explicit CustomerRows(store::Database& database);
  void write(silver::CustomerId id, const Customer& customer, std::string_view priority_category);
  static void read_all(store::Database& database, const std::function<void(silver::CustomerId, Customer&&)>& take);

 private:
  store::Statement write_;
};

}  // namespace tellerd::gold
