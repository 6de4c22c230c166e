#include "app/contact_gate.h"

#include <algorithm>

namespace tellerd::app {

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

ContactGate::ContactGate(const decide::ContactBook& contacts, const std::vector<decide::ContactRule>& rules,
                         std::uint32_t customer, core::Instant now_us, int standing, std::span<const int> templates)
    : contacts_(contacts), rules_(rules), now_us_(now_us), standing_(standing), templates_(templates) {
  if (contacts_.has_rules()) party_ = contacts_.party(customer, now_us);
}

const decide::Making& ContactGate::making(std::size_t candidate) {
  static const decide::Making kFree;
  const int number = templates_[candidate];
  if (number < 0 || !contacts_.has_rules()) return kFree;
  const decide::Subject& subject = contacts_.subject(static_cast<std::size_t>(number));
  const bool is_standing = static_cast<int>(candidate) == standing_;
  const auto ask = [&] {
    return contacts_.rules().making(subject, party_, contacts_.subjects(), now_us_, is_standing);
  };
  if (is_standing || !party_.contacts.empty()) return one_ = ask();
  const std::size_t kind =
      (static_cast<std::size_t>(subject.purpose) * 4 + static_cast<std::size_t>(subject.channel)) * 3 +
      static_cast<std::size_t>(subject.credit);
  if (!(known_ >> kind & 1)) {
    makings_[kind] = ask();
    known_ |= std::uint64_t{1} << kind;
  }
  return makings_[kind];
}

// A used-up number of contacts parks the offer that stands, and lets no other be made.
std::string_view ContactGate::blocks(std::size_t candidate) {
  const decide::Hit& block = making(candidate).block;
  if (block.why == decide::Why::kNone) return {};
  opens_us = std::min(opens_us, block.until_us);
  blocked_by = static_cast<std::size_t>(block.rule);
  return code_of(rules_[blocked_by].cause);
}

}  // namespace tellerd::app
