// What every command knows: where the data is, and from that where the daemon listens.
#pragma once
#include <filesystem>
#include <string>

namespace tellerd::tellerctl {

struct Context {
  std::filesystem::path data = "/var/lib/tellerd";

  std::string endpoint(const char* name) const { return "ipc://" + (data / "run" / name).string() + ".sock"; }
  std::string where() const { return "tellerd on " + data.string(); }
};

}  // namespace tellerd::tellerctl
