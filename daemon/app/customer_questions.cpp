#include "app/customer_questions.h"

#include "app/choice_answer.h"
#include "app/customer_answer.h"

namespace tellerd::app {
namespace {

using deliver::Json;

std::string_view action_of(std::string_view verb) {
  return verb == "Customer" ? "look up" : verb == "Explain" ? "explain" : "why not";
}

// The customer an answer is about, by internal number; "" when it is about nobody.
std::string subject_of(store::Database& reader, const Json& answer) {
  const Json* key = answer.contains("customer")       ? &answer["customer"]["key"]
                    : answer.contains("customer_key") ? &answer["customer_key"]
                                                      : nullptr;
  std::int64_t leader = 0;
  if (!key || !find_customer(reader, key->get<std::string>(), leader).is_null()) return {};
  return std::to_string(leader);
}

}  // namespace

Json CustomerQuestions::answer_now(Readers::Turn& turn, std::string_view verb, const Json& ask) {
  const std::string key = ask.value("key", ""), action = ask.value("action", "");
  const auto decision = ask.value("decision", std::int64_t{0});
  if (verb == "Customer") return customer_answer(turn, tiers_, key);
  if (verb == "Explain")
    return decision ? explain_decision(*turn, decision) : explain_offer(*turn, ask.value("offer_id", ""));
  return decision ? why_not_then(*turn, key, action, decision) : why_not(*turn, key, action);
}

Json CustomerQuestions::answer(std::string_view who, std::string_view verb, const Json& ask) {
  auto turn = readers_.take();
  Json answer = answer_now(turn, verb, ask);
  const bool is_shown = answer.value("ok", false);
  record_(who, {std::string(action_of(verb)), is_shown ? subject_of(*turn, answer) : "", ""},
          is_shown ? "shown" : "nothing found");
  return answer;
}

// An ipc peer's address is "localhost:uid:gid:pid".
std::string asker_of(const char* user_id, const char* peer_address) {
  if (user_id && *user_id) return user_id;
  const std::string_view address(peer_address ? peer_address : "");
  const std::size_t begin = address.find(':');
  if (begin == std::string_view::npos) return "query socket";
  const std::string_view uid = address.substr(begin + 1, address.find(':', begin + 1) - begin - 1);
  const bool is_number = !uid.empty() && uid.find_first_not_of("0123456789") == std::string_view::npos;
  return is_number ? "uid " + std::string(uid) : "query socket";
}

}  // namespace tellerd::app
