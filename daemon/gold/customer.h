// What we know of one customer, kept up to date by deltas: counts and sums, weekly bits, the present tier and segment.
// Pure arithmetic: no clock, no SQL. A Customer is as of its own `week`; advance() moves it on.
// Weekly bits: bit k says "was there one k weeks before `week`"; bit 0 is the running week (design.md 2).
// A retraction that memory alone cannot settle says so with a Doubt; the engine settles it from silver.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "core/limits.h"
#include "core/prefetch.h"
#include "core/time.h"
#include "wire/facts.h"

namespace tellerd::gold {

using core::Instant;
using core::Week;

inline constexpr Week kNoWeek = INT32_MIN;
inline constexpr std::uint64_t kWeekMask = (1ull << core::limits::kWeekBits) - 1;

// The four sources of the churn features, then the windowed ones that only need to know which weeks they have facts in.
enum Source : std::uint8_t { kTx, kSupport, kSms, kHost, kLogins, kActivities, kBills, kSources };
inline constexpr int kChurnSources = 4;

struct WeekBits {
  std::uint64_t any = 0;   // at least one fact that week
  std::uint64_t many = 0;  // two or more came: only silver can say whether one is left after a retraction
};

// What one dated fact adds to its customer, under the active pack.
struct Measure {
  wire::Kind kind = wire::Kind::kNone;
  Week week = 0;
  bool counts = false;            // competitor match, completed payment; false adds nothing
  bool is_success = false;        // login
  std::uint8_t category = 255;    // of spend, by MCC
  std::int64_t amount_minor = 0;  // in branch currency
  std::int32_t minutes = 0, page_views = 0;
};

// Windows in weeks including the running one; 0 is no window.
struct Windows {
  Week transaction = 0, login = 0, activity = 0, bill = 0;
};

struct Doubt {
  bool max = false;
  std::uint8_t bits = 0;  // by Source: the week's bit may have to go
  bool is_any() const noexcept { return max || bits != 0; }
};

// Sums by category: of each that has any, a byte for the category and as many for the sum as the customer's largest
// needs. A view of them: of a customer's own, or of a copy.
class SpendView {
 public:
  explicit SpendView(const char* bytes) noexcept : bytes_(bytes) {}  // nullptr: none
  template <class V>
  void each(V&& v) const {  // v(category, sum), in order of category
    for (std::size_t at = 0; at < count(); ++at) v(category_at(at), sum_at(at));
  }
  std::int64_t sum(std::uint8_t category) const;
  // Category with the largest sum over zero; `money_category` divided first (domain.md 3). 255 without spend.
  std::uint8_t largest(std::uint8_t money_category, std::int64_t money_divisor) const;
  std::string_view bytes() const noexcept { return {bytes_, bytes_ ? place(count()) : 0}; }  // another view's

 private:
  friend class Spend;
  static constexpr std::size_t kHeadBytes = 2;
  std::size_t count() const noexcept { return bytes_ ? static_cast<std::uint8_t>(bytes_[0]) : 0; }
  std::size_t width() const noexcept { return bytes_ ? static_cast<std::uint8_t>(bytes_[1]) : 1; }
  std::size_t place(std::size_t at) const noexcept { return kHeadBytes + at * (1 + width()); }
  std::uint8_t category_at(std::size_t at) const noexcept { return static_cast<std::uint8_t>(bytes_[place(at)]); }
  std::int64_t sum_at(std::size_t at) const noexcept;
  const char* bytes_;  // count, width, then (category, sum of `width` bytes) in order of category
};

class Spend {
 public:
  void add(std::uint8_t category, std::int64_t amount);
  void clear() { bytes_.reset(); }
  void prefetch() const noexcept { core::prefetch(bytes_.get()); }  // a hint, without effect
  SpendView view() const noexcept { return SpendView(bytes_.get()); }

 private:
  std::unique_ptr<char[]> bytes_;
};

enum class ChurnState : std::uint8_t { kNone, kActive, kAtRisk, kChurned, kReturned };
constexpr std::string_view name_of(ChurnState state) noexcept {
  constexpr std::string_view kNames[] = {"", "active", "at_risk", "churned", "returned"};
  return kNames[static_cast<std::size_t>(state)];
}

// What dated facts give; all of it can be gathered again from silver.
struct Gathered {
  std::int64_t transaction_total_minor = 0, transaction_max_minor = 0, bill_total_minor = 0;
  std::int64_t second_max_minor = 0;  // the largest but one, to outlive a correction; -1 is not known
  std::int64_t activity_minutes = 0, page_views = 0;
  std::int64_t lifetime_minor = 0;  // of all transactions ever, whatever the window
  std::array<WeekBits, kChurnSources> bits{};
  std::array<std::uint64_t, kSources - kChurnSources> hints{};  // weeks that may hold logins, activities, bills
  std::int32_t transaction_count = 0, login_count = 0, successful_login_count = 0, activity_count = 0, bill_count = 0;
  std::int32_t lifetime_count = 0;
  Week last_tx_week = kNoWeek, first_tx_week = kNoWeek;  // also when they have left the bits
};

struct CustomerState : Gathered {  // may be copied as it lies
  std::int64_t portfolio_value_minor = 0;
  std::int32_t holding_count = 0;
  Week week = kNoWeek;
  std::int64_t chain = 0, holding_chain = 0;  // newest dated fact, newest holding (silver::FactRef)
  std::int64_t last_offer = 0;                // number of the newest offer ever made to it
  Instant tier_since_us = 0, downgrade_since_us = 0, churn_since_us = 0;
  std::int32_t churn_ppm = -1;                                 // probability of leaving in millionths; -1 is not scored
  std::int32_t registered_on = INT32_MIN, new_on = INT32_MIN;  // days; new_on: counted as new on it
  std::int32_t dpd = 0;
  std::uint16_t overdue_loans = 0;
  std::uint8_t client_code = 0;
  std::int8_t tier = -1, combined = -1, factor = -1, dpd_bucket = 0, left_tier = -1;  // left: the tier before, when any
  ChurnState churn = ChurnState::kNone;
  bool has_profile = false, is_absorbed = false, is_backfilled = false;
  bool is_unsure = true;  // rules must be asked: a step was crossed, or never asked
};

struct Passing {                                  // not stored
  Instant queued_us = core::kNever;               // not later than the customer's next deadline
  std::uint32_t first_offer = 0, first_loan = 0;  // places in their pools
  std::uint32_t changed_in = 0;                   // Customers' round
  bool is_touched = false;                        // in this turn
  bool is_due_sooner = true;                      // its next deadline may lie before queued_us
};

struct Customer : CustomerState, Passing {
  Spend spend;
};

void advance(Customer& customer, Week now) noexcept;
bool would_advance(const Customer& customer, Week now) noexcept;

void add(Customer& customer, const Measure& measure, const Windows& windows);
// Takes back what add() of the same measure gave, whatever came between.
// `keeps_week`: a counting fact of the same week comes in its place, so the week's bit stays.
Doubt retract(Customer& customer, const Measure& measure, const Windows& windows, bool keeps_week = false);

// From all measures that are left: settles the doubts after a retraction.
void settle(Customer& customer, const Doubt& doubt, std::span<const Measure> alive, const Windows& windows);
// Windowed counts, sums and the maximum again, for a customer whose oldest week in a window leaves it.
void recompute_windows(Customer& customer, std::span<const Measure> alive, const Windows& windows);
// Everything that dated facts give, from nothing (joins, a pack that changes aggregates).
void recompute_all(Customer& customer, std::span<const Measure> alive, const Windows& windows);
// The same from where it was gathered before; both as of one week.
void take_gathered(Customer& customer, Customer&& gathered) noexcept;

// First week whose start makes a fact leave a window; kNoWeek when none will.
Week next_leaving_week(const Customer& customer, const Windows& windows) noexcept;
// Weeks from a fact's own week until time alone can change something because of it: it leaves its window, or the churn
// horizon passes. A large number when neither can.
Week shortest_wait(wire::Kind kind, const Windows& windows, Week churn_horizon) noexcept;
// Weeks since the last transaction as of the customer's week; -1 when no bit is set.
int inactive_weeks(const Customer& customer) noexcept;

}  // namespace tellerd::gold
