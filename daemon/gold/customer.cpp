#include "gold/customer.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/assert.h"

namespace tellerd::gold {
namespace {

using wire::Kind;

int source_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::kTransaction:
      return kTx;
    case Kind::kSupportContact:
      return kSupport;
    case Kind::kSms:
      return kSms;
    case Kind::kHostVisit:
      return kHost;
    case Kind::kLogin:
      return kLogins;
    case Kind::kActivity:
      return kActivities;
    case Kind::kBillPayment:
      return kBills;
    default:
      return -1;
  }
}

Week window_of(Kind kind, const Windows& windows) noexcept {
  switch (kind) {
    case Kind::kTransaction:
      return windows.transaction;
    case Kind::kLogin:
      return windows.login;
    case Kind::kActivity:
      return windows.activity;
    case Kind::kBillPayment:
      return windows.bill;
    default:
      return 0;
  }
}

bool is_inside(const Customer& customer, const Measure& measure, const Windows& windows) noexcept {
  const Week window = window_of(measure.kind, windows);
  return window == 0 || measure.week > customer.week - window;
}

std::uint64_t bit_of(const Customer& customer, Week week) noexcept {
  const Week age = customer.week - week;
  return age < 0 || age >= core::limits::kWeekBits ? 0 : 1ull << age;
}

void add_sums(Customer& customer, const Measure& measure, int sign) noexcept {
  switch (measure.kind) {
    case Kind::kTransaction:
      customer.transaction_count += sign;
      customer.transaction_total_minor += sign * measure.amount_minor;
      break;
    case Kind::kLogin:
      customer.login_count += sign;
      customer.successful_login_count += sign * (measure.is_success ? 1 : 0);
      break;
    case Kind::kActivity:
      customer.activity_count += sign;
      customer.activity_minutes += sign * measure.minutes;
      customer.page_views += sign * measure.page_views;
      break;
    case Kind::kBillPayment:
      customer.bill_count += sign;
      customer.bill_total_minor += sign * measure.amount_minor;
      break;
    default:
      break;
  }
}

void set_bit(Customer& customer, const Measure& measure) noexcept {
  const int source = source_of(measure.kind);
  if (source < 0) return;
  if (measure.week > customer.week) advance(customer, measure.week);  // a few minutes into the next week
  const std::uint64_t bit = bit_of(customer, measure.week);
  if (source >= kChurnSources) {
    customer.hints[static_cast<std::size_t>(source - kChurnSources)] |= bit;
    return;
  }
  auto& bits = customer.bits[static_cast<std::size_t>(source)];
  bits.many |= bits.any & bit;
  bits.any |= bit;
  if (source != kTx) return;
  customer.last_tx_week = std::max(customer.last_tx_week, measure.week);
  if (measure.week < customer.first_tx_week || customer.first_tx_week == kNoWeek) customer.first_tx_week = measure.week;
}

void add_lifetime(Customer& customer, const Measure& measure, int sign) noexcept {
  if (measure.kind != Kind::kTransaction) return;
  customer.lifetime_count += sign;
  customer.lifetime_minor += sign * measure.amount_minor;
}

void zero_windowed(Customer& customer, const Windows& windows) noexcept {
  if (windows.transaction)
    customer.transaction_count = 0, customer.transaction_total_minor = 0,
    customer.transaction_max_minor = customer.second_max_minor = 0;
  if (windows.login) customer.login_count = customer.successful_login_count = 0;
  if (windows.activity) customer.activity_count = 0, customer.activity_minutes = customer.page_views = 0;
  if (windows.bill) customer.bill_count = 0, customer.bill_total_minor = 0;
}

void raise_max(Customer& customer, std::int64_t amount) noexcept {
  if (amount >= customer.transaction_max_minor) {
    customer.second_max_minor = customer.transaction_max_minor;
    customer.transaction_max_minor = amount;
  } else if (customer.second_max_minor >= 0) {
    customer.second_max_minor = std::max(customer.second_max_minor, amount);
  }
}

// False when the largest has gone and the next one is not known.
bool lower_max(Customer& customer, std::int64_t amount) noexcept {
  if (amount == customer.transaction_max_minor) {
    if (customer.second_max_minor < 0) return false;
    customer.transaction_max_minor = customer.second_max_minor;
    customer.second_max_minor = -1;
  } else if (amount == customer.second_max_minor) {
    customer.second_max_minor = -1;
  }
  return true;
}

void find_max(Customer& customer, std::span<const Measure> alive, const Windows& windows) noexcept {
  customer.transaction_max_minor = customer.second_max_minor = 0;
  for (const auto& measure : alive)
    if (measure.counts && measure.kind == Kind::kTransaction && is_inside(customer, measure, windows))
      raise_max(customer, measure.amount_minor);
}

}  // namespace

namespace {

// Bytes of two's complement that hold it.
std::size_t width_of(std::int64_t sum) noexcept {
  const auto magnitude = static_cast<std::uint64_t>(sum < 0 ? ~sum : sum);
  return static_cast<std::size_t>(std::bit_width(magnitude)) / 8 + 1;
}

}  // namespace

std::int64_t SpendView::sum_at(std::size_t at) const noexcept {
  const std::size_t wide = width();
  const char* const from = &bytes_[place(at) + 1];
  // The low bytes come first, as on all machines this is built for. Two parts that may overlap, or three bytes that may
  // be the same: no loop over so few.
  const auto part = [from]<class T>(T, std::size_t offset) {
    T value;
    std::memcpy(&value, from + offset, sizeof value);
    return static_cast<std::uint64_t>(value) << 8 * offset;
  };
  const std::uint64_t sum =
      wide >= 4 ? part(std::uint32_t{}, 0) | part(std::uint32_t{}, wide - 4)
                : part(std::uint8_t{}, 0) | part(std::uint8_t{}, wide / 2) | part(std::uint8_t{}, wide - 1);
  const std::size_t unused = 8 * (8 - wide);
  return static_cast<std::int64_t>(sum << unused) >> unused;
}

void Spend::add(std::uint8_t category, std::int64_t amount) {
  if (category == 255 || amount == 0) return;
  const SpendView old = view();
  const std::size_t known = old.count();
  std::size_t at = 0;
  while (at < known && old.category_at(at) < category) ++at;
  const bool is_new = at == known || old.category_at(at) != category;
  const std::int64_t sum = (is_new ? 0 : old.sum_at(at)) + amount;
  const auto put = [](char* bytes, std::size_t place, std::uint8_t one, std::int64_t its_sum) {
    bytes[place] = static_cast<char>(one);
    std::memcpy(&bytes[place + 1], &its_sum, SpendView(bytes).width());
  };
  if (const std::size_t needed = std::max(width_of(sum), old.width()); is_new || needed > old.width()) {
    std::unique_ptr<char[]> wider(new char[SpendView::kHeadBytes + (known + is_new) * (1 + needed)]);
    wider[0] = static_cast<char>(known + is_new);
    wider[1] = static_cast<char>(needed);
    for (std::size_t from = 0; from < known; ++from)
      put(wider.get(), SpendView(wider.get()).place(from + (is_new && from >= at)), old.category_at(from),
          old.sum_at(from));
    bytes_ = std::move(wider);
  }
  put(bytes_.get(), view().place(at), category, sum);
}

std::int64_t SpendView::sum(std::uint8_t category) const {
  std::int64_t found = 0;
  each([&](std::uint8_t one, std::int64_t sum) { found = one == category ? sum : found; });
  return found;
}

std::uint8_t SpendView::largest(std::uint8_t money_category, std::int64_t money_divisor) const {
  std::uint8_t best = 255;
  std::int64_t best_sum = 0;
  each([&](std::uint8_t category, std::int64_t sum) {
    if (category == money_category) sum /= money_divisor;
    if (sum > best_sum) best = category, best_sum = sum;
  });
  return best;
}

bool would_advance(const Customer& customer, Week now) noexcept {
  return customer.week == kNoWeek ? now != kNoWeek : now > customer.week;
}

void advance(Customer& customer, Week now) noexcept {
  if (customer.week == kNoWeek) customer.week = now;
  if (now <= customer.week) return;
  const Week shift = now - customer.week;
  const bool is_far = shift >= core::limits::kWeekBits;
  for (auto& bits : customer.bits) {
    bits.any = is_far ? 0 : (bits.any << shift) & kWeekMask;
    bits.many = is_far ? 0 : (bits.many << shift) & kWeekMask;
  }
  for (auto& hint : customer.hints) hint = is_far ? 0 : (hint << shift) & kWeekMask;
  customer.week = now;
}

void add(Customer& customer, const Measure& measure, const Windows& windows) {
  if (!measure.counts) return;
  set_bit(customer, measure);
  add_lifetime(customer, measure, 1);
  if (measure.kind == Kind::kTransaction) customer.spend.add(measure.category, measure.amount_minor);
  if (!is_inside(customer, measure, windows)) return;
  add_sums(customer, measure, 1);
  if (measure.kind == Kind::kTransaction) raise_max(customer, measure.amount_minor);
}

Doubt retract(Customer& customer, const Measure& measure, const Windows& windows, bool keeps_week) {
  Doubt doubt;
  if (!measure.counts) return doubt;
  const int source = source_of(measure.kind);
  if (source >= 0 && source < kChurnSources && !keeps_week) {
    auto& bits = customer.bits[static_cast<std::size_t>(source)];
    const std::uint64_t bit = bit_of(customer, measure.week);
    if (bits.many & bit)
      doubt.bits |= static_cast<std::uint8_t>(1u << source);
    else
      bits.any &= ~bit;
    if (source == kTx && !(bits.any & bit) &&
        (measure.week == customer.last_tx_week || measure.week == customer.first_tx_week))
      doubt.bits |= 1u << kTx;
  }
  add_lifetime(customer, measure, -1);
  if (measure.kind == Kind::kTransaction) customer.spend.add(measure.category, -measure.amount_minor);
  if (!is_inside(customer, measure, windows)) return doubt;
  add_sums(customer, measure, -1);
  if (measure.kind == Kind::kTransaction && measure.amount_minor > 0)
    doubt.max = !lower_max(customer, measure.amount_minor);
  return doubt;
}

void settle(Customer& customer, const Doubt& doubt, std::span<const Measure> alive, const Windows& windows) {
  if (doubt.max) find_max(customer, alive, windows);
  for (int source = 0; source < kChurnSources; ++source) {
    if (!(doubt.bits & (1u << source))) continue;
    customer.bits[static_cast<std::size_t>(source)] = {};
    if (source == kTx) customer.last_tx_week = customer.first_tx_week = kNoWeek;
    for (const auto& measure : alive)
      if (measure.counts && source_of(measure.kind) == source) set_bit(customer, measure);
  }
}

void recompute_windows(Customer& customer, std::span<const Measure> alive, const Windows& windows) {
  zero_windowed(customer, windows);
  for (const auto& measure : alive) {
    if (!measure.counts || window_of(measure.kind, windows) == 0 || !is_inside(customer, measure, windows)) continue;
    add_sums(customer, measure, 1);
  }
  if (windows.transaction) find_max(customer, alive, windows);
}

void recompute_all(Customer& customer, std::span<const Measure> alive, const Windows& windows) {
  static_cast<Gathered&>(customer) = {};
  customer.spend.clear();
  for (const auto& measure : alive) add(customer, measure, windows);
}

void take_gathered(Customer& customer, Customer&& gathered) noexcept {
  static_cast<Gathered&>(customer) = gathered;
  customer.spend = std::move(gathered.spend);
}

Week next_leaving_week(const Customer& customer, const Windows& windows) noexcept {
  Week next = kNoWeek;
  auto look = [&](std::uint64_t weeks, Week window) {
    if (window == 0) return;
    const std::uint64_t inside = weeks & ((window >= core::limits::kWeekBits ? kWeekMask : (1ull << window) - 1));
    if (inside == 0) return;
    const Week oldest = customer.week - (63 - std::countl_zero(inside));
    if (next == kNoWeek || oldest + window < next) next = oldest + window;
  };
  look(customer.bits[kTx].any, windows.transaction);
  look(customer.hints[kLogins - kChurnSources], windows.login);
  look(customer.hints[kActivities - kChurnSources], windows.activity);
  look(customer.hints[kBills - kChurnSources], windows.bill);
  return next;
}

Week shortest_wait(Kind kind, const Windows& windows, Week churn_horizon) noexcept {
  constexpr Week kLong = 10'000;
  const Week window = window_of(kind, windows);
  const Week wait = window == 0 ? kLong : window;
  return kind == Kind::kTransaction ? std::min(wait, churn_horizon + 1) : wait;
}

int inactive_weeks(const Customer& customer) noexcept {
  const std::uint64_t any = customer.bits[kTx].any;
  return any == 0 ? -1 : std::countr_zero(any);
}

}  // namespace tellerd::gold
