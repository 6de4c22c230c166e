#include "gold/customer_rows.h"

namespace tellerd::gold {
namespace {

constexpr const char* kColumns =
    "id,week,last_tx_week,chain,holding_chain,transaction_count,transaction_total_minor,transaction_max_minor,second_max_minor,login_count,"
    "successful_login_count,activity_count,activity_minutes,page_views,bill_count,bill_total_minor,holding_count,"
    "portfolio_value_minor,tx_any,tx_many,sup_any,sup_many,sms_any,sms_many,host_any,host_many,login_hint,activity_hint,"
    "bill_hint,tier,combined,factor,tier_since_us,downgrade_since_us,churn,churn_since_us,dpd,dpd_bucket,overdue_loans,"
    "new_on,registered_on,client_code,flags,spend,priority_category";
constexpr int kColumnCount = 45;

constexpr std::int64_t kHasProfile = 1, kIsAbsorbed = 2, kIsBackfilled = 4, kIsUnsure = 8;

std::string insert_sql() {
  std::string marks = "?";
  for (int at = 1; at < kColumnCount; ++at) marks += ",?";
  return std::string("REPLACE INTO gold_customer(") + kColumns + ") VALUES(" + marks + ")";
}

// Calls v(field) for every integer column between id and flags, in the order of kColumns; last_tx_week apart.
template <class C, class V> void each_number(C& c, V&& v) {
  v(c.chain); v(c.holding_chain); v(c.transaction_count); v(c.transaction_total_minor); v(c.transaction_max_minor); v(c.second_max_minor);
  v(c.login_count); v(c.successful_login_count); v(c.activity_count); v(c.activity_minutes); v(c.page_views);
  v(c.bill_count); v(c.bill_total_minor); v(c.holding_count); v(c.portfolio_value_minor);
  for (auto& bits : c.bits) { v(bits.any); v(bits.many); }
  for (auto& hint : c.hints) v(hint);
  v(c.tier); v(c.combined); v(c.factor); v(c.tier_since_us); v(c.downgrade_since_us); v(c.churn); v(c.churn_since_us);
  v(c.dpd); v(c.dpd_bucket); v(c.overdue_loans); v(c.new_on); v(c.registered_on); v(c.client_code);
}

}  // namespace

CustomerRows::CustomerRows(store::Database& database) : write_(database, insert_sql()) {}

void CustomerRows::write(silver::CustomerId id, const Customer& customer, std::string_view priority_category) {
  write_.bind(1, std::int64_t{id}).bind(2, std::int64_t{customer.week});
  if (customer.last_tx_week == kNoWeek) write_.bind_null(3);
  else write_.bind(3, std::int64_t{customer.last_tx_week});
  int at = 4;
  each_number(customer, [&](const auto& value) { write_.bind(at++, static_cast<std::int64_t>(value)); });
  write_.bind(at++, (customer.has_profile ? kHasProfile : 0) | (customer.is_absorbed ? kIsAbsorbed : 0) |
                        (customer.is_backfilled ? kIsBackfilled : 0) | (customer.is_unsure ? kIsUnsure : 0));
  write_.bind_blob(at++, customer.spend.packed());
  if (priority_category.empty()) write_.bind_null(at);
  else write_.bind(at, priority_category);
  write_.run();
}

void CustomerRows::read_all(store::Database& database, const std::function<void(silver::CustomerId, Customer&&)>& take) {
  store::Statement all(database, std::string("SELECT ") + kColumns + " FROM gold_customer ORDER BY id");
  while (all.step()) {
    Customer customer;
    customer.week = static_cast<Week>(all.integer(1));
    if (!all.is_null(2)) customer.last_tx_week = static_cast<Week>(all.integer(2));
    int at = 3;
    each_number(customer, [&]<class T>(T& value) { value = static_cast<T>(all.integer(at++)); });
    const std::int64_t flags = all.integer(at++);
    customer.has_profile = flags & kHasProfile;
    customer.is_absorbed = flags & kIsAbsorbed;
    customer.is_backfilled = flags & kIsBackfilled;
    customer.is_unsure = flags & kIsUnsure;
    customer.spend.unpack(all.text(at));
    take(static_cast<silver::CustomerId>(all.integer(0)), std::move(customer));
  }
}

}  // namespace tellerd::gold
