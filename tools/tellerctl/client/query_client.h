// Questions to the daemon as JSON, asked again until answered: {"id", "verb", …} → {"id", "ok", …}. Questions are
// idempotent, so a repeat after a lost answer is harmless.
// Errors: core::Fault(kFailed) when nobody answers within the patience. Threads: one.
#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "tellerctl/client/connection.h"

namespace tellerd::tellerctl {

class QueryClient {
 public:
  QueryClient(const std::string& endpoint, Milliseconds patience, std::string where);

  // The answer whether ok or not; `within` is how long the daemon may take with a question it has received.
  nlohmann::json ask(std::string_view verb, const nlohmann::json& arguments, Milliseconds within = Milliseconds(2000));
  // The answer when ok, else a Fault with the daemon's own sentence.
  nlohmann::json ask_ok(std::string_view verb, const nlohmann::json& arguments);
  // Returns when what is known up to `commit_seq` can be read in the marts; as long as the daemon lives.
  void wait_readable(std::uint64_t commit_seq) { wait_for(commit_seq, "readable"); }
  // The same for a stage of Wait (schema/README.md).
  void wait_for(std::uint64_t commit_seq, std::string_view stage);

 private:
  Connection connection_;
  Milliseconds patience_;
  std::string where_;
  std::int64_t last_id_ = 0;
};

}  // namespace tellerd::tellerctl
