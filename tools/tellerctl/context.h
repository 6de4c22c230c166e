// What every command knows: where the data is, and from that where the daemon listens.
#pragma once
#include <filesystem>
#include <string>

#include "core/fault.h"
#include "store/database.h"

namespace tellerd::tellerctl {

struct Context {
  std::filesystem::path data = "/var/lib/tellerd";

  std::string endpoint(const char* name) const { return "ipc://" + (data / "run" / name).string() + ".sock"; }
  // Read-only; says what to do where there is no store.
  store::Database open_store() const {
    const auto file = data / "teller.db";
    if (!std::filesystem::exists(file))
      throw core::Fault(core::Exit::kFailed,
                        "there is no " + file.string() + ": name the data directory of a tellerd with --data");
    return store::Database::open_reader(file);
  }
  std::string where() const { return "tellerd on " + data.string(); }
};

}  // namespace tellerd::tellerctl
