#include "tellerctl/bench/churn_daemon.h"

#include <thread>

#include "core/fault.h"
#include "tellerctl/client/activate_pack.h"
#include "tellerctl/client/query_client.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr Milliseconds kPatience{30'000}, kPause{50};

QueryClient client_of(Daemon& daemon) {
  return QueryClient(daemon.endpoint("query"), kPatience, "the tellerd of this benchmark");
}

std::string activate(Daemon& daemon, const nlohmann::json& wanted) {
  QueryClient client = client_of(daemon);
  const auto answer = client.ask_ok("ActivateModel", wanted);
  client.wait_readable(answer.at("commit_seq").get<std::uint64_t>());
  return answer.at("model");
}

}  // namespace

nlohmann::json train_on(Daemon& daemon) {
  QueryClient client = client_of(daemon);
  client.ask_ok("Train", nlohmann::json::object());
  nlohmann::json state;
  do {
    std::this_thread::sleep_for(kPause);
    state = client.ask_ok("Training", nlohmann::json::object());
  } while (state.at("stage") == "running" || (state.at("stage") == "trained" && state.at("commit_seq") == 0));
  if (state.at("stage") != "trained") throw core::Fault(core::Exit::kFailed, state.at("text").get<std::string>());
  client.wait_readable(state.at("commit_seq").get<std::uint64_t>());
  return state;
}

std::string activate_sealed(Daemon& daemon, const std::string& sealed) {
  return activate(daemon, {{"sealed", sealed}});
}

void activate_id(Daemon& daemon, const std::string& id) { activate(daemon, {{"model", id}}); }

void activate_pack(Daemon& daemon, const decide::PackFiles& files) {
  QueryClient client = client_of(daemon);
  tellerctl::activate_pack(client, files, {});
}

}  // namespace tellerd::tellerctl::bench
