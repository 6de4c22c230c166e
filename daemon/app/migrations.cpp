#include "app/migrations.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

#include "core/embedded.h"
#include "core/fault.h"

namespace tellerd::app {

namespace {

constexpr std::string_view kFolder = "schema/sql/";

// NNNN of schema/sql/NNNN_name.sql; 0 for every other file.
std::int64_t number_of(std::string_view path) {
  return path.starts_with(kFolder) ? std::atoll(std::string(path.substr(kFolder.size(), 4)).c_str()) : 0;
}

}  // namespace

std::int64_t schema_number() {
  std::int64_t newest = 0;
  for (const auto& file : core::embedded_files()) newest = std::max(newest, number_of(file.path));
  return newest;
}

void migrate(store::Database& database) {
  const std::int64_t have = database.integer("PRAGMA user_version");
  const std::int64_t newest = schema_number();
  for (const auto& file : core::embedded_files()) {
    const std::int64_t number = number_of(file.path);
    if (number == 0 || number <= have) continue;
    store::Transaction transaction(database);
    database.execute(file.bytes);
    database.execute(fmt::format("PRAGMA user_version={}", number));
    transaction.commit();
  }
  if (have > newest)
    throw core::Fault(
        core::Exit::kConfig,
        fmt::format("{} was written by a newer tellerd (schema {}, this one knows {}): install that version",
                    database.file().string(), have, newest));
}

}  // namespace tellerd::app
