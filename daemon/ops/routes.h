// The exact table of addresses: from a request that passed the gate to its answer. No sockets here.
#pragma once
#include <string_view>

#include "ops/answer.h"
#include "ops/gate.h"
#include "ops/server.h"

namespace tellerd::ops {

inline constexpr std::string_view kLivePath = "/api/v1/live";

// The resource at this address for this method, or null.
const Resource* resource_for(const Request& request, const Sources& sources);

// Any address but the live stream, which holds its connection and is served by the server itself.
// body: of a POST to a resource. A source that throws is let through to the caller.
Answer answer_of(const Request& request, std::string_view body, const Sources& sources);

// A method other than GET or HEAD, or a parameter where none is known.
std::optional<Answer> misuse(const Request& request, bool takes_parameters);

}  // namespace tellerd::ops
