// Packs as they were activated: /api/v1/policy the history, /api/v1/policy/SEQ the files of one.
#include <charconv>

#include "app/api.h"

namespace tellerd::app {
namespace {

using deliver::Json;
using ops::Role;

ops::Reply history(Readers& readers) {
  const auto turn = readers.take();
  const Json coming = rows_of(*turn, "SELECT seq, at_us, name, hash FROM policy_coming");
  return tell({{"coming", coming.empty() ? Json() : coming[0]},
               {"rows", rows_of(*turn,
                                "SELECT h.seq, h.at_us, h.name, h.hash, h.seq = c.pack_seq AS is_active FROM "
                                "policy_history h CROSS JOIN cursor c ORDER BY h.seq DESC LIMIT 200")}});
}

ops::Reply pack(Readers& readers, const ops::Ask& ask) {
  std::int64_t seq = 0;
  const auto parsed = std::from_chars(ask.rest.data(), ask.rest.data() + ask.rest.size(), seq);
  if (parsed.ec != std::errc{} || parsed.ptr != ask.rest.data() + ask.rest.size())
    return refuse(404, "There is no such pack.");
  const auto turn = readers.take();
  store::Statement find(*turn, "SELECT seq, at_us, name, hash, files FROM policy_history WHERE seq = ?");
  Json rows = deliver::json_rows(find.bind(1, seq));
  if (rows.empty()) return refuse(404, "There is no such pack.");
  Json answer = rows[0];
  answer["files"] = Json::parse(answer["files"].get<std::string>());
  return tell(answer);
}

}  // namespace

std::vector<ops::Resource> policy_resources(Readers& readers) {
  const auto may = ops::roles(Role::kOperator, Role::kAnalyst, Role::kAuditor);
  return {{"GET", "/api/v1/policy", may, false, [&readers](const ops::Ask&) { return history(readers); }},
          {"GET", "/api/v1/policy/", may, false, [&readers](const ops::Ask& ask) { return pack(readers, ask); }}};
}

}  // namespace tellerd::app
