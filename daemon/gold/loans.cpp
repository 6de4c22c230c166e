#include "gold/loans.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/checksum.h"

namespace tellerd::gold {
namespace {

constexpr std::array<std::int64_t, 3> kBucketTopsMinor = {50'000'00, 100'000'00, 500'000'00};
constexpr std::array<std::int32_t, 5> kDpdTops = {0, 30, 60, 90, 180};

bool is_unmet(const Instalment& instalment, const Loan& loan, const LoanRules& rules, Day today) noexcept {
  if (instalment.due >= today) return false;
  if (instalment.paid_on == kNoDay) return rules.unpaid_is_overdue;
  return instalment.paid_minor < loan.planned_minor - rules.materiality_minor;
}

Day oldest_unmet(const Loan& loan, const LoanRules& rules, Day today) noexcept {
  Day oldest = kNoDay;
  for (const auto& instalment : loan.instalments)
    if (is_unmet(instalment, loan, rules, today) && (oldest == kNoDay || instalment.due < oldest))
      oldest = instalment.due;
  return oldest;
}

std::int32_t paused_days(const Loan& loan, Day from, Day to) noexcept {
  std::int32_t days = 0;
  for (Day day = from + 1; day <= to && !loan.pauses.empty(); ++day)
    for (const auto& pause : loan.pauses)
      if (day >= pause.from && (pause.to == kNoDay || day <= pause.to)) {
        ++days;
        break;
      }
  return days;
}

bool counts_days(const Loan& loan) noexcept {
  return loan.is_known && loan.closed == kNoDay && loan.written_off == kNoDay;
}

}  // namespace

int amount_bucket(std::int64_t amount_minor) noexcept {
  int bucket = 0;
  for (const std::int64_t top : kBucketTopsMinor) bucket += amount_minor > top;
  return bucket;
}

int dpd_bucket(std::int32_t days) noexcept {
  int bucket = 0;
  for (const std::int32_t top : kDpdTops) bucket += days > top;
  return bucket;
}

bool is_overdue(const Instalment& instalment, const Loan& loan, const LoanRules& rules, Day today) noexcept {
  if (instalment.paid_on == kNoDay) return rules.unpaid_is_overdue && instalment.due < today;
  return instalment.paid_on > instalment.due || instalment.paid_minor < loan.planned_minor;
}

std::int32_t days_past_due(const Loan& loan, const LoanRules& rules, Day today) noexcept {
  if (!counts_days(loan)) return 0;
  const Day due = oldest_unmet(loan, rules, today);
  if (due == kNoDay) return 0;
  return std::max(0, today - due - rules.grace_days - paused_days(loan, due, today));
}

Day next_change(const Loan& loan, const LoanRules& rules, Day today) noexcept {
  if (!loan.is_known) return kNoDay;
  Day next = kNoDay;
  auto consider = [&](Day day) {
    if (day > today && (next == kNoDay || day < next)) next = day;
  };
  for (const auto& instalment : loan.instalments)
    if (instalment.due >= today && (instalment.paid_on == kNoDay || instalment.paid_minor < loan.planned_minor))
      consider(instalment.due + 1);
  if (counts_days(loan) && oldest_unmet(loan, rules, today) != kNoDay) consider(today + 1);
  return next;
}

std::string Loans::key_of(CustomerId customer, std::string_view name) { return fmt::format("{}|{}", customer, name); }

std::uint32_t Loans::find_or_make(CustomerId customer, std::string_view name, std::uint32_t& first) {
  const auto [at, is_new] = by_key_.try_emplace(key_of(customer, name), count() + 1);
  if (!is_new) return at->second;
  Loan loan;
  loan.customer = customer;
  loan.name = name;
  loan.next_of_customer = first;
  first = at->second;
  loans_.emplace_back(std::move(loan));
  return at->second;
}

void Loans::put_instalment(std::uint32_t place, const Instalment& instalment) {
  auto& all = loans_[place].instalments;
  const auto at = std::lower_bound(all.begin(), all.end(), instalment.number,
                                   [](const Instalment& one, std::int32_t number) { return one.number < number; });
  if (at != all.end() && at->number == instalment.number)
    *at = instalment;
  else
    all.insert(at, instalment);
}

void Loans::take_instalment(std::uint32_t place, std::int32_t number, Seq seq) {
  std::erase_if(loans_[place].instalments,
                [&](const Instalment& one) { return one.number == number && one.seq == seq; });
}

void Loans::stand(const Loan::Part& part, int sign) {
  const std::pair<std::int32_t, int> key{part.month, part.bucket};
  Cell& cell = cells_[key];
  cell.loans += sign;
  cell.overdue_loans += part.is_overdue ? sign : 0;
  cell.issued_minor += sign * part.issued_minor;
  cell.overdue_paid_minor += sign * part.overdue_paid_minor;
  if (cell.loans == 0) cells_.erase(key);
  dirty_.insert(key);
}

std::uint64_t Loans::drop(std::uint32_t place, std::uint32_t& first) {
  const Loan gone = std::exchange(loans_[place], Loan());
  std::uint32_t* link = &first;
  while (*link != place) link = &loans_[*link].next_of_customer;
  *link = gone.next_of_customer;
  const std::string key = key_of(gone.customer, gone.name);
  by_key_.erase(key);
  return *dropped_.insert(core::hash64(key)).first;
}

bool Loans::is_dropped(CustomerId customer, std::string_view name) const {
  return !dropped_.empty() && dropped_.contains(core::hash64(key_of(customer, name)));
}

void Loans::refresh(std::uint32_t place, const LoanRules& rules, Day today) {
  for (const auto& part : loans_[place].parts) stand(part, -1);
  restore_parts(place, rules, today);
  for (const auto& part : loans_[place].parts) stand(part, 1);
}

void Loans::restore_parts(std::uint32_t place, const LoanRules& rules, Day today) {
  Loan& loan = loans_[place];
  loan.parts.clear();
  if (!loan.is_known) return;
  const auto bucket = static_cast<std::int8_t>(amount_bucket(loan.amount_minor));
  for (const auto& instalment : loan.instalments) {
    const std::int32_t month = month_of(instalment.due);
    auto part =
        std::find_if(loan.parts.begin(), loan.parts.end(), [&](const Loan::Part& one) { return one.month == month; });
    if (part == loan.parts.end()) part = loan.parts.insert(loan.parts.end(), {month, bucket, false, 0, 0});
    part->issued_minor += loan.amount_minor;
    if (!is_overdue(instalment, loan, rules, today)) continue;
    part->is_overdue = true;
    part->overdue_paid_minor += instalment.paid_minor;
  }
}

std::int32_t month_of(Day day) noexcept {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  return static_cast<int>(date.year()) * 12 + static_cast<std::int32_t>(static_cast<unsigned>(date.month())) - 1;
}

std::string month_name(std::int32_t month) { return fmt::format("{:04}-{:02}", month / 12, month % 12 + 1); }

}  // namespace tellerd::gold
