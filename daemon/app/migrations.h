// Brings a teller.db to this program's schema, one transaction a step (schema/sql/NNNN_*.sql, embedded).
#pragma once
#include <cstdint>

#include "store/database.h"

namespace tellerd::app {
// Throws core::Fault kConfig when the file was written by a newer program.
void migrate(store::Database& database);
std::int64_t schema_number();  // of the newest step this program knows
}  // namespace tellerd::app
