#include "ingest/admission.h"

#include <array>
#include <initializer_list>
#include <variant>

#include "core/limits.h"
#include "core/money.h"
#include "core/text.h"

namespace tellerd::ingest {
namespace {

namespace limits = core::limits;
using wire::Kind;
using wire::Text;
using wire::VerdictCode;

constexpr core::Instant kEarliest = -2'208'988'800 * core::kSecond;  // 1900
constexpr core::Instant kLatest = 7'258'118'400 * core::kSecond;     // 2200

constexpr bool is_date_field(Text name) {
  return name.ends_with("_date") || name.ends_with("_on") || name == "valid_to";
}
constexpr bool is_long_text(Text name) {
  return name == "text" || name == "note" || name == "evidence" || name == "value" || name == "address";
}

// Checks that hold for every field of a name or type, whatever the kind. Inlined, they are chosen by the compiler,
// which knows the names.
struct FieldRules {
  Judgement& found;
  [[gnu::always_inline]] void operator()(Text name, const Text& value) {
    if (!found.is_accepted()) return;
    const std::size_t bound = is_long_text(name) ? limits::kTextBytesMax : limits::kNameBytesMax;
    if (value.size() > bound || !core::is_utf8(value))
      found = {VerdictCode::kBadText, name};
    else if (!value.empty() && is_date_field(name) && !core::parse_date(value))
      found = {VerdictCode::kBadTime, name};
    else if (!value.empty() && name == "currency" && !core::currency_of(value))
      found = {VerdictCode::kBadAmount, name};
  }
  [[gnu::always_inline]] void operator()(Text name, const std::int64_t& value) {
    if (!found.is_accepted()) return;
    const bool is_amount = name.ends_with("_minor") || name.ends_with("_micro");
    if (is_amount && (value > core::kAmountMinorMax || value < -core::kAmountMinorMax))
      found = {VerdictCode::kBadAmount, name};
  }
  template <class T>
  void operator()(Text, const T&) {}
};

Judgement missing(Text field) { return {VerdictCode::kMissingField, field}; }
Judgement bad(Text field) { return {VerdictCode::kBadValue, field}; }

bool is_one_of(Text value, std::initializer_list<Text> allowed) {
  for (const Text one : allowed)
    if (value == one) return true;
  return false;
}

// Checks of one kind; kinds without rules of their own fall to the template.
template <class Fact>
Judgement judge_fact(const Fact&) {
  return {};
}
Judgement judge_fact(const wire::Transaction& fact) {
  if (fact.currency.empty()) return {VerdictCode::kBadAmount, "currency"};
  if (!is_one_of(fact.direction, {"", "debit", "credit", "transfer"})) return bad("direction");
  if (fact.mcc < 0 || fact.mcc > 9999) return bad("mcc");
  return {};
}
Judgement judge_fact(const wire::BillPayment& fact) {
  return fact.currency.empty() ? Judgement{VerdictCode::kBadAmount, "currency"} : Judgement{};
}
Judgement judge_fact(const wire::HostVisit& fact) { return fact.host.empty() ? missing("host") : Judgement{}; }
Judgement judge_fact(const wire::Activity& fact) {
  if (fact.minutes < 0) return bad("minutes");
  return fact.page_views < 0 ? bad("page_views") : Judgement{};
}
Judgement judge_fact(const wire::Loan& fact) {
  if (fact.loan_name.empty()) return missing("loan_name");
  if (fact.amount_minor < 0) return {VerdictCode::kBadAmount, "amount_minor"};
  return fact.payment_count < 0 || fact.payment_count > 1200 ? bad("payment_count") : Judgement{};
}
Judgement judge_fact(const wire::LoanChange& fact) {
  if (fact.loan_name.empty()) return missing("loan_name");
  if (fact.from_date.empty()) return missing("from_date");
  return is_one_of(fact.change, {"pause", "restructuring", "write_off"}) ? Judgement{} : bad("change");
}
Judgement judge_fact(const wire::InstalmentPayment& fact) {
  if (fact.loan_name.empty()) return missing("loan_name");
  if (fact.payment_date.empty()) return missing("payment_date");
  return fact.payment_number < 1 || fact.payment_number > 1200 ? bad("payment_number") : Judgement{};
}
Judgement judge_fact(const wire::Product& fact) { return fact.product.empty() ? missing("product") : Judgement{}; }
Judgement judge_fact(const wire::ProductView& fact) { return fact.product.empty() ? missing("product") : Judgement{}; }
Judgement judge_fact(const wire::Order& fact) { return fact.product.empty() ? missing("product") : Judgement{}; }
Judgement judge_fact(const wire::Impression& fact) { return fact.item.empty() ? missing("item") : Judgement{}; }
Judgement judge_fact(const wire::Outcome& fact) {
  if (fact.offer_id.empty()) return missing("offer_id");
  return fact.code.empty() ? missing("code") : Judgement{};
}
Judgement judge_fact(const wire::Rate& fact) {
  if (!core::currency_of(fact.base)) return {VerdictCode::kBadAmount, "base"};
  if (!core::currency_of(fact.quote)) return {VerdictCode::kBadAmount, "quote"};
  return fact.value_micro <= 0 ? Judgement{VerdictCode::kBadAmount, "value_micro"} : Judgement{};
}
Judgement judge_fact(const wire::Profile& fact) {
  return fact.client_code < 0 || fact.client_code > 99 ? bad("client_code") : Judgement{};
}
Judgement judge_fact(const wire::Attribute& fact) { return fact.name.empty() ? missing("name") : Judgement{}; }
Judgement judge_fact(const wire::Alias& fact) { return fact.other_key.empty() ? missing("other_key") : Judgement{}; }
Judgement judge_fact(const wire::Merchant& fact) { return fact.merchant.empty() ? missing("merchant") : Judgement{}; }
Judgement judge_fact(const wire::Consent& fact) { return fact.purpose.empty() ? missing("purpose") : Judgement{}; }
Judgement judge_fact(const wire::Restriction& fact) {
  const bool is_known =
      is_one_of(fact.type, {"do_not_call", "complaint", "deceased", "bankruptcy", "self_ban", "representative"});
  return is_known ? Judgement{} : bad("type");
}
// A loader's own refusal keeps the loader's reason.
Judgement judge_fact(const wire::Unreadable& fact) {
  for (const auto code :
       {VerdictCode::kBadAmount, VerdictCode::kBadText, VerdictCode::kBadTime, VerdictCode::kMissingField,
        VerdictCode::kUnknownKind, VerdictCode::kBadValue, VerdictCode::kMalformed})
    if (fact.reason == wire::name_of(code)) return {code, fact.field};
  return {VerdictCode::kUnreadable, fact.field};
}

Judgement judge_head(const wire::Event& event) {
  const Kind kind = event.kind();
  if (kind == Kind::kNone) return {VerdictCode::kUnknownKind, "body"};
  if (event.id.size() > limits::kIdBytesMax || !core::is_utf8(event.id)) return {VerdictCode::kBadText, "id"};
  if (event.system.size() > limits::kIdBytesMax || !core::is_utf8(event.system))
    return {VerdictCode::kBadText, "system"};
  if (event.customer.size() > limits::kKeyBytesMax || !core::is_utf8(event.customer))
    return {VerdictCode::kBadText, "customer"};
  if (event.id.empty() && is_dated_activity(kind)) return missing("id");
  if (event.customer.empty() && wire::names_a_customer(kind)) return missing("customer");
  if (event.occurred_us < kEarliest || event.occurred_us > kLatest) return {VerdictCode::kBadTime, "occurred_us"};
  if (event.version > INT64_MAX) return bad("version");
  return {};
}

}  // namespace

Judgement judge_content(std::string_view bytes, wire::Decoder& decoder, wire::Event& event) {
  if (bytes.size() > limits::kEventBytesMax) return {VerdictCode::kTooLarge, "event"};
  const std::string_view aligned = decoder.aligned(bytes);
  if (!wire::verify_event(aligned)) return {VerdictCode::kMalformed, "event"};
  event = decoder.decode(aligned);
  Judgement found = judge_head(event);
  if (!found.is_accepted()) return found;
  return std::visit(
      [&]<class Fact>(const Fact& fact) {
        if constexpr (!std::is_same_v<Fact, std::monostate>) {
          Fact::each(fact, FieldRules{found});
          if (found.is_accepted()) found = judge_fact(fact);
        }
        return found;
      },
      event.body);
}

Judgement judge_future(const wire::Event& event, core::Instant received_us) noexcept {
  const bool is_bounded =
      wire::moves_event_clock(event.kind()) && event.occurred_us > received_us + limits::kFutureUsMax;
  return is_bounded ? Judgement{VerdictCode::kFromFuture, "occurred_us"} : Judgement{};
}

Judgement judge_age(const wire::Event& event, core::Instant now_us) noexcept {
  const bool is_old =
      wire::is_dated_activity(event.kind()) && event.occurred_us < now_us - limits::kActivityWeeksKept * core::kWeek;
  return is_old ? Judgement{VerdictCode::kTooOld, "occurred_us"} : Judgement{};
}

}  // namespace tellerd::ingest
