#include "tellerctl/client/activate_pack.h"

#include <fmt/core.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "core/fault.h"

namespace tellerd::tellerctl {
namespace {

using nlohmann::json;
constexpr auto kPause = std::chrono::milliseconds(50);

}  // namespace

std::int64_t activate_pack(QueryClient& client, const decide::PackFiles& files,
                           const std::function<void(int percent)>& show) {
  const json told = client.ask_ok("ActivatePack", {{"files", files}});
  const std::int64_t since = told.at("commit_seq");
  client.wait_readable(told.at("commit_seq"));
  while (true) {
    const json packs = client.ask_ok("Policy", json::object());
    const json &active = packs.at("active"), &coming = packs.at("coming");
    if (active.at("seq") > since && active.at("hash") == told.at("hash")) return active.at("seq");
    if (coming.is_null() || coming.at("seq") != since)
      throw core::Fault(
          core::Exit::kFailed,
          fmt::format("another pack has been activated before {} could decide: {}", told.at("name").get<std::string>(),
                      (coming.is_null() ? active : coming).at("name").get<std::string>()));
    if (show) show(coming.at("percent"));
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace tellerd::tellerctl
