// Loans and their instalments in memory: overdue cells by month and amount, days past due, references in any order.
// A loan is made by the first mention of (customer, loan_name), whoever mentions it; it counts once its own fact is
// here. Rules: domain.md 4. Money in minor units, dates are branch days. Threads: the engine's.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/growing_space.h"
#include "core/time.h"
#include "silver/rows.h"

namespace tellerd::gold {

using core::Day;
using core::Instant;
using silver::CustomerId;
using silver::Seq;

inline constexpr Day kNoDay = INT32_MIN;
inline constexpr std::array<std::string_view, 4> kAmountBuckets = {"<=50000", "50001-100000", "100001-500000",
                                                                   ">500000"};
inline constexpr std::array<std::string_view, 6> kDpdBuckets = {"current", "1-30", "31-60", "61-90", "91-180", ">180"};
int amount_bucket(std::int64_t amount_minor) noexcept;
int dpd_bucket(std::int32_t days) noexcept;  // upper ends inclusive

struct LoanRules {
  bool unpaid_is_overdue = false;
  int grace_days = 3;
  std::int64_t materiality_minor = 0;
};

struct Instalment {
  std::int32_t number = 0;
  Day due = kNoDay, paid_on = kNoDay;
  std::int64_t paid_minor = 0;
  Seq seq = 0;
};

struct Pause {
  Day from = kNoDay, to = kNoDay;
  Seq seq = 0;
};

struct Loan {
  CustomerId customer = 0;
  std::string name;
  bool is_known = false;  // its own fact has come
  std::int64_t amount_minor = 0, planned_minor = 0;
  Day start = kNoDay, closed = kNoDay, written_off = kNoDay;
  std::vector<Instalment> instalments;  // by number
  std::vector<Pause> pauses;
  std::int32_t dpd = 0;
  std::int8_t bucket = 0, left_bucket = 0;  // left: what time moved it out of, or 0
  Day moved_on = kNoDay;                    // into `bucket`
  Day refreshed_on = kNoDay;                // the day its cells and days past due are as of
  Day next_change = kNoDay;                 // when time alone changes it
  std::uint32_t next_of_customer = 0;
  // What it stands with in the cells now: taken out before it changes.
  struct Part {
    std::int32_t month;
    std::int8_t bucket;
    bool is_overdue;
    std::int64_t issued_minor, overdue_paid_minor;
  };
  std::vector<Part> parts;
};

// One cell of mart_loan_overdue_month; month = year * 12 + month - 1.
struct Cell {
  std::int64_t loans = 0, overdue_loans = 0, issued_minor = 0, overdue_paid_minor = 0;
};

// An instalment is overdue: paid late or less than planned (strictly), or by pack not paid by `today`.
bool is_overdue(const Instalment& instalment, const Loan& loan, const LoanRules& rules, Day today) noexcept;
// Days past due of the oldest unmet instalment, less grace and pauses; 0 when none is unmet.
std::int32_t days_past_due(const Loan& loan, const LoanRules& rules, Day today) noexcept;
// The next day on which the loan's cells, days past due or bucket change by time alone; kNoDay when none.
Day next_change(const Loan& loan, const LoanRules& rules, Day today) noexcept;

class Loans {
 public:
  Loans() { loans_.emplace_back(); }
  // Places count from 1 and are never given again; `first` is the customer's own list head and is changed when the
  // loan is new.
  std::uint32_t find_or_make(CustomerId customer, std::string_view name, std::uint32_t& first);
  Loan& operator[](std::uint32_t place) { return loans_[place]; }
  const Loan& operator[](std::uint32_t place) const { return loans_[place]; }
  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(loans_.size()) - 1; }
  bool holds(std::uint32_t place) const noexcept { return loans_[place].customer != 0; }

  // Retention: the loan goes with all it holds, and its name is not taken again; the cells keep what it gave them.
  // Returns the key it is known as gone by.
  std::uint64_t drop(std::uint32_t place, std::uint32_t& first);
  bool is_dropped(CustomerId customer, std::string_view name) const;

  void put_instalment(std::uint32_t place, const Instalment& instalment);
  void take_instalment(std::uint32_t place, std::int32_t number, Seq seq);
  // Puts the loan's present parts into the cells in place of its old ones.
  void refresh(std::uint32_t place, const LoanRules& rules, Day today);

  // Reading back: places that dropped loans have left before the next one, keys of dropped loans, the cells as they
  // stood, and each loan's own parts, which those cells have in them.
  void skip_to(std::uint32_t place) { loans_.resize(std::max<std::size_t>(loans_.size(), place)); }
  void restore_dropped(std::uint64_t key) { dropped_.insert(key); }
  void restore_cell(std::int32_t month, int bucket, const Cell& cell) { cells_[{month, bucket}] = cell; }
  void restore_parts(std::uint32_t place, const LoanRules& rules, Day today);

  const std::map<std::pair<std::int32_t, int>, Cell>& cells() const noexcept { return cells_; }
  std::set<std::pair<std::int32_t, int>>& dirty_cells() noexcept { return dirty_; }

 private:
  void stand(const Loan::Part& part, int sign);
  static std::string key_of(CustomerId customer, std::string_view name);
  core::GrowingArray<Loan> loans_;
  std::unordered_map<std::string, std::uint32_t> by_key_;
  std::unordered_set<std::uint64_t> dropped_;  // hashes of keys
  std::map<std::pair<std::int32_t, int>, Cell> cells_;
  std::set<std::pair<std::int32_t, int>> dirty_;
};

std::int32_t month_of(Day day) noexcept;     // year * 12 + month - 1
std::string month_name(std::int32_t month);  // "2026-11"

}  // namespace tellerd::gold
