// The exact table of addresses: from a request that passed the gate to its answer. No sockets here.
#pragma once
#include <string_view>

#include "ops/answer.h"
#include "ops/gate.h"
#include "ops/server.h"

namespace tellerd::ops {

inline constexpr std::string_view kLivePath = "/api/v1/live";

// Any address but the live stream, which holds its connection and is served by the server itself.
// A source that throws is let through to the caller.
Answer answer_of(const Request& request, const Sources& sources);

// A method other than GET or HEAD, or a parameter where none is known.
std::optional<Answer> misuse(const Request& request, bool takes_parameters);

}  // namespace tellerd::ops
