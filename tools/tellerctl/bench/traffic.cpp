#include "tellerctl/bench/traffic.h"

#include <fmt/core.h>

#include <cmath>
#include <utility>

namespace tellerd::tellerctl::bench {
namespace {

using wire::Kind;

constexpr double kCorrectionAgeMean = 200'000;
constexpr std::uint64_t kEventsPerCorrection = 50;
constexpr core::Instant kHistoryUs = 4 * 7 * core::kDay;
constexpr std::pair<Kind, std::int64_t> kMix[] = {
    {Kind::kTransaction, 55},   {Kind::kLogin, 12},      {Kind::kActivity, 12},
    {Kind::kBillPayment, 6},    {Kind::kHostVisit, 5},   {Kind::kSms, 4},
    {Kind::kSupportContact, 3}, {Kind::kProductView, 2}, {Kind::kHolding, 1}};
constexpr std::array<wire::Text, 6> kCities{"Moscow", "Kazan", "Samara", "Perm", "Tver", "Omsk"};
constexpr std::array<wire::Text, 4> kChannels{"pos", "web", "atm", "app"};
constexpr std::array<wire::Text, 4> kDevices{"iPhone", "Pixel", "desktop", "tablet"};
constexpr std::array<wire::Text, 4> kBrowsers{"Safari", "Chrome", "Firefox", "Edge"};
constexpr std::array<wire::Text, 4> kActivities{"account", "transfer", "card", "deposit"};
constexpr std::array<wire::Text, 4> kBills{"electricity", "internet", "rent", "water"};
constexpr std::array<wire::Text, 4> kHosts{"news.example.com", "mail.example.org", "maps.example.net",
                                           "video.example.com"};
constexpr std::array<wire::Text, 4> kTopics{"card_limit", "transfer_delay", "loan_terms", "app_trouble"};
constexpr std::array<wire::Text, 4> kProducts{"P000101", "P000102", "P000205", "P000310"};
constexpr std::array<std::int32_t, 6> kMccs{5411, 5812, 5541, 4121, 5912, 5999};

// splitmix64 (Vigna): neighbours give unrelated values.
std::uint64_t mixed(std::uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

// Separate sequences of draws over the same n.
enum class Draw : std::uint64_t { kOrder = 1, kCorrects, kAge, kCustomer, kBody, kIdHigh, kIdLow, kAmount };
std::uint64_t drawn(std::uint64_t seed, Draw what, std::int64_t n) noexcept {
  return mixed(mixed(seed * 16 + static_cast<std::uint64_t>(what)) + static_cast<std::uint64_t>(n));
}
double share_of(std::uint64_t draw) noexcept { return static_cast<double>(draw >> 11) * 0x1p-53; }

template <class T, std::size_t n>
const T& picked(const std::array<T, n>& from, std::uint64_t draw) noexcept {
  return from[draw % n];
}

char letter_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::kTransaction:
      return 'T';
    case Kind::kLogin:
      return 'L';
    case Kind::kActivity:
      return 'A';
    case Kind::kBillPayment:
      return 'B';
    case Kind::kHostVisit:
      return 'H';
    case Kind::kSms:
      return 'S';
    case Kind::kSupportContact:
      return 'C';
    case Kind::kProductView:
      return 'V';
    default:
      return 'P';
  }
}

bool has_amount(Kind kind) noexcept { return kind == Kind::kTransaction || kind == Kind::kBillPayment; }

}  // namespace

Traffic::Traffic(const TrafficOptions& options) : options_(options) {
  std::size_t at = 0;
  for (const auto& [kind, share] : kMix) {
    shares_[static_cast<std::size_t>(kind)] = share;
    for (std::int64_t i = 0; i < share; ++i) kinds_[at++] = kind;
  }
  for (std::size_t left = kinds_.size(); left > 1; --left)
    std::swap(kinds_[left - 1], kinds_[drawn(options_.seed, Draw::kOrder, static_cast<std::int64_t>(left)) % left]);
  std::array<std::int64_t, 256> seen{};
  for (std::size_t place = 0; place < kinds_.size(); ++place)
    ranks_[place] = seen[static_cast<std::size_t>(kinds_[place])]++;
}

std::string Traffic::customer_key(std::int64_t customer) { return fmt::format("{:07}", customer); }

bool Traffic::is_correction(std::int64_t n) const { return corrected_by(n) != n; }

// The fact that event n corrects; n itself when it is a new fact.
std::int64_t Traffic::corrected_by(std::int64_t n) const {
  if (drawn(options_.seed, Draw::kCorrects, n) % kEventsPerCorrection != 0) return n;
  const std::int64_t span = n - options_.first;
  if (span < kBlock) return n;
  const std::uint64_t draw = drawn(options_.seed, Draw::kAge, n);
  auto age = static_cast<std::int64_t>(-kCorrectionAgeMean * std::log1p(-share_of(draw))) + 1;
  if (age > span) age = 1 + static_cast<std::int64_t>(draw % static_cast<std::uint64_t>(span));
  for (std::int64_t target = n - age; target >= options_.first; --target) {
    const bool is_new = drawn(options_.seed, Draw::kCorrects, target) % kEventsPerCorrection != 0;
    if (is_new && has_amount(kinds_[static_cast<std::size_t>(target % kBlock)])) return target;
  }
  return n;
}

core::Instant Traffic::occurred_us(std::int64_t n) const {
  if (n >= options_.history) return options_.now_us + (n - options_.history);
  const double done = static_cast<double>(n) / static_cast<double>(options_.history);
  return options_.now_us - kHistoryUs + static_cast<core::Instant>(done * static_cast<double>(kHistoryUs));
}

std::string_view Traffic::event(std::int64_t n) { return encoder_.encode(fact(n)); }

const wire::Event& Traffic::fact(std::int64_t n) {
  const std::int64_t original = corrected_by(n);
  fill(original);
  if (original == n) return event_;
  event_.version = static_cast<std::uint64_t>(occurred_us(n));
  const auto amount = static_cast<std::int64_t>(100 + drawn(options_.seed, Draw::kAmount, n) % 2'000'000);
  if (auto* transaction = std::get_if<wire::Transaction>(&event_.body)) transaction->amount_minor = amount;
  if (auto* bill = std::get_if<wire::BillPayment>(&event_.body)) bill->amount_minor = amount;
  return event_;
}

void Traffic::fill(std::int64_t n) {
  const auto place = static_cast<std::size_t>(n % kBlock);
  const Kind kind = kinds_[place];
  id_.clear();
  if (options_.is_uuid) {
    const std::uint64_t high = drawn(options_.seed, Draw::kIdHigh, n), low = drawn(options_.seed, Draw::kIdLow, n);
    fmt::format_to(std::back_inserter(id_), "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                   high & 0xfff, ((low >> 48) & 0x3fff) | 0x8000, low & 0xffff'ffff'ffff);
  } else {
    const std::int64_t ordinal = n / kBlock * shares_[static_cast<std::size_t>(kind)] + ranks_[place];
    fmt::format_to(std::back_inserter(id_), "{}{:09}", letter_of(kind), ordinal);
  }
  const double u = share_of(drawn(options_.seed, Draw::kCustomer, n));
  const double at = static_cast<double>(options_.customers) * (options_.is_skewed ? u * u * u : u);
  customer_.clear();
  fmt::format_to(std::back_inserter(customer_), "{:07}", static_cast<std::int64_t>(at));
  event_.id = id_;
  event_.system = {};
  event_.customer = customer_;
  event_.occurred_us = occurred_us(n);
  event_.version = 0;
  fill_body(kind, drawn(options_.seed, Draw::kBody, n));
}

void Traffic::fill_body(Kind kind, std::uint64_t draw) {
  const std::uint64_t choice = draw >> 40;
  const auto amount = static_cast<std::int64_t>(100 + draw % 2'000'000);
  switch (kind) {
    case Kind::kTransaction:
      merchant_.clear();
      fmt::format_to(std::back_inserter(merchant_), "M{:05}", choice % 5'000);
      event_.body = wire::Transaction{amount,
                                      "RUB",
                                      choice % 8 == 0 ? "credit" : "",
                                      picked(kMccs, choice),
                                      merchant_,
                                      picked(kCities, choice),
                                      picked(kChannels, choice)};
      return;
    case Kind::kLogin:
      event_.body = wire::Login{choice % 10 != 0, picked(kDevices, choice), picked(kBrowsers, choice)};
      return;
    case Kind::kActivity:
      event_.body = wire::Activity{picked(kActivities, choice), static_cast<std::int32_t>(1 + choice % 30),
                                   static_cast<std::int32_t>(1 + choice % 12)};
      return;
    case Kind::kBillPayment:
      event_.body =
          wire::BillPayment{amount, "RUB", picked(kBills, choice), choice % 12 == 0 ? "Pending" : "Completed"};
      return;
    case Kind::kHostVisit:
      event_.body = wire::HostVisit{picked(kHosts, choice)};
      return;
    case Kind::kSms:
      text_.clear();
      fmt::format_to(std::back_inserter(text_), "Code {:06}: nobody may know it", choice % 1'000'000);
      event_.body = wire::Sms{"900", text_};
      return;
    case Kind::kSupportContact:
      event_.body = wire::SupportContact{picked(kTopics, choice), "chat"};
      return;
    case Kind::kProductView:
      event_.body = wire::ProductView{
          "s1", picked(kProducts, choice), "cards", amount, static_cast<std::int32_t>(choice % 60'000), "home"};
      return;
    default:
      event_.body = wire::Holding{"stock", "Sample", 10'000'000, amount, amount + 500, "RUB", "2025-03-10"};
      return;
  }
}

std::string_view Traffic::consent(std::int64_t customer) {
  customer_ = customer_key(customer);
  event_ = {};
  event_.customer = customer_;
  event_.occurred_us = options_.now_us - kHistoryUs - core::kDay;
  event_.body = wire::Consent{"marketing", "all", true, "form", ""};
  return encoder_.encode(event_);
}

std::string_view Traffic::profile(std::int64_t customer) {
  const std::uint64_t draw = drawn(options_.seed, Draw::kBody, -1 - customer);
  customer_ = customer_key(customer);
  phone_ = fmt::format("+7900{:07}", customer);
  email_ = fmt::format("c{:07}@example.com", customer);
  text_ = fmt::format("Customer Number {}", customer);
  wire::Profile profile;
  profile.name = text_;
  profile.phone = phone_;
  profile.email = email_;
  profile.birth_date = "1984-05-17";
  profile.registered_on = "2024-02-01";
  profile.city = picked(kCities, draw);
  profile.gender = draw % 2 == 0 ? "F" : "M";
  profile.income_minor = static_cast<std::int64_t>(draw % 30'000'000);
  profile.client_code = static_cast<std::int32_t>(draw % 3);
  event_ = {};
  event_.customer = customer_;
  event_.occurred_us = options_.now_us - kHistoryUs - core::kDay;
  event_.body = profile;
  return encoder_.encode(event_);
}

}  // namespace tellerd::tellerctl::bench
