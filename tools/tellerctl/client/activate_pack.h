// Has the daemon decide by a pack, and waits until it does and the marts show it: what dated facts give is derived
// under it first, while the pack before it goes on deciding. Errors: core::Fault(kFailed) with the daemon's own words,
// or when another pack has come before it.
#pragma once
#include <cstdint>
#include <functional>

#include "decide/pack_files.h"
#include "tellerctl/client/query_client.h"

namespace tellerd::tellerctl {

// The record from which it decides. `show` is told now and then how far it is.
std::int64_t activate_pack(QueryClient& client, const decide::PackFiles& files,
                           const std::function<void(int percent)>& show);

}  // namespace tellerd::tellerctl
