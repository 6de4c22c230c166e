// Customers in teller.db: written when they have changed, read whole at start. Threads: the engine's, but for
// write_taken().
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
  // Copies them as they are, for write_taken(). `ids` in order; find(place in ids) is asked once for each, in order.
  void take(std::span<const silver::CustomerId> ids, const std::function<Shown(std::size_t)>& find);
  void write_taken();  // and forgets them; also while the connection is lent, from the thread that has it
  static void read_all(store::Database& database, const std::function<void(silver::CustomerId, Customer&&)>& take);
  // Of a row's column `state`: the customer's newest dated fact, 0 without one.
  static silver::FactRef chain_of(std::string_view state);

  void give_back();  // the room for megabytes, which the next flush would take again; when nothing is taken

 private:
  store::BulkInsert write_;
  struct Taken {
    silver::CustomerId id;
    CustomerState state;
    std::size_t category_at, spend_at;  // in bytes_
  };
  std::vector<Taken> taken_;
  std::string bytes_, packed_;
};

}  // namespace tellerd::gold
