#include "app/access_verbs.h"

#include "core/fault.h"

namespace tellerd::app {

using deliver::Json;

Json answer_access(ops::Access& access, const std::string& verb, const Json& ask) {
  const std::string name = ask.value("user", ""), hash = ask.value("hash", "");
  Json answer{{"ok", true}};
  if (verb == "UserAdd") {
    const auto role = ops::role_of(ask.value("role", ""));
    if (!role)
      throw core::Fault(core::Exit::kFailed, "A role is one of operator, analyst, desk, merchant_manager, auditor.");
    access.add_user(name, *role, hash);
  } else if (verb == "UserPassword") {
    access.set_hash(name, hash);
  } else if (verb == "UserRemove") {
    access.remove_user(name);
  } else if (verb == "UserList") {
    answer["users"] = Json::array();
    for (const auto& user : access.users())
      answer["users"].push_back({{"user", user.name}, {"role", ops::name_of(user.role)}, {"added_us", user.added_us}});
  } else {
    return {{"ok", false}, {"code", "UNKNOWN_VERB"}, {"text", verb + " is not a verb of this endpoint"}};
  }
  return answer;
}

}  // namespace tellerd::app
