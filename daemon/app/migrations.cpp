#include "app/migrations.h"

#include <fmt/core.h>

#include <cstdlib>

#include "core/embedded.h"
#include "core/fault.h"

namespace tellerd::app {

void migrate(store::Database& database) {
  constexpr std::string_view kFolder = "schema/sql/";
  const std::int64_t have = database.integer("PRAGMA user_version");
  std::int64_t newest = 0;
  for (const auto& file : core::embedded_files()) {
    if (!file.path.starts_with(kFolder)) continue;
    const std::int64_t number = std::atoll(std::string(file.path.substr(kFolder.size(), 4)).c_str());
    if (number == 0) continue;
    newest = number;
    if (number <= have) continue;
    store::Transaction transaction(database);
    database.execute(file.bytes);
    database.execute(fmt::format("PRAGMA user_version={}", number));
    transaction.commit();
  }
  if (have > newest)
    throw core::Fault(core::Exit::kConfig, fmt::format("{} was written by a newer tellerd (schema {}, this one knows {}): install that version", database.file().string(), have, newest));
}

}  // namespace tellerd::app
