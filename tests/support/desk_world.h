// Desks at work in a random branch: after any record of a log somebody may say hello, take offers, give them back, tell
// outcomes, or come too late with any of it; leases and delays end. Made by looking at what an engine fed with the log
// so far holds, so that most of it fits, and some of it does not.
#pragma once
#include <cstdint>
#include <memory>

#include "support/log_maker.h"

namespace tellerd::tests {

std::unique_ptr<LogMaker> with_desks(const LogMaker& log, std::uint64_t seed);

}  // namespace tellerd::tests
