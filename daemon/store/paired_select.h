// A SELECT that does not wait for a connection that is lent, where what it asks for is known to be committed and
// unchanged since: then a reader beside it answers. Threads: the owner's of the connection.
#pragma once
#include <optional>
#include <string>

#include "store/database.h"

namespace tellerd::store {

class PairedSelect {
 public:
  PairedSelect(Database& database, std::string sql);
  // The one to ask, reset. What is committed and unchanged is read as it stands; so is what the caller brings up to
  // date himself, with what he knows of the writes that wait.
  Statement& fresh(bool is_committed, bool knows_what_waits = false);
  void reset() noexcept;  // ends what is open: a reader that is left open holds the WAL

 private:
  Database& database_;
  std::string sql_;
  Statement own_;
  std::optional<Statement> aside_;
  bool is_own_used_ = false;
};

}  // namespace tellerd::store
