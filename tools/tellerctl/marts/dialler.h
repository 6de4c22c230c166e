// What a dialler that works from a file may be given. It asks nobody before it calls, so an offer that the contact
// policy forbids now is not for it; only the hour is left to the dialler, which has hours of its own. Errors:
// core::Fault. Threads: the caller's.
#pragma once
#include <string>
#include <unordered_set>

#include "store/database.h"

namespace tellerd::tellerctl {

// Ids (sixteen digits) of offers that stand and are forbidden, as of the store's own time.
std::unordered_set<std::string> not_for_the_dialler(store::Database& database);

}  // namespace tellerd::tellerctl
