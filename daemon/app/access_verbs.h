// The query verbs of tellerctl user: UserAdd, UserPassword, UserRemove, UserList. The socket belongs to the daemon's
// own user, who may read everything anyway.
#pragma once
#include <string>

#include "deliver/json_rows.h"
#include "ops/access.h"

namespace tellerd::app {

// {"ok": true, …}, or ok false with code and text. A name, role or password that will not do is a core::Fault.
deliver::Json answer_access(ops::Access& access, const std::string& verb, const deliver::Json& ask);

}  // namespace tellerd::app
