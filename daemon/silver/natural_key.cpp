#include "silver/natural_key.h"

#include <fmt/compile.h>
#include <fmt/core.h>

#include <iterator>

#include "core/checksum.h"

namespace tellerd::silver {
namespace {

using wire::Kind;
constexpr char kBar = '\x1f';  // between parts; no part of a key holds it by accident of joining

void put(std::string& out, std::string_view part) {
  out.push_back(kBar);
  out.append(part);
}
void put(std::string& out, std::int64_t part) {
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}{}"), kBar, part);
}

}  // namespace

void natural_key(const wire::Event& event, CustomerId customer, std::uint16_t system, std::string& out) {
  out.clear();
  const auto& body = event.body;
  switch (event.kind()) {
    case Kind::kProfile:
      return put(out, customer);
    case Kind::kLoan:
      put(out, customer);
      return put(out, std::get<wire::Loan>(body).loan_name);
    case Kind::kInstalmentPayment:
      put(out, customer);
      put(out, std::get<wire::InstalmentPayment>(body).loan_name);
      return put(out, std::get<wire::InstalmentPayment>(body).payment_number);
    case Kind::kLoanChange:
      put(out, customer);
      put(out, std::get<wire::LoanChange>(body).loan_name);
      put(out, std::get<wire::LoanChange>(body).change);
      return put(out, std::get<wire::LoanChange>(body).from_date);
    case Kind::kAttribute:
      put(out, customer);
      put(out, std::get<wire::Attribute>(body).name);
      return put(out, std::get<wire::Attribute>(body).source);
    case Kind::kAlias:
      put(out, customer);
      put(out, std::get<wire::Alias>(body).other_system);
      return put(out, std::get<wire::Alias>(body).other_key);
    case Kind::kConsent:
      put(out, customer);
      put(out, std::get<wire::Consent>(body).purpose);
      return put(out, std::get<wire::Consent>(body).channel);
    case Kind::kRestriction:
      put(out, customer);
      return put(out, std::get<wire::Restriction>(body).type);
    case Kind::kProduct:
      return put(out, std::get<wire::Product>(body).product);
    case Kind::kMerchant:
      return put(out, std::get<wire::Merchant>(body).merchant);
    case Kind::kRate:
      if (!event.id.empty()) return put(out, event.id);
      put(out, std::get<wire::Rate>(body).base);
      put(out, std::get<wire::Rate>(body).quote);
      return put(out, event.occurred_us);
    case Kind::kHolding:
      if (!event.id.empty()) break;
      put(out, customer);
      return put(out, std::get<wire::Holding>(body).security_name);
    default:
      break;
  }
  out.push_back(static_cast<char>(system & 0xff));
  out.push_back(static_cast<char>(system >> 8));
  out.append(event.id);
}

std::uint64_t key_hash(Kind kind, std::string_view key) noexcept {
  return core::hash64(key, static_cast<std::uint64_t>(kind));
}

bool is_same_content(const wire::Event& a, const wire::Event& b) noexcept {
  if (a.body.index() != b.body.index() || a.occurred_us != b.occurred_us || a.id != b.id) return false;
  return std::visit(
      [&]<class Fact>(const Fact& left) {
        if constexpr (std::is_same_v<Fact, std::monostate>) {
          return true;
        } else {
          // Both sides are visited in the same order, so the fields can be compared by place.
          const Fact& right = std::get<Fact>(b.body);
          bool is_same = true;
          std::size_t field = 0;
          Fact::each(left, [&]<class T>(wire::Text, const T& mine) {
            std::size_t at = 0;
            Fact::each(right, [&]<class U>(wire::Text, const U& theirs) {
              if constexpr (std::is_same_v<T, U>) is_same = is_same && (at != field || mine == theirs);
              ++at;
            });
            ++field;
          });
          return is_same;
        }
      },
      a.body);
}

}  // namespace tellerd::silver
