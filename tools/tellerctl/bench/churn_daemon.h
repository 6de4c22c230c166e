// What the churn measurements ask of a tellerd: train, score by this model from now on, decide by these rules. Each
// returns when the marts know it. Errors: core::Fault(kFailed) with the daemon's own words.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "decide/pack_files.h"
#include "tellerctl/bench/benches.h"
#include "tellerctl/bench/servers.h"

namespace tellerd::tellerctl::bench {

nlohmann::json train_on(Daemon& daemon);                                 // the trainer's state
std::string activate_sealed(Daemon& daemon, const std::string& sealed);  // its id
void activate_id(Daemon& daemon, const std::string& id);                 // or "none"
void activate_pack(Daemon& daemon, const decide::PackFiles& files);

void add_churn_cost(const Options& options, Section& section);  // churn_cost.cpp

}  // namespace tellerd::tellerctl::bench
