// Questions of the query socket that read one customer. Each is a row of the audit log, on disk before it is answered:
// one that cannot be written down is not answered. Errors: store faults. Threads: the delivery thread's.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "app/readers.h"
#include "app/rows_by_customer.h"
#include "deliver/json_rows.h"
#include "ops/resource.h"

namespace tellerd::app {

class CustomerQuestions {
 public:
  using Record = std::function<void(std::string_view who, const ops::Reading& reading, std::string_view result)>;
  CustomerQuestions(Readers& readers, RowsByCustomer& tiers, Record record)
      : readers_(readers), tiers_(tiers), record_(std::move(record)) {}

  static bool knows(std::string_view verb) { return verb == "Customer" || verb == "Explain" || verb == "WhyNot"; }
  deliver::Json answer(std::string_view who, std::string_view verb, const deliver::Json& ask);

 private:
  deliver::Json answer_now(Readers::Turn& turn, std::string_view verb, const deliver::Json& ask);

  Readers& readers_;
  RowsByCustomer& tiers_;
  Record record_;
};

// Who asks, as far as the socket knows: the user that its kernel or its key names.
std::string asker_of(const char* user_id, const char* peer_address);

}  // namespace tellerd::app
