#include "wire/json.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/money.h"

namespace tellerd::wire {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr int kMicroDigits = 6;
constexpr int kUsualMinorDigits = 2;
constexpr Text kMainSystem = "main";

bool has_suffix(Text name, Text suffix) {
  return name.size() > suffix.size() && name.substr(name.size() - suffix.size()) == suffix;
}
// "amount" names "amount_minor" in decimals.
bool is_decimal_of(Text given, Text name, Text suffix) {
  return has_suffix(name, suffix) && given == name.substr(0, name.size() - suffix.size());
}

// Calls f with a default value of the kind's fact type.
template <std::size_t Index = 1, class F>
void with_fact(Kind kind, F&& f) {
  if constexpr (Index < std::variant_size_v<Body>) {
    if (static_cast<std::size_t>(kind) == Index)
      f(std::variant_alternative_t<Index, Body>{});
    else
      with_fact<Index + 1>(kind, std::forward<F>(f));
  }
}

struct FindAmount {
  Text given;
  bool& is_found;
  void operator()(Text name, const std::int64_t&) {
    is_found =
        is_found || given == name || is_decimal_of(given, name, "_minor") || is_decimal_of(given, name, "_micro");
  }
  template <class T>
  void operator()(Text, const T&) {}
};

// Whether any kind has an amount of that name: decides the reason for "NaN" before the kind is known.
bool is_amount_name(Text given) {
  bool is_found = false;
  for (int kind = 1; kind <= kEventKinds; ++kind)
    with_fact(static_cast<Kind>(kind), [&]<class Fact>(const Fact& fact) {
      Fact::each(fact, FindAmount{given, is_found});
    });
  return is_found;
}

Refusal refused(VerdictCode code, Text field, std::string words) {
  return Refusal{code, std::string(field), std::move(words)};
}

// "7" and "7.0", as tables with empty cells write whole numbers.
template <class Integer>
bool parse_whole(Text text, Integer& value) {
  const std::size_t point = text.find('.');
  if (point != Text::npos) {
    if (point + 1 == text.size() || text.find_first_not_of('0', point + 1) != Text::npos) return false;
    text = text.substr(0, point);
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<bool> parse_bool(Text text) {
  if (text == "true" || text == "True" || text == "TRUE" || text == "1") return true;
  if (text == "false" || text == "False" || text == "FALSE" || text == "0") return false;
  return std::nullopt;
}

std::optional<Refusal> parse_decimal(const Field& field, int digits, std::int64_t& value) {
  const core::ParsedAmount parsed = core::parse_amount(field.value, digits);
  value = parsed.minor;
  if (!parsed.error) return std::nullopt;
  switch (*parsed.error) {
    case core::AmountError::kNotANumber:
      return refused(VerdictCode::kBadAmount, field.name, "is no decimal number");
    case core::AmountError::kTooManyDigits:
      return refused(VerdictCode::kBadAmount, field.name, "has more digits after the point than can be kept");
    case core::AmountError::kTooLarge:
      break;
  }
  return refused(VerdictCode::kBadAmount, field.name, "is over the greatest amount");
}

// Gives one field to the member of that name. Decimals of money wait in `later` until the currency is known.
struct Later {
  const Field* field;
  std::int64_t* target;
};
struct Assign {
  const Field& field;
  std::vector<Later>& later;
  bool& is_known;
  std::optional<Refusal>& refusal;

  bool takes(Text name) {
    if (field.name != name) return false;
    is_known = true;
    return field.form != Form::kNull;
  }
  void operator()(Text name, Text& target) {
    if (takes(name)) target = field.value;
  }
  void operator()(Text name, bool& target) {
    if (!takes(name)) return;
    if (const auto value = parse_bool(field.value))
      target = *value;
    else
      refusal = refused(VerdictCode::kBadValue, field.name, "is neither true nor false");
  }
  void operator()(Text name, std::int32_t& target) {
    if (takes(name) && !parse_whole(field.value, target))
      refusal = refused(VerdictCode::kBadValue, field.name, "is no whole number of 32 bits");
  }
  void operator()(Text name, std::int64_t& target) {
    if (takes(name)) {
      if (!parse_whole(field.value, target))
        refusal = refused(VerdictCode::kBadAmount, field.name, "is no whole number of 64 bits");
    } else if (is_decimal_of(field.name, name, "_minor")) {
      is_known = true;
      if (field.form != Form::kNull) later.push_back({&field, &target});
    } else if (is_decimal_of(field.name, name, "_micro")) {
      is_known = true;
      if (field.form != Form::kNull) refusal = parse_decimal(field, kMicroDigits, target);
    }
  }
};

struct FindCurrency {
  Text& currency;
  void operator()(Text name, const Text& value) {
    if (name == "currency") currency = value;
  }
  template <class T>
  void operator()(Text, const T&) {}
};

bool is_head(Text name) {
  return name == "kind" || name == "id" || name == "system" || name == "customer" || name == "occurred_us" ||
         name == "occurred_at" || name == "version";
}

}  // namespace

// Collects the members of one object; anything nested ends the parse.
struct FlatObjectSax {
  FlatObject& object;
  std::string_view text;
  std::optional<Refusal> refusal;
  bool is_inside = false;

  FlatObject::Member& current() { return object.members_[object.count_ - 1]; }
  Text current_name() { return object.count_ == 0 ? Text() : Text(current().name); }
  bool give(Text value, Form form) {
    if (!is_inside) return fail(refused(VerdictCode::kMalformed, "", "is no JSON object"));
    current().value = value;
    current().form = form;
    return true;
  }
  bool fail(Refusal why) {
    refusal = std::move(why);
    return false;
  }

  bool null() { return give("", Form::kNull); }
  bool boolean(bool value) { return give(value ? "true" : "false", Form::kBool); }
  bool number_integer(json::number_integer_t value) { return give(std::to_string(value), Form::kNumber); }
  bool number_unsigned(json::number_unsigned_t value) { return give(std::to_string(value), Form::kNumber); }
  bool number_float(json::number_float_t, const std::string& token) { return give(token, Form::kNumber); }
  bool string(std::string& value) { return give(value, Form::kText); }
  bool binary(json::binary_t&) { return fail(refused(VerdictCode::kMalformed, "", "is no JSON text")); }
  bool start_array(std::size_t) { return nested(); }
  bool end_array() { return true; }
  bool end_object() { return true; }
  bool start_object(std::size_t) {
    if (is_inside) return nested();
    is_inside = true;
    return true;
  }
  bool nested() {
    if (!is_inside) return fail(refused(VerdictCode::kMalformed, "", "is no JSON object"));
    return fail(refused(VerdictCode::kBadValue, current_name(), "holds a list or an object where one value belongs"));
  }
  bool key(std::string& name) {
    const auto used = object.members_.begin() + static_cast<std::ptrdiff_t>(object.count_);
    const auto is_same = [&name](const FlatObject::Member& member) { return member.name == name; };
    if (std::any_of(object.members_.begin(), used, is_same))
      return fail(refused(VerdictCode::kBadValue, name, "is given twice"));
    if (object.count_ == object.members_.size()) object.members_.emplace_back();
    object.members_[object.count_++].name = name;
    return true;
  }
  // NaN and Infinity are not JSON, but programs write them; numbers beyond a double end here too.
  bool parse_error(std::size_t position, const std::string&, const json::exception& error) {
    const std::string_view rest = text.substr(std::min(text.size(), position > 0 ? position - 1 : 0));
    const bool is_not_finite = rest.starts_with("NaN") || rest.starts_with("Infinity") || error.id == 406;
    if (is_inside && is_not_finite && object.count_ > 0) {
      const bool is_amount = is_amount_name(current_name());
      return fail(refused(is_amount ? VerdictCode::kBadAmount : VerdictCode::kBadValue, current_name(),
                          "is not a finite number"));
    }
    return fail(refused(VerdictCode::kMalformed, "", "is not JSON at byte " + std::to_string(position)));
  }
};

std::optional<Refusal> FlatObject::parse(std::string_view text) {
  count_ = 0;
  fields_.clear();
  FlatObjectSax sax{*this, text, std::nullopt, false};
  if (!json::sax_parse(text.begin(), text.end(), &sax)) return sax.refusal;
  for (std::size_t at = 0; at < count_; ++at)
    fields_.push_back({members_[at].name, members_[at].value, members_[at].form});
  return std::nullopt;
}

EventReader::EventReader(const core::Calendar& calendar, std::string_view system, Kind kind)
    : calendar_(calendar), system_(system == kMainSystem ? std::string_view() : system), kind_(kind) {}

std::variant<const Event*, Refusal> EventReader::read(std::string_view json_object) {
  if (auto refusal = object_.parse(json_object)) return *std::move(refusal);
  return assemble(object_.fields());
}

std::variant<const Event*, Refusal> EventReader::assemble(std::span<const Field> fields) {
  event_ = Event{};
  event_.system = system_;
  Kind kind = kind_;
  bool is_dated = false;
  for (const Field& field : fields) {
    if (field.form == Form::kNull || !is_head(field.name)) continue;
    if (field.name == "kind") {
      kind = kind_named(field.value);
      if (kind == Kind::kNone) return refused(VerdictCode::kUnknownKind, "kind", "is no kind of event");
    } else if (auto refusal = set_head(field, is_dated)) {
      return *std::move(refusal);
    }
  }
  if (kind == Kind::kNone) return refused(VerdictCode::kMissingField, "kind", "is missing");
  if (!is_dated && is_dated_activity(kind)) return refused(VerdictCode::kMissingField, "occurred_us", "is missing");
  with_fact(kind, [&]<class Fact>(const Fact&) { event_.body.emplace<Fact>(); });
  if (auto refusal = set_body(fields)) return *std::move(refusal);
  return &event_;
}

std::optional<Refusal> EventReader::set_head(const Field& field, bool& is_dated) {
  if (field.name == "id") {
    event_.id = field.value;
  } else if (field.name == "system") {
    event_.system = field.value == kMainSystem ? Text() : field.value;
  } else if (field.name == "customer") {
    const std::size_t colon = field.value.find(':');
    event_.customer = colon == Text::npos ? field.value : field.value.substr(colon + 1);
    const Text system = colon == Text::npos ? Text(event_.system) : field.value.substr(0, colon);
    event_.system = system == kMainSystem ? Text() : system;
  } else if (field.name == "version") {
    if (!parse_whole(field.value, event_.version))
      return refused(VerdictCode::kBadValue, "version", "is no whole number from 0 on");
  } else if (field.name == "occurred_us") {
    if (!parse_whole(field.value, event_.occurred_us))
      return refused(VerdictCode::kBadTime, "occurred_us", "is no whole number of microseconds");
    is_dated = true;
  } else {
    const auto at = core::parse_instant(field.value, calendar_);
    if (!at) return refused(VerdictCode::kBadTime, "occurred_at", "is no ISO 8601 time");
    event_.occurred_us = *at;
    is_dated = true;
  }
  return std::nullopt;
}

std::optional<Refusal> EventReader::set_body(std::span<const Field> fields) {
  std::vector<Later> later;
  std::optional<Refusal> refusal;
  Text currency;
  std::visit(
      [&]<class Fact>(Fact& fact) {
        if constexpr (!std::is_same_v<Fact, std::monostate>) {
          for (const Field& field : fields) {
            if (is_head(field.name)) continue;
            bool is_known = false;
            Fact::each(fact, Assign{field, later, is_known, refusal});
            if (!refusal && !is_known)
              refusal = refused(VerdictCode::kBadValue, field.name, "is no field of " + std::string(Fact::kName));
            if (refusal) return;
          }
          Fact::each(std::as_const(fact), FindCurrency{currency});
        }
      },
      event_.body);
  if (refusal || later.empty()) return refusal;
  const auto code = core::currency_of(currency);
  if (!code && !currency.empty()) return refused(VerdictCode::kBadAmount, "currency", "is no currency of ISO 4217");
  const int digits = code ? core::minor_digits(*code) : kUsualMinorDigits;
  for (const Later& one : later)
    if (!refusal) refusal = parse_decimal(*one.field, digits, *one.target);
  return refusal;
}

namespace {

// Fields that differ from a fresh fact's, in schema order.
template <class Fact>
struct WriteChanged {
  ordered_json& to;
  std::vector<ordered_json> defaults{};
  bool is_collecting = true;
  std::size_t at = 0;
  template <class T>
  void operator()(Text name, const T& value) {
    ordered_json written = value_of(value);
    if (is_collecting)
      defaults.push_back(std::move(written));
    else if (written != defaults[at++])
      to[std::string(name)] = std::move(written);
  }
  static ordered_json value_of(const Text& value) { return std::string(value); }
  template <class T>
  static ordered_json value_of(const T& value) {
    return value;
  }
};

template <class Fact>
void write_fact(const Fact& fact, ordered_json& to) {
  WriteChanged<Fact> writer{to};
  const Fact fresh;
  Fact::each(fresh, writer);
  writer.is_collecting = false;
  Fact::each(fact, writer);
}

void write_customer(const Event& event, ordered_json& to) {
  const bool is_main = event.system.empty() || event.system == kMainSystem;
  if (event.customer.empty()) {
    if (!is_main) to["system"] = std::string(event.system);
    return;
  }
  const bool names_system = !is_main || event.customer.find(':') != Text::npos;
  const std::string prefix = names_system ? std::string(is_main ? kMainSystem : event.system) + ":" : std::string();
  to["customer"] = prefix + std::string(event.customer);
}

}  // namespace

void append_json(const Event& event, std::string& to) {
  ordered_json object;
  object["kind"] = std::string(name_of(event.kind()));
  if (!event.id.empty()) object["id"] = std::string(event.id);
  write_customer(event, object);
  object["occurred_us"] = event.occurred_us;
  object["occurred_at"] = core::format_instant(event.occurred_us);
  if (event.version != 0) object["version"] = event.version;
  std::visit(
      [&]<class Fact>(const Fact& fact) {
        if constexpr (!std::is_same_v<Fact, std::monostate>) write_fact(fact, object);
      },
      event.body);
  to += object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace tellerd::wire
