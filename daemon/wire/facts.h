// Events as plain structs: what the wire carries and what silver keeps, field by field. `each` lists a kind's fields in
// schema order; encoding, decoding, JSON and silver rows are all driven by it, so a field has one home.
// Text is a view into the bytes it was decoded from. Units are those of schema/event.fbs.
#pragma once
#include <cstdint>
#include <string_view>
#include <variant>

#include "core/time.h"

namespace tellerd::wire {

using Text = std::string_view;
using core::Instant;

// Values are the union's own numbers; daemon records (made by the recorder, JSON payload) start at 100.
enum class Kind : std::uint8_t {
  kNone = 0,
  kTransaction,
  kSupportContact,
  kSms,
  kHostVisit,
  kLogin,
  kActivity,
  kHolding,
  kLoan,
  kLoanChange,
  kInstalmentPayment,
  kBillPayment,
  kProduct,
  kProductView,
  kOrder,
  kImpression,
  kOutcome,
  kRate,
  kProfile,
  kAttribute,
  kAlias,
  kMerchant,
  kConsent,
  kRestriction,
  kUnreadable,
  kBackfillEnd,
  kTick = 100,
  kPackActivated,
  kConfigRecorded,
  kRepair,
  kRefused,
  kPackComing,
  kQueueSession = 110,
  kQueueGrant,
  kQueueLease,
  kQueueOutcome,
  kQueueTimer,  // deliver/queue_record.h
  kModelTrained = 120,
  kModelActivated,
};
inline constexpr int kEventKinds = 25;

#define TELLERD_EACH(...)            \
  template <class Self, class V>     \
  static void each(Self& s, V&& v) { \
    __VA_ARGS__                      \
  }

struct Transaction {
  static constexpr Kind kKind = Kind::kTransaction;
  static constexpr Text kName = "transaction";
  std::int64_t amount_minor = 0;
  Text currency, direction;
  std::int32_t mcc = 0;
  Text merchant, city, channel;
  TELLERD_EACH(v("amount_minor", s.amount_minor); v("currency", s.currency); v("direction", s.direction);
               v("mcc", s.mcc); v("merchant", s.merchant); v("city", s.city); v("channel", s.channel);)
};
struct SupportContact {
  static constexpr Kind kKind = Kind::kSupportContact;
  static constexpr Text kName = "support_contact";
  Text topic, channel;
  TELLERD_EACH(v("topic", s.topic); v("channel", s.channel);)
};
struct Sms {
  static constexpr Kind kKind = Kind::kSms;
  static constexpr Text kName = "sms";
  Text sender, text;
  TELLERD_EACH(v("sender", s.sender); v("text", s.text);)
};
struct HostVisit {
  static constexpr Kind kKind = Kind::kHostVisit;
  static constexpr Text kName = "host_visit";
  Text host;
  TELLERD_EACH(v("host", s.host);)
};
struct Login {
  static constexpr Kind kKind = Kind::kLogin;
  static constexpr Text kName = "login";
  bool success = false;
  Text device, browser;
  TELLERD_EACH(v("success", s.success); v("device", s.device); v("browser", s.browser);)
};
struct Activity {
  static constexpr Kind kKind = Kind::kActivity;
  static constexpr Text kName = "activity";
  Text type;
  std::int32_t minutes = 0, page_views = 0;
  TELLERD_EACH(v("type", s.type); v("minutes", s.minutes); v("page_views", s.page_views);)
};
struct Holding {  // quantity in millionths: funds are held in fractions
  static constexpr Kind kKind = Kind::kHolding;
  static constexpr Text kName = "holding";
  Text security_type, security_name;
  std::int64_t quantity_micro = 0, purchase_price_minor = 0, current_price_minor = 0;
  Text currency, purchase_date;
  TELLERD_EACH(v("security_type", s.security_type); v("security_name", s.security_name);
               v("quantity_micro", s.quantity_micro); v("purchase_price_minor", s.purchase_price_minor);
               v("current_price_minor", s.current_price_minor); v("currency", s.currency);
               v("purchase_date", s.purchase_date);)
};
struct Loan {
  static constexpr Kind kKind = Kind::kLoan;
  static constexpr Text kName = "loan";
  Text loan_name;
  std::int64_t amount_minor = 0;
  Text currency, start_date, end_date;
  std::int32_t payment_count = 0;
  std::int64_t planned_minor = 0;
  Text closed_date;
  TELLERD_EACH(v("loan_name", s.loan_name); v("amount_minor", s.amount_minor); v("currency", s.currency);
               v("start_date", s.start_date); v("end_date", s.end_date); v("payment_count", s.payment_count);
               v("planned_minor", s.planned_minor); v("closed_date", s.closed_date);)
};
struct LoanChange {  // change: pause | restructuring | write_off
  static constexpr Kind kKind = Kind::kLoanChange;
  static constexpr Text kName = "loan_change";
  Text loan_name, change, from_date, to_date;
  std::int64_t amount_minor = 0;
  TELLERD_EACH(v("loan_name", s.loan_name); v("change", s.change); v("from_date", s.from_date); v("to_date", s.to_date);
               v("amount_minor", s.amount_minor);)
};
struct InstalmentPayment {  // fact_date empty: planned, not paid yet
  static constexpr Kind kKind = Kind::kInstalmentPayment;
  static constexpr Text kName = "instalment_payment";
  Text loan_name;
  std::int32_t payment_number = 0;
  Text payment_date, fact_date;
  std::int64_t paid_minor = 0;
  TELLERD_EACH(v("loan_name", s.loan_name); v("payment_number", s.payment_number); v("payment_date", s.payment_date);
               v("fact_date", s.fact_date); v("paid_minor", s.paid_minor);)
};
struct BillPayment {
  static constexpr Kind kKind = Kind::kBillPayment;
  static constexpr Text kName = "bill_payment";
  std::int64_t amount_minor = 0;
  Text currency, type, status;
  TELLERD_EACH(v("amount_minor", s.amount_minor); v("currency", s.currency); v("type", s.type); v("status", s.status);)
};
struct Product {
  static constexpr Kind kKind = Kind::kProduct;
  static constexpr Text kName = "product";
  Text product, category, name;
  std::int64_t price_minor = 0;
  Text currency;
  bool in_stock = true;
  TELLERD_EACH(v("product", s.product); v("category", s.category); v("name", s.name); v("price_minor", s.price_minor);
               v("currency", s.currency); v("in_stock", s.in_stock);)
};
struct ProductView {
  static constexpr Kind kKind = Kind::kProductView;
  static constexpr Text kName = "product_view";
  Text session, product, category;
  std::int64_t price_minor = 0;
  std::int32_t dwell_ms = 0;
  Text referrer;
  TELLERD_EACH(v("session", s.session); v("product", s.product); v("category", s.category);
               v("price_minor", s.price_minor); v("dwell_ms", s.dwell_ms); v("referrer", s.referrer);)
};
struct Order {
  static constexpr Kind kKind = Kind::kOrder;
  static constexpr Text kName = "order";
  Text product;
  std::int32_t quantity = 0;
  std::int64_t amount_minor = 0;
  Text currency, status, session;
  TELLERD_EACH(v("product", s.product); v("quantity", s.quantity); v("amount_minor", s.amount_minor);
               v("currency", s.currency); v("status", s.status); v("session", s.session);)
};
struct Impression {
  static constexpr Kind kKind = Kind::kImpression;
  static constexpr Text kName = "impression";
  Text session, item;
  std::int32_t slot = 0;
  bool noticed = false;
  Text reaction;
  TELLERD_EACH(v("session", s.session); v("item", s.item); v("slot", s.slot); v("noticed", s.noticed);
               v("reaction", s.reaction);)
};
struct Outcome {
  static constexpr Kind kKind = Kind::kOutcome;
  static constexpr Text kName = "outcome";
  Text offer_id, code, note;
  std::int64_t amount_minor = 0;
  Text promise_date, desk;
  TELLERD_EACH(v("offer_id", s.offer_id); v("code", s.code); v("note", s.note); v("amount_minor", s.amount_minor);
               v("promise_date", s.promise_date); v("desk", s.desk);)
};
struct Rate {  // one unit of base costs value_micro millionths of quote
  static constexpr Kind kKind = Kind::kRate;
  static constexpr Text kName = "rate";
  Text base, quote;
  std::int64_t value_micro = 0;
  Text type;
  TELLERD_EACH(v("base", s.base); v("quote", s.quote); v("value_micro", s.value_micro); v("type", s.type);)
};
struct Profile {
  static constexpr Kind kKind = Kind::kProfile;
  static constexpr Text kName = "profile";
  Text name, phone, email, birth_date, registered_on, city, segment, status, gender, education, job_type, region,
      family_status, address, passport;
  std::int32_t children = -1;
  std::int64_t income_minor = 0;
  Text language, timezone;
  std::int32_t client_code = 0;
  bool resident = true;
  TELLERD_EACH(v("name", s.name); v("phone", s.phone); v("email", s.email); v("birth_date", s.birth_date);
               v("registered_on", s.registered_on); v("city", s.city); v("segment", s.segment); v("status", s.status);
               v("gender", s.gender); v("education", s.education); v("job_type", s.job_type); v("region", s.region);
               v("family_status", s.family_status); v("address", s.address); v("passport", s.passport);
               v("children", s.children); v("income_minor", s.income_minor); v("language", s.language);
               v("timezone", s.timezone); v("client_code", s.client_code); v("resident", s.resident);)
};
struct Attribute {
  static constexpr Kind kKind = Kind::kAttribute;
  static constexpr Text kName = "attribute";
  Text name, value, source;
  TELLERD_EACH(v("name", s.name); v("value", s.value); v("source", s.source);)
};
struct Alias {  // valid = false undoes the join
  static constexpr Kind kKind = Kind::kAlias;
  static constexpr Text kName = "alias";
  Text other_system, other_key;
  bool valid = true;
  TELLERD_EACH(v("other_system", s.other_system); v("other_key", s.other_key); v("valid", s.valid);)
};
struct Merchant {
  static constexpr Kind kKind = Kind::kMerchant;
  static constexpr Text kName = "merchant";
  Text merchant, name;
  std::int32_t mcc = 0;
  Text city;
  TELLERD_EACH(v("merchant", s.merchant); v("name", s.name); v("mcc", s.mcc); v("city", s.city);)
};
struct Consent {
  static constexpr Kind kKind = Kind::kConsent;
  static constexpr Text kName = "consent";
  Text purpose, channel;
  bool granted = false;
  Text evidence, valid_to;
  TELLERD_EACH(v("purpose", s.purpose); v("channel", s.channel); v("granted", s.granted); v("evidence", s.evidence);
               v("valid_to", s.valid_to);)
};
struct Restriction {  // type: do_not_call | complaint | deceased | bankruptcy | self_ban | representative
  static constexpr Kind kKind = Kind::kRestriction;
  static constexpr Text kName = "restriction";
  Text type;
  bool active = true;
  Text source, valid_to;
  TELLERD_EACH(v("type", s.type); v("active", s.active); v("source", s.source); v("valid_to", s.valid_to);)
};
struct Unreadable {
  static constexpr Kind kKind = Kind::kUnreadable;
  static constexpr Text kName = "unreadable";
  Text reason, field, text, source;
  TELLERD_EACH(v("reason", s.reason); v("field", s.field); v("text", s.text); v("source", s.source);)
};
struct BackfillEnd {
  static constexpr Kind kKind = Kind::kBackfillEnd;
  static constexpr Text kName = "backfill_end";
  Text note;
  TELLERD_EACH(v("note", s.note);)
};

#undef TELLERD_EACH

// Alternative n holds the kind with number n.
using Body = std::variant<std::monostate, Transaction, SupportContact, Sms, HostVisit, Login, Activity, Holding, Loan,
                          LoanChange, InstalmentPayment, BillPayment, Product, ProductView, Order, Impression, Outcome,
                          Rate, Profile, Attribute, Alias, Merchant, Consent, Restriction, Unreadable, BackfillEnd>;
static_assert(std::variant_size_v<Body> == kEventKinds + 1);

struct Event {
  Text id, system, customer;
  Instant occurred_us = 0;
  std::uint64_t version = 0;
  Body body;

  Kind kind() const noexcept { return static_cast<Kind>(body.index()); }
};

Text name_of(Kind kind) noexcept;     // "transaction"; "?" for a number that is no kind
Kind kind_named(Text name) noexcept;  // kNone when there is none

// Dated activity ages and is bounded in time (domain.md 6); the other kinds are neither TOO_OLD nor move event time.
constexpr bool is_dated_activity(Kind kind) noexcept {
  switch (kind) {
    case Kind::kTransaction:
    case Kind::kSupportContact:
    case Kind::kSms:
    case Kind::kHostVisit:
    case Kind::kLogin:
    case Kind::kActivity:
    case Kind::kBillPayment:
    case Kind::kProductView:
    case Kind::kOrder:
    case Kind::kImpression:
    case Kind::kOutcome:
      return true;
    default:
      return false;
  }
}
// Kinds that move the event clock (design.md 1): all but these four.
constexpr bool moves_event_clock(Kind kind) noexcept {
  return kind != Kind::kLoan && kind != Kind::kInstalmentPayment && kind != Kind::kHolding && kind != Kind::kRate &&
         kind != Kind::kLoanChange && kind != Kind::kUnreadable && kind != Kind::kBackfillEnd && kind < Kind::kTick;
}
constexpr bool names_a_customer(Kind kind) noexcept {
  return kind != Kind::kProduct && kind != Kind::kMerchant && kind != Kind::kRate && kind != Kind::kUnreadable &&
         kind != Kind::kBackfillEnd && kind != Kind::kNone && kind < Kind::kTick;
}

}  // namespace tellerd::wire
