#include "app/contact_gate.h"

#include <algorithm>

namespace tellerd::app {
namespace {

std::string_view code_of(decide::Cause cause) noexcept {
  switch (cause) {
    case decide::Cause::kContacts:
      return "SU-09";
    case decide::Cause::kDoNotCall:
      return "SU-01";
    case decide::Cause::kConsentAbsent:
      return "SU-02";
    case decide::Cause::kRepresentative:
      return "SU-03";
    case decide::Cause::kDeceased:
      return "SU-05";
    case decide::Cause::kBankruptcy:
      return "SU-06";
    case decide::Cause::kSelfBan:
      return "SU-07";
    case decide::Cause::kComplaint:
      return "SU-04";
    case decide::Cause::kOverdue:
      return "SU-12";
    case decide::Cause::kReject:
      return "SU-10";
    case decide::Cause::kAccept:
      return "SU-11";
  }
  return "SU-09";
}

}  // namespace

// Hours, precedence and leases are judged where a desk takes an offer; a used-up number of contacts parks the one that
// stands, and lets no other be made.
std::string_view ContactGate::blocks(std::size_t candidate) {
  const int number = template_of_(candidate);
  if (number < 0 || !contacts_.has_rules()) return {};
  const auto verdict = contacts_.check(customer_, static_cast<std::size_t>(number), now_us_);
  for (const decide::Hit& hit : verdict.hits) {
    if (hit.rule < 0 || hit.why == decide::Why::kWindow || hit.why == decide::Why::kNone) continue;
    if (hit.why == decide::Why::kCap && static_cast<int>(candidate) == standing_) continue;
    opens_us = std::min(opens_us, hit.until_us);
    return code_of(rules_[static_cast<std::size_t>(hit.rule)].cause);
  }
  return {};
}

}  // namespace tellerd::app
