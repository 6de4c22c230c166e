#include "tellerctl/marts/dialler.h"

#include <algorithm>
#include <map>
#include <vector>

#include "app/contact_rows.h"
#include "decide/contact_book.h"
#include "decide/pack_files.h"
#include "deliver/queue_record.h"

namespace tellerd::tellerctl {
namespace {

// The book as the engine keeps it, without leases.
core::Instant read_book(store::Database& database, decide::ContactBook& book) {
  store::Statement cursor(database,
                          "SELECT c.now_us,c.zone,h.files FROM cursor c JOIN policy_history h ON h.seq=c.pack_seq");
  if (!cursor.step()) return 0;
  const core::Instant now_us = cursor.integer(0);
  const decide::Pack pack = decide::parse_pack(decide::deserialise_pack(cursor.text(2)));
  book.set_branch_zone(cursor.text(1).empty() ? "UTC" : std::string(cursor.text(1)));
  book.set_rules(pack.contact, pack.holidays);
  store::Statement templates(
      database, "SELECT number,purpose,channel,credit,action,group_name,issue FROM offer_template ORDER BY number");
  while (templates.step())
    book.know(static_cast<std::size_t>(templates.integer(0)), static_cast<decide::Purpose>(templates.integer(1)),
              static_cast<decide::Channel>(templates.integer(2)), static_cast<decide::Credit>(templates.integer(3)),
              std::string(templates.text(4)), std::string(templates.text(5)), std::string(templates.text(6)));
  app::read_contacts(database, std::nullopt, book);
  std::map<std::uint32_t, std::vector<std::uint32_t>> members;
  store::Statement joined(database,
                          "SELECT leader,id FROM identity WHERE leader IN (SELECT leader FROM identity WHERE "
                          "leader<>id) ORDER BY leader,id");
  while (joined.step())
    members[static_cast<std::uint32_t>(joined.integer(0))].push_back(static_cast<std::uint32_t>(joined.integer(1)));
  for (const auto& [leader, all] : members) book.join(leader, all);
  store::Statement overdue(database, "SELECT id FROM gold_customer WHERE dpd>0");
  while (overdue.step()) book.set_overdue(static_cast<std::uint32_t>(overdue.integer(0)), true);
  return now_us;
}

}  // namespace

std::unordered_set<std::string> not_for_the_dialler(store::Database& database) {
  struct Standing {
    std::int64_t offer_id;
    std::uint32_t customer;
    std::size_t subject;
  };
  decide::ContactBook book;
  const core::Instant now_us = read_book(database, book);
  std::vector<Standing> standing;
  store::Statement all(database,
                       "SELECT o.offer_id,o.customer,o.template FROM offer o JOIN offer_state s ON s.number=o.number "
                       "WHERE o.state='READY' AND s.state<>'DONE' ORDER BY o.number");
  while (all.step()) {
    standing.push_back(
        {all.integer(0), static_cast<std::uint32_t>(all.integer(1)), static_cast<std::size_t>(all.integer(2))});
    book.stand(standing.back().customer, standing.back().subject, 1);
  }
  std::unordered_set<std::string> forbidden;
  for (const Standing& one : standing) {
    const auto verdict = book.check(one.customer, one.subject, now_us);
    const bool is_forbidden = std::any_of(verdict.hits.begin(), verdict.hits.end(), [](const decide::Hit& hit) {
      return hit.why != decide::Why::kWindow && hit.why != decide::Why::kNone;
    });
    if (is_forbidden) forbidden.insert(deliver::offer_hex(one.offer_id));
  }
  return forbidden;
}

}  // namespace tellerd::tellerctl
