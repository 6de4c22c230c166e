#include "model/churn_view.h"

#include <algorithm>

#include "core/assert.h"

namespace tellerd::model {
namespace {

constexpr std::uint64_t lowest(int weeks) noexcept { return weeks >= 64 ? ~0ull : (1ull << weeks) - 1; }

// Bits relative to the customer's own week, seen from the start of week `at`: w1, the week before it, is bit 0.
std::uint64_t before(std::uint64_t any, Week own, Week at, bool joins_running) noexcept {
  const Week shift = at - own;
  if (shift >= core::limits::kWeekBits) return 0;
  if (shift > 0) return ((any << (shift - 1)) & gold::kWeekMask);
  const Week ahead = -shift;  // the customer's week is `at` or, by minutes or in history, after it
  if (ahead >= core::limits::kWeekBits) return 0;
  const std::uint64_t running = any >> ahead;
  return (running >> 1) | (joins_running ? running & 1 : 0);
}

}  // namespace

ChurnView view_of(const gold::Customer& customer, Week at, const Later& later, const Stood& stood,
                  const ChurnScope& scope, bool joins_running) noexcept {
  ChurnView view;
  if (customer.week == gold::kNoWeek) return view;
  const std::uint64_t mask = lowest(scope.view_weeks);
  for (std::size_t source = 0; source < view.weeks.size(); ++source)
    view.weeks[source] = before(customer.bits[source].any, customer.week, at, joins_running) & mask;
  view.count = customer.lifetime_count - later.count;
  view.minor = customer.lifetime_minor - later.minor;
  if (customer.first_tx_week != gold::kNoWeek)
    view.tenure_weeks = std::max(at - customer.first_tx_week, joins_running ? 1 : 0);
  view.stood = stood;
  view.is_in_population = (view.weeks[gold::kTx] & lowest(std::max(scope.feature_weeks, scope.horizon_weeks))) != 0;
  return view;
}

ChurnView masked(ChurnView view, int view_weeks) noexcept {
  for (std::uint64_t& weeks : view.weeks) weeks &= lowest(view_weeks);
  return view;
}

bool has_left(const gold::Customer& customer, Week at, int horizon_weeks) noexcept {
  const Week oldest = customer.week - at, newest = std::max(oldest - horizon_weeks + 1, 0);  // bits of the horizon
  if (oldest < 0) return true;  // nothing has happened since
  TELLERD_ASSERT(oldest < 64);
  return ((customer.bits[gold::kTx].any >> newest) & lowest(oldest - newest + 1)) == 0;
}

}  // namespace tellerd::model
