#include "support/world.h"

#include <fmt/core.h>

#include "core/time.h"
#include "support/churn_models.h"
#include "wire/json.h"

namespace tellerd::tests {
namespace {

namespace w = wire;
using wire::Event;

const std::vector<std::string_view> kSystems = {"broker", "way4", "loans", ""};
const std::vector<std::string_view> kCurrencies = {"RUB", "RUB", "RUB", "USD", "EUR"};
const std::vector<std::int64_t> kAmounts = {-500'000,  0,         100,       999'900,    1'000'000, 2'500'000,
                                            4'999'999, 5'000'000, 9'000'000, 20'000'000, 60'000'000};

void put(decide::PackFiles& files, const std::string& file, const std::string& from, const std::string& to) {
  std::string& text = files.at(file);
  std::size_t begin = 0;
  while (text[begin] == '#') begin = text.find('\n', begin) + 1;
  const std::size_t at = text.find(from, begin);
  if (at != std::string::npos) text.replace(at, from.size(), to);
}

}  // namespace

decide::PackFiles changed_pack(const std::string& name, int change) {
  decide::PackFiles files = decide::read_pack_files(name);
  switch (change) {
    case 1:
      put(files, "offers.toml", "base_minor = 1000000", "base_minor = 1100000");
      break;
    case 2:
      put(files, "segments.toml", "downgrade_days = 14", "downgrade_days = 3");
      break;
    case 3:
      put(files, "pack.toml", "transaction_weeks = 52", "transaction_weeks = 8");
      break;
    case 4:
      put(files, "competitors.toml", "\"gorizont.example\",", "\"bank.example\",");
      break;
    case 5:
      put(files, "churn.toml", "horizon_weeks = 12", "horizon_weeks = 5");
      break;
    case 6:
      put(files, "offers.toml", "days_valid = 7", "days_valid = 5");
      break;
    case 7:
      put(files, "pack.toml", "grace_days = 3", "grace_days = 0");
      break;
    default:
      break;
  }
  return files;
}

World::World(const WorldOptions& options)
    : options_(options), chance_(options.seed), log_(std::make_unique<LogMaker>(options.clock)) {}

std::string_view World::keep(std::string text) {
  texts_.push_back(std::move(text));
  return texts_.back();
}

std::unique_ptr<LogMaker> World::make() {
  t_us_ = kMonday + number(0, 6) * core::kDay;
  log_->arrive_at(t_us_);
  log_->zone(options_.zone);
  log_->pack(options_.pack);
  while (static_cast<int>(log_->records().size()) < options_.records) {
    if (options_.announced) announce();
    pass_time();
    log_->arrive_at(t_us_);
    tell();
  }
  return std::move(log_);
}

void World::announce() {
  const int made = static_cast<int>(log_->records().size()), at = options_.records * 2 / 3;
  if (!coming_ && !is_announced_ && made >= at) {
    log_->coming_pack(coming_.emplace(*options_.announced));
    std::swap(options_.step_us, options_.announced_step_us);
    is_announced_ = true;
  } else if (coming_ && made >= at + options_.records / 10) {
    log_->pack(*coming_);
    coming_.reset();
    std::swap(options_.step_us, options_.announced_step_us);
  }
}

// Mostly a little, sometimes weeks, sometimes to within minutes of a new week.
void World::pass_time() {
  if (happens(20)) return;
  if (options_.announced && coming_ && options_.step_us < core::kHour)
    t_us_ += number(0, 2 * options_.step_us);
  else if (happens(2))
    t_us_ += number(1, 9) * core::kWeek;
  else if (happens(8))
    t_us_ = (t_us_ / core::kWeek + 1) * core::kWeek + 4 * core::kDay - number(0, 6) * core::kMinute;
  else
    t_us_ += number(0, 2 * options_.step_us);
}

core::Instant World::some_time() {
  if (happens(60)) return t_us_ - number(0, core::kHour);
  if (happens(25)) return t_us_ + number(0, 4 * core::kMinute);
  if (happens(60)) return t_us_ - number(0, 5 * core::kWeek);
  return t_us_ - number(0, 63 * core::kWeek);
}

std::string_view World::some_date(int days_back, int days_ahead) {
  return keep(core::format_date(static_cast<core::Day>(t_us_ / core::kDay + number(-days_back, days_ahead))));
}

void World::name_customer(Event& event) {
  event.system = one_of(kSystems);
  event.customer = keep("C" + std::to_string(number(1, options_.customers)));
}

void World::say(Event event) {
  log_->event(event, producer_, is_backfill_);
  if (log_->last_verdict() != wire::VerdictCode::kAccepted)
    refused_.push_back(log_->records().back().seq);
  else
    told_.push_back(event);
}

void World::tell_loan() {
  Event event;
  name_customer(event);
  event.system = "loans";
  const std::string_view name = happens(50) ? "car" : "home";
  event.occurred_us = some_time();
  event.version = static_cast<std::uint64_t>(number(0, 2));
  const std::int64_t planned = 1'000'000;
  if (happens(25))
    event.body = w::Loan{name,    one_of(std::vector<std::int64_t>{5'000'000, 5'000'001, 10'000'000, 50'000'001}),
                         "RUB",   some_date(300, 0),
                         "",      12,
                         planned, happens(10) ? some_date(5, 0) : ""};
  else if (happens(12))
    event.body = w::LoanChange{name, happens(80) ? "pause" : "write_off", some_date(40, 10),
                               happens(80) ? some_date(0, 40) : "", 0};
  else
    event.body = w::InstalmentPayment{name, static_cast<std::int32_t>(number(1, 8)), some_date(80, 30),
                                      happens(40) ? "" : some_date(60, 0), happens(70) ? planned : number(0, planned)};
  say(event);
}

// A fact told before: the same, with another version, other content, another time or another customer.
void World::tell_again() {
  if (told_.empty()) return;
  Event event = one_of(told_);
  if (happens(60))
    event.version += static_cast<std::uint64_t>(number(0, 2));
  else if (event.version && happens(50))
    --event.version;
  if (happens(40)) event.occurred_us = some_time();
  if (happens(15) && wire::names_a_customer(event.kind()))
    event.customer = keep("C" + std::to_string(number(1, options_.customers)));
  if (happens(70)) {
    if (auto* transaction = std::get_if<w::Transaction>(&event.body)) transaction->amount_minor = one_of(kAmounts);
    if (auto* login = std::get_if<w::Login>(&event.body)) login->success = !login->success;
    if (auto* activity = std::get_if<w::Activity>(&event.body)) activity->minutes += 1;
    if (auto* bill = std::get_if<w::BillPayment>(&event.body)) bill->status = happens(50) ? "Completed" : "Pending";
    if (auto* sms = std::get_if<w::Sms>(&event.body)) sms->text = happens(50) ? "Ромашка-Банк: кредит" : "hello";
    if (auto* rate = std::get_if<w::Rate>(&event.body)) rate->value_micro += 1'000'000;
    if (auto* holding = std::get_if<w::Holding>(&event.body)) holding->current_price_minor *= 2;
    if (auto* instalment = std::get_if<w::InstalmentPayment>(&event.body)) instalment->fact_date = some_date(20, 0);
    if (auto* alias = std::get_if<w::Alias>(&event.body)) alias->valid = !alias->valid;
  }
  say(event);
}

void World::tell_refused() {
  if (!refused_.empty() && happens(40)) {
    Event event;
    name_customer(event);
    event.id = keep("R" + std::to_string(number(1, 20)));
    event.occurred_us = some_time();
    event.body = w::Transaction{happens(70) ? 1'000'000 : INT64_MAX, "RUB", "debit", 5411, "", "", ""};
    log_->repair(one_of(refused_), event);
    return;
  }
  Event event;
  name_customer(event);
  event.id = "bad";
  event.occurred_us = happens(50) ? t_us_ - 70 * core::kWeek : t_us_ + 10 * core::kMinute;
  event.body = w::Login{true, "", ""};
  if (happens(30)) event.body = w::Unreadable{"BAD_AMOUNT", "amount", "x", "f.csv:1"};
  if (happens(30)) {
    log_->bytes("no flatbuffer at all", producer_, is_backfill_);
    refused_.push_back(log_->records().back().seq);
  } else {
    say(event);
  }
}

void World::change_pack() {
  if (options_.has_zones && happens(30))
    log_->zone(happens(50) ? "Europe/Moscow" : "UTC");
  else if (const auto files = changed_pack(happens(70) ? "default" : "original", static_cast<int>(number(0, 7)));
           happens(50))
    log_->pack(files);
  else
    log_->coming_pack(coming_.emplace(files));
}

// One is trained, used, rolled back, turned off, or is no model at all.
void World::change_model() {
  const std::string& sealed = small_model(static_cast<std::size_t>(number(0, 1)));
  if (happens(10)) return static_cast<void>(log_->model(sealed.substr(0, 200)));
  if (happens(40)) log_->model(sealed);
  if (happens(80)) log_->activate_model(happens(90) ? id_of(sealed) : happens(50) ? "" : "000000000000");
}

void World::tell() {
  if (coming_ && !options_.announced && happens(5)) {
    log_->pack(*coming_);
    coming_.reset();
    return;
  }
  if (is_backfill_ && happens(6)) {
    Event end;
    end.occurred_us = t_us_;
    end.body = w::BackfillEnd{""};
    log_->event(end, producer_, true);
    is_backfill_ = false;
    producer_ = "app";
    return;
  }
  if (producer_.starts_with("load:") && !is_backfill_ && happens(6)) {
    Event end;
    end.occurred_us = t_us_;
    end.body = w::BackfillEnd{""};
    if (happens(70)) log_->event(end, producer_, false);
    producer_ = "app";
    return;
  }
  if (producer_ == "app" && options_.has_loads && happens(3)) {
    producer_ = "load:" + std::to_string(number(1, 3));
    is_backfill_ = options_.has_backfill && happens(50);
  }
  if (options_.has_packs && happens(2)) return change_pack();
  if (options_.has_models && happens(3)) return change_model();
  if (log_->is_wall() && happens(4)) return static_cast<void>(log_->tick());
  if (happens(4)) return tell_refused();
  if (happens(18)) return tell_again();
  if (happens(20)) return tell_loan();
  Event event;
  name_customer(event);
  event.id = keep("T" + std::to_string(++ids_));
  event.occurred_us = some_time();
  event.version = happens(80) ? 0 : static_cast<std::uint64_t>(number(0, 3));
  if (options_.has_aliases && happens(5)) {
    event.body = w::Alias{one_of(kSystems), keep("C" + std::to_string(number(1, options_.customers))), happens(70)};
    return say(event);
  }
  const std::int64_t kind = number(1, 100);
  if (kind <= 25)
    event.body = w::Transaction{one_of(kAmounts),
                                one_of(kCurrencies),
                                happens(80) ? "debit" : "credit",
                                happens(50)   ? 5411
                                : happens(50) ? 6011
                                              : 4121,
                                "",
                                "",
                                ""};
  else if (kind <= 45)
    event.body = w::Login{happens(85), "phone", ""};
  else if (kind <= 57)
    event.body = w::Activity{"page", static_cast<std::int32_t>(number(0, 30)), static_cast<std::int32_t>(number(0, 9))};
  else if (kind <= 63)
    event.body =
        w::BillPayment{one_of(kAmounts), one_of(kCurrencies), "utilities", happens(70) ? "Completed" : "Failed"};
  else if (kind <= 67)
    event.body = w::SupportContact{"card", "phone"};
  else if (kind <= 71)
    event.body = w::Sms{"900", happens(50) ? "РОМАШКА-банк зовёт" : "привет"};
  else if (kind <= 75)
    event.body = w::HostVisit{happens(50) ? "lk.gorizont.example" : "bank.example"};
  else if (kind <= 80) {
    event.id = keep("H" + std::to_string(number(1, 20)));
    event.body = w::Holding{"ETF", "Index", number(1, 9) * 1'500'000, 0, one_of(kAmounts) / 2, "RUB", ""};
  } else if (kind <= 84) {
    event.id = happens(50) ? keep("RATE" + std::to_string(number(1, 9))) : "";
    event.body = w::Rate{happens(60) ? "USD" : "EUR", "RUB", number(80, 110) * 1'000'000, "official"};
    event.system = event.customer = {};
  } else if (kind <= 89) {
    w::Profile profile;
    profile.name = "Анна Петрова";
    profile.city = "Казань";
    profile.registered_on = happens(50) ? some_date(0, 0) : some_date(400, 0);
    profile.client_code = static_cast<std::int32_t>(number(0, 99));
    if (happens(40))
      profile.timezone = one_of(std::vector<std::string_view>{"Europe/Moscow", "Asia/Kamchatka", "Mars"});
    event.body = profile;
  } else if (kind <= 90)
    event.body = w::Attribute{"pet", happens(50) ? "cat" : "dog", "survey"};
  else if (kind <= 93)
    event.body = w::Consent{"marketing", happens(80) ? "all" : "phone", happens(80), happens(90) ? "form" : "",
                            happens(80) ? "" : some_date(0, 40)};
  else if (kind <= 94)
    event.body =
        w::Restriction{one_of(std::vector<std::string_view>{"do_not_call", "complaint", "bankruptcy", "self_ban"}),
                       happens(30), "call", happens(70) ? "" : some_date(0, 20)};
  else if (kind <= 95)
    event.body = w::ProductView{"s", "P1", "lamps", 100, 1000, ""};
  else if (kind <= 96)
    event.body = w::Order{"P1", 1, 100, "RUB", "paid", "s"};
  else if (kind <= 97)
    event.body = w::Impression{"s", "P1", 1, true, ""};
  else if (kind <= 98)
    event.body = w::Outcome{"00d1f3a2b4c5e697", "ACCEPTED", "", 0, "", "desk"};
  else {
    event.system = event.customer = {};
    if (happens(50))
      event.body = w::Product{"P1", "lamps", "Lamp", 100, "RUB", happens(50)};
    else
      event.body = w::Merchant{"M1", "Shop", 5411, "Казань"};
  }
  say(event);
}

std::string describe(const LogMaker& log) {
  std::string text;
  wire::Decoder decoder;
  for (const auto& record : log.records()) {
    text += fmt::format("{} now {} received {} {}{}{} ", record.seq, core::format_instant(record.now_us),
                        core::format_instant(record.received_us), log.producer_name(record.producer),
                        record.is_backfill ? " backfill" : "", record.runs_all_due ? " all-due" : "");
    text += std::string(wire::name_of(record.kind)) + ' ';
    if (record.kind < wire::Kind::kTick)
      wire::append_json(decoder.decode(record.payload), text);
    else if (record.kind == wire::Kind::kRepair)
      wire::append_json(decoder.decode(record.payload.substr(8)), text);
    else if (record.kind == wire::Kind::kConfigRecorded ||
             (record.kind >= wire::Kind::kQueueSession && record.kind <= wire::Kind::kQueueTimer))
      text += record.payload;
    else if (record.kind == wire::Kind::kPackActivated || record.kind == wire::Kind::kPackComing)
      text += fmt::format("hash {}", decide::pack_hash(decide::deserialise_pack(record.payload)));
    text += '\n';
  }
  return text;
}

}  // namespace tellerd::tests
