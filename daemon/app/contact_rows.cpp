#include "app/contact_rows.h"

#include <fmt/core.h>

#include <string>

#include "app/customer_answer.h"
#include "decide/outcome_code.h"

namespace tellerd::app {

void read_contacts(store::Database& database, std::optional<std::int64_t> leader, decide::ContactBook& into) {
  const auto each = [&](std::string sql, auto&& visit, const std::string& listed = {}) {
    if (leader) sql += " AND customer IN (SELECT id FROM identity WHERE leader=?1)";
    sql += " ORDER BY 2";  // newer facts come after older ones
    store::Statement rows(database, sql);
    if (leader) rows.bind(1, *leader);
    if (!listed.empty()) rows.bind(2, std::string_view(listed));
    while (rows.step()) visit(rows, static_cast<std::uint32_t>(rows.integer(0)));
  };
  each("SELECT customer,seq,occurred_us,purpose,channel,granted,evidence,valid_to FROM silver_consent WHERE state=0",
       [&](store::Statement& row, std::uint32_t customer) {
         const wire::Consent told{row.text(3), row.text(4), row.integer(5) != 0, row.text(6), row.text(7)};
         if (const auto mark = decide::mark_of(told, row.integer(2), row.integer(1))) into.put(customer, *mark);
       });
  each("SELECT customer,seq,occurred_us,type,active,source,valid_to FROM silver_restriction WHERE state=0",
       [&](store::Statement& row, std::uint32_t customer) {
         const wire::Restriction told{row.text(3), row.integer(4) != 0, row.text(5), row.text(6)};
         if (const auto mark = decide::mark_of(told, row.integer(2), row.integer(1))) into.put(customer, *mark);
       });
  // Of one customer: what was told of its offers. Who was parted from another since may miss what was told of the
  // other's.
  const std::string offers = leader ? offers_of(database, *leader, kOffersOfOneMax) : std::string();
  each(
      fmt::format(
          "SELECT customer,seq,occurred_us,code,template FROM (SELECT y.customer,y.seq,y.occurred_us,y.code,"
          "o.template FROM offer_fact f JOIN silver_outcome y ON y.seq=f.seq JOIN offer_made o ON o.number=f.number "
          "WHERE f.what=1 AND y.state=0{}) WHERE 1",
          leader ? " AND f.number IN (SELECT value FROM json_each(?2))" : ""),
      [&](store::Statement& row, std::uint32_t customer) {
        const auto* code = decide::find_outcome_code(row.text(3));
        const auto subject = static_cast<std::uint16_t>(row.integer(4));
        if (code)
          into.put(customer, decide::PastContact{row.integer(2), row.integer(1), subject,
                                                 decide::made_by(*code, into.subject(subject).channel)});
      },
      offers);
  each("SELECT customer,zone FROM contact_zone WHERE 1",
       [&](store::Statement& row, std::uint32_t customer) { into.set_zone(customer, std::string(row.text(1))); });
}

}  // namespace tellerd::app
