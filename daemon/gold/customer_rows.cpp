#include "gold/customer_rows.h"

#include <fmt/core.h>

#include <array>

#include "core/varint.h"

namespace tellerd::gold {
namespace {

// All, in the order they stand in the table: SQLite then takes each value where it lies.
constexpr const char* kColumns =
    "id,week,last_tx_week,transaction_count,transaction_total_minor,transaction_max_minor,login_count,successful_login_"
    "count,"
    "activity_count,activity_minutes,page_views,bill_count,bill_total_minor,holding_count,portfolio_value_minor,tx_any,"
    "sup_any,"
    "sms_any,host_any,tier,combined,tier_since_us,churn,dpd,dpd_bucket,overdue_loans,priority_category,state,churn_ppm,"
    "last_offer,left_tier";

constexpr std::int64_t kHasProfile = 1, kIsAbsorbed = 2, kIsBackfilled = 4, kIsUnsure = 8;

// Calls v(field) for every integer column between last_tx_week and priority_category, in the order of kColumns; then
// for those after state.
template <class C, class V>
void each_column(C& c, V&& v) {
  v(c.transaction_count);
  v(c.transaction_total_minor);
  v(c.transaction_max_minor);
  v(c.login_count);
  v(c.successful_login_count);
  v(c.activity_count);
  v(c.activity_minutes);
  v(c.page_views);
  v(c.bill_count);
  v(c.bill_total_minor);
  v(c.holding_count);
  v(c.portfolio_value_minor);
  for (auto& bits : c.bits) v(bits.any);
  v(c.tier);
  v(c.combined);
  v(c.tier_since_us);
  v(c.churn);
  v(c.dpd);
  v(c.dpd_bucket);
  v(c.overdue_loans);
}
template <class C, class V>
void each_later_column(C& c, V&& v) {
  v(c.churn_ppm);
  v(c.last_offer);
  v(c.left_tier);
}

// And for the rest, which nobody else reads: packed into one column, after the flags and before the spend.
template <class C, class V>
constexpr void each_hidden(C& c, V&& v) {
  v(c.chain);
  v(c.holding_chain);
  v(c.second_max_minor);
  for (auto& bits : c.bits) v(bits.many);
  for (auto& hint : c.hints) v(hint);
  v(c.factor);
  v(c.downgrade_since_us);
  v(c.churn_since_us);
  v(c.new_on);
  v(c.registered_on);
  v(c.client_code);
  v(c.first_tx_week);
  v(c.lifetime_count);
  v(c.lifetime_minor);
}

constexpr std::size_t kHidden = [] {
  const CustomerState any;
  std::size_t count = 0;
  each_hidden(any, [&](const auto&) { ++count; });
  return count;
}();
using Packed = std::array<char, (1 + kHidden + 2 * 256) * core::kVarintBytesMax>;  // a category is a byte

std::string_view pack(const CustomerState& customer, SpendView spend, Packed& into) {
  char* end = into.data();
  const auto put = [&](const auto& value) { end = core::put_varint(end, static_cast<std::int64_t>(value)); };
  put((customer.has_profile ? kHasProfile : 0) | (customer.is_absorbed ? kIsAbsorbed : 0) |
      (customer.is_backfilled ? kIsBackfilled : 0) | (customer.is_unsure ? kIsUnsure : 0));
  each_hidden(customer, put);
  spend.each([&](std::uint8_t category, std::int64_t sum) {
    if (sum == 0) return;  // as if it had never been: a restart would not know of it
    put(category);
    put(sum);
  });
  return {into.data(), static_cast<std::size_t>(end - into.data())};
}

void unpack(std::string_view state, Customer& customer) {
  const std::int64_t flags = core::take_varint(state);
  customer.has_profile = flags & kHasProfile;
  customer.is_absorbed = flags & kIsAbsorbed;
  customer.is_backfilled = flags & kIsBackfilled;
  customer.is_unsure = flags & kIsUnsure;
  each_hidden(customer, [&]<class T>(T& value) { value = static_cast<T>(core::take_varint(state)); });
  while (!state.empty()) {
    const auto category = static_cast<std::uint8_t>(core::take_varint(state));
    customer.spend.add(category, core::take_varint(state));
  }
}

}  // namespace

CustomerRows::CustomerRows(store::Database& database) : write_(database, "REPLACE INTO gold_customer", kColumns) {}

void CustomerRows::write(std::span<const CustomerCopy> customers,
                         const std::function<std::string_view(SpendView)>& priority_category) {
  Packed packed;
  write_.run(customers.size(), [&](std::size_t at, store::BulkRow& row) {
    const CustomerCopy& one = customers[at];
    const CustomerState& state = one.state;
    const auto put = [&](const auto& value) { row.add(static_cast<std::int64_t>(value)); };
    put(one.id);
    put(state.week);
    if (state.last_tx_week == kNoWeek)
      row.add_null();
    else
      put(state.last_tx_week);
    each_column(state, put);
    if (const std::string_view category = priority_category(one.spend_view()); category.empty())
      row.add_null();
    else
      row.add(category);
    row.add_blob(pack(state, one.spend_view(), packed));
    each_later_column(state, put);
  });
}

silver::FactRef CustomerRows::chain_of(std::string_view state) {
  Customer customer;
  unpack(state, customer);
  return customer.chain;
}

void CustomerRows::read_all(store::Database& database, const std::function<void(CustomerId, Customer&&)>& take) {
  store::Statement all(database, fmt::format("SELECT {} FROM gold_customer ORDER BY id", kColumns));
  while (all.step()) {
    Customer customer;
    customer.week = static_cast<Week>(all.integer(1));
    if (!all.is_null(2)) customer.last_tx_week = static_cast<Week>(all.integer(2));
    int at = 3;
    each_column(customer, [&]<class T>(T& value) { value = static_cast<T>(all.integer(at++)); });
    unpack(all.text(at + 1), customer);
    at += 2;
    each_later_column(customer, [&]<class T>(T& value) { value = static_cast<T>(all.integer(at++)); });
    take(static_cast<CustomerId>(all.integer(0)), std::move(customer));
  }
}

}  // namespace tellerd::gold
