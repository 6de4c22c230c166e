// A mart handed over into a table of an external PostgreSQL: made where it is missing, brought to what the mart holds
// in one transaction. With a key column rows are upserted and rows that are no longer in the export go; without one the
// table's rows are replaced. Errors: core::Fault(kFailed) with the server's own sentence; then nothing has changed
// there.
#pragma once
#include <string>

#include "store/database.h"
#include "tellerctl/marts/export.h"

namespace tellerd::tellerctl {

struct SinkTable {
  std::string name, key;  // key "": no column is one
};

// Rows written. `where` is postgresql://user@host:port/database.
std::int64_t export_to_postgres(store::Database& database, const std::string& sql, const std::string& where,
                                const SinkTable& table, const Rewording* rewording = nullptr);

}  // namespace tellerd::tellerctl
