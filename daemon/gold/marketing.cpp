#include "gold/marketing.h"

namespace tellerd::gold {

void Marketing::stand(const Customer& customer, core::Day today, int sign) {
  if (customer.combined < 0 || customer.is_absorbed) return;
  const auto at = static_cast<std::size_t>(customer.combined);
  if (at >= segments_.size()) segments_.resize(at + 1);
  Segment& segment = segments_[at];
  segment.clients += sign;
  segment.revenue_minor += sign * customer.transaction_total_minor;
  const bool is_active = !rules_.only_active_in_window || customer.login_count > 0 || customer.activity_count > 0;
  segment.active += is_active ? sign : 0;
  segment.fresh += customer.new_on == today ? sign : 0;
  is_dirty_ = true;
}

void Marketing::close_day() noexcept {
  for (auto& segment : segments_) segment.fresh = 0;
  is_dirty_ = true;
}

void Marketing::write(store::Database& database, core::Day day) {
  store::Statement put(database,
                       "REPLACE INTO marketing_day(day,combined,clients,revenue_minor,active,new) VALUES(?,?,?,?,?,?)");
  store::Statement drop(database,
                        "DELETE FROM marketing_day WHERE day=? AND combined=?");  // an empty segment has no row: a
                                                                                  // restart would not know of it
  for (std::size_t at = 0; at < segments_.size(); ++at) {
    const Segment& one = segments_[at];
    if (one.clients == 0)
      drop.bind_all(std::int64_t{day}, static_cast<std::int64_t>(at)).run();
    else
      put.bind_all(std::int64_t{day}, static_cast<std::int64_t>(at), one.clients, one.revenue_minor, one.active,
                   one.fresh)
          .run();
  }
  is_dirty_ = false;
}

}  // namespace tellerd::gold
