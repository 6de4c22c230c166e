// Facts whose versions differ give the same silver and the same sums, bits, segments and loan marts in whatever order
// and however often they come. What is expected is worked out here, from the newest version of each fact, without the
// engine.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <map>
#include <numeric>
#include <random>
#include <set>

#include "support/fold.h"
#include "support/scratch_folder.h"

using namespace tellerd;
namespace w = wire;
using tests::Fold;
using tests::LogMaker;
using tests::ScratchFolder;

namespace {

constexpr core::Instant kNow = tests::kMonday + 70 * core::kWeek + 3 * core::kDay;  // a Thursday
constexpr int kWeeksBack = 60;

struct Facts {
  std::deque<std::string> texts;
  std::vector<w::Event> events;
};

// Keys are A0… in broker and B0… in way4, so that no key needs its system shown.
void name(std::mt19937_64& chance, Facts& facts, w::Event& event) {
  const bool is_broker = chance() % 2;
  event.system = is_broker ? "broker" : "way4";
  facts.texts.push_back((is_broker ? "A" : "B") + std::to_string(chance() % 3));
  event.customer = facts.texts.back();
}

w::Body some_body(std::mt19937_64& chance, Facts& facts) {
  const auto amount = static_cast<std::int64_t>(chance() % 12'000'001) - 1'000'000;
  switch (chance() % 11) {
    case 0:
    case 1:
      return w::Transaction{
          amount, "RUB", chance() % 4 ? "debit" : "credit", chance() % 2 ? 5411 : chance() % 2 ? 6011 : 4121, "",
          "",     ""};
    case 2:
    case 3:
      return w::Login{chance() % 2 == 0, "", ""};
    case 4:
      return w::Activity{"page", static_cast<std::int32_t>(chance() % 50), static_cast<std::int32_t>(chance() % 9)};
    case 5:
      return w::BillPayment{amount, "USD", "phone", "Failed"};
    case 6:
      return w::SupportContact{"card", ""};
    case 7:
      return w::Sms{"900", chance() % 2 ? "Ваш Ромашка-БАНК" : "привет"};
    case 8:
      return w::HostVisit{chance() % 2 ? "lk.gorizont.example" : "notgorizont.example"};
    case 9:
      return w::Holding{"ETF", "", static_cast<std::int64_t>(chance() % 5) * 1'000'000, 0, 10'000'000, "RUB", ""};
    default: {
      const bool is_broker = chance() % 2;
      facts.texts.push_back((is_broker ? "A" : "B") + std::to_string(chance() % 3));
      return w::Alias{is_broker ? "broker" : "way4", facts.texts.back(), chance() % 3 != 0};
    }
  }
}

Facts some_facts(std::mt19937_64& chance) {
  Facts facts;
  for (int number = 0; number < 14; ++number) {
    w::Event event;
    facts.texts.push_back("F" + std::to_string(number));
    event.id = facts.texts.back();
    name(chance, facts, event);
    event.body = some_body(chance, facts);
    const int versions = 1 + static_cast<int>(chance() % 3);
    for (int version = 1; version <= versions; ++version) {
      event.version = static_cast<std::uint64_t>(version);
      event.occurred_us = kNow - static_cast<core::Instant>(chance() % (kWeeksBack * core::kWeek));
      if (auto* alias = std::get_if<w::Alias>(&event.body)) {
        alias->valid = chance() % 3 != 0;
      } else {
        if (chance() % 4 == 0) name(chance, facts, event);
        const w::Body other = some_body(chance, facts);
        if (other.index() == event.body.index()) event.body = other;
      }
      facts.events.push_back(event);
    }
  }
  for (int number = 0; number < 3; ++number) {
    w::Event event;
    name(chance, facts, event);
    event.occurred_us = kNow;
    event.version = 1;
    event.body = w::Profile{};
    facts.events.push_back(event);
  }
  return facts;
}

using Key = std::pair<std::string, std::string>;  // system, key

struct Sums {
  std::int64_t transactions = 0, total = 0, largest = 0, logins = 0, successes = 0, activities = 0, minutes = 0,
               views = 0, bills = 0, bill_total = 0, holdings = 0, portfolio = 0;
  std::uint64_t tx = 0, sup = 0, sms = 0, host = 0;
  std::map<int, std::int64_t> spend;
  bool has_profile = false;
};

std::string tier_of(const Sums& sums) {
  if ((sums.total >= 200'000'00 && sums.logins >= 5) || sums.portfolio >= 500'000'00) return "VIP";
  if (sums.total >= 100'000'00 || (sums.logins >= 10 && sums.activities >= 20)) return "Premium";
  return sums.total >= 50'000'00 ? "Standard" : "Basic";
}

std::string combined_of(const Sums& sums) {
  const std::string tier = tier_of(sums);
  if (tier == "VIP" || tier == "Standard") return tier + (sums.logins >= 5 ? " Active" : " Passive");
  if (tier == "Premium") return tier + (sums.logins >= 10 ? " Active" : " Passive");
  return sums.transactions > 0 ? "Transaction Only" : "Low Engagement";
}

std::string category_of(const Sums& sums) {
  std::string best = "NULL";
  std::int64_t most = 0;
  for (const auto& [mcc, sum] : sums.spend) {
    const std::int64_t weight = mcc == 6011 ? sum / 1000 : sum;
    if (weight > most) most = weight, best = mcc == 5411 ? "Supermarkets" : mcc == 6011 ? "Money" : "Taxi";
  }
  return best;
}

// The table mart_customer should hold, one line a customer.
std::string expected(const std::vector<w::Event>& events) {
  std::map<std::string, const w::Event*> newest;
  std::map<Key, Key> parent;
  auto mention = [&](Key key) { parent.try_emplace(key, key); };
  for (const auto& event : events) {
    mention({std::string(event.system), std::string(event.customer)});
    std::string about = fmt::format("{}|{}|{}", static_cast<int>(event.kind()), event.system, event.id);
    if (const auto* alias = std::get_if<w::Alias>(&event.body)) {
      mention({std::string(alias->other_system), std::string(alias->other_key)});
      about = fmt::format("alias|{}|{}|{}|{}", event.system, event.customer, alias->other_system, alias->other_key);
    }
    if (event.kind() == w::Kind::kProfile) about = fmt::format("profile|{}|{}", event.system, event.customer);
    const w::Event*& best = newest[about];
    if (!best || best->version < event.version) best = &event;
  }
  auto root = [&](Key key) {
    while (parent[key] != key) key = parent[key];
    return key;
  };
  for (const auto& [about, event] : newest)
    if (const auto* alias = std::get_if<w::Alias>(&event->body); alias && alias->valid) {
      const Key a = root({std::string(event->system), std::string(event->customer)}),
                b = root({std::string(alias->other_system), std::string(alias->other_key)});
      parent[std::max(a, b)] = std::min(a, b);
    }
  std::map<Key, Sums> customers;
  for (const auto& [key, unused] : parent) customers[root(key)];
  for (const auto& [about, event] : newest) {
    Sums& sums = customers[root({std::string(event->system), std::string(event->customer)})];
    // kMonday is a Monday and the branch keeps UTC, so weeks since it are whole weeks.
    const auto week = [](core::Instant at_us) { return (at_us - tests::kMonday + 100 * core::kWeek) / core::kWeek; };
    const std::uint64_t bit = 1ull << (week(kNow) - week(event->occurred_us));
    if (const auto* transaction = std::get_if<w::Transaction>(&event->body)) {
      ++sums.transactions;
      sums.total += transaction->amount_minor;
      sums.largest = std::max(sums.largest, transaction->amount_minor);
      sums.tx |= bit;
      if (transaction->direction != "credit") sums.spend[transaction->mcc] += transaction->amount_minor;
    } else if (const auto* login = std::get_if<w::Login>(&event->body)) {
      ++sums.logins;
      sums.successes += login->success;
    } else if (const auto* activity = std::get_if<w::Activity>(&event->body)) {
      ++sums.activities;
      sums.minutes += activity->minutes;
      sums.views += activity->page_views;
    } else if (const auto* bill = std::get_if<w::BillPayment>(&event->body)) {
      ++sums.bills;
      sums.bill_total += bill->amount_minor;
    } else if (const auto* holding = std::get_if<w::Holding>(&event->body)) {
      ++sums.holdings;
      sums.portfolio += holding->quantity_micro / 1'000'000 * holding->current_price_minor;
    } else if (const auto* sms = std::get_if<w::Sms>(&event->body)) {
      if (sms->text != "привет") sums.sms |= bit;
    } else if (const auto* host = std::get_if<w::HostVisit>(&event->body)) {
      if (host->host.starts_with("lk.")) sums.host |= bit;
    } else if (event->kind() == w::Kind::kSupportContact) {
      sums.sup |= bit;
    } else if (event->kind() == w::Kind::kProfile) {
      sums.has_profile = true;
    }
  }
  std::map<std::string, std::string> lines;
  for (const auto& [key, sums] : customers)
    lines[key.second] =
        fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", key.second, sums.transactions,
                    sums.total, sums.largest, sums.logins, sums.successes, sums.activities, sums.minutes, sums.views,
                    sums.bills, sums.bill_total, sums.holdings, sums.portfolio, sums.tx, sums.sup, sums.sms, sums.host,
                    sums.tx ? std::to_string(std::countr_zero(sums.tx)) : "NULL", category_of(sums),
                    sums.has_profile ? tier_of(sums) : "NULL", sums.has_profile ? combined_of(sums) : "NULL");
  std::string table;
  for (const auto& [key, line] : lines) table += (table.empty() ? "" : "\n") + line;
  return table;
}

const char* const kCustomers =
    "SELECT "
    "key,transaction_count,transaction_total_minor,transaction_max_minor,login_count,successful_login_count,activity_"
    "count,"
    "activity_minutes,page_views,bill_count,bill_total_minor,holding_count,portfolio_value_minor,tx_weeks,sup_weeks,"
    "sms_weeks,"
    "host_weeks,inactive_weeks,priority_category,tier,combined_segment FROM mart_customer ORDER BY key";

struct Answer {
  std::string customers, loans, dpd;
};

Answer answer_of(const std::vector<w::Event>& events) {
  LogMaker log(ingest::ClockMode::kWall, kNow);
  log.pack("original");
  for (const auto& event : events) log.event(event);
  const ScratchFolder folder;
  Fold fold(log, folder / "teller.db");
  fold.apply_all();
  return {fold.ask(kCustomers),
          fold.ask("SELECT * FROM mart_loan_overdue_month ORDER BY 1,2") + "\n" +
              fold.ask("SELECT * FROM mart_loan_payment ORDER BY 1,2,5"),
          fold.ask("SELECT * FROM mart_dpd_bucket ORDER BY 1") + "\n" +
              fold.ask("SELECT key,overdue_loans,dpd FROM mart_customer ORDER BY 1")};
}

std::vector<w::Event> shuffled(std::vector<w::Event> events, std::mt19937_64& chance) {
  for (std::size_t at = 0, size = events.size(); at < size / 4; ++at)
    events.push_back(events[chance() % size]);  // told twice
  std::shuffle(events.begin(), events.end(), chance);
  return events;
}

std::string told(const std::vector<w::Event>& events) {
  LogMaker log(ingest::ClockMode::kWall, kNow);
  for (const auto& event : events) log.event(event);
  return std::to_string(log.records().size()) + " events";
}

}  // namespace

TEST_SUITE("golden.any_order") {
  TEST_CASE("customers are what the newest versions of their facts say, in any order and told any number of times") {
    int wrong = 0;
    for (std::uint64_t seed = 1; seed <= 70 && wrong < 3; ++seed) {
      CAPTURE(seed);
      std::mt19937_64 chance(seed);
      const Facts facts = some_facts(chance);
      const std::string should = expected(facts.events);
      for (int permutation = 0; permutation < 10; ++permutation) {
        const auto events = shuffled(facts.events, chance);
        const Answer is = answer_of(events);
        CHECK_MESSAGE(is.customers == should, told(events));
        if (is.customers != should) {
          ++wrong;
          break;
        }
      }
    }
  }

  TEST_CASE("loans, instalments, pauses and corrections in any order give the same loan marts") {
    int wrong = 0;
    for (std::uint64_t seed = 1; seed <= 30 && wrong < 3; ++seed) {
      CAPTURE(seed);
      std::mt19937_64 chance(seed);
      Facts facts;
      const auto date = [&](int back) -> std::string_view {
        facts.texts.push_back(core::format_date(static_cast<core::Day>(kNow / core::kDay) - back));
        return facts.texts.back();
      };
      for (int number = 0; number < 18; ++number) {
        w::Event event;
        event.system = "loans";
        facts.texts.push_back("C" + std::to_string(chance() % 2));
        event.customer = facts.texts.back();
        event.occurred_us = kNow;
        event.version = static_cast<std::uint64_t>(number + 1);
        const std::string_view loan = chance() % 2 ? "car" : "home";
        const auto draw = chance() % 8;
        if (draw < 2)
          event.body =
              w::Loan{loan, static_cast<std::int64_t>(chance() % 60'000'000), "RUB", date(200), "", 6, 1'000'000, ""};
        else if (draw < 3)
          event.body = w::LoanChange{loan, "pause", date(20 + static_cast<int>(chance() % 3)),
                                     date(static_cast<int>(chance() % 15)), 0};
        else
          event.body = w::InstalmentPayment{loan, static_cast<std::int32_t>(1 + chance() % 3),
                                            date(static_cast<int>(chance() % 90)),
                                            chance() % 3 ? date(static_cast<int>(chance() % 60)) : "",
                                            static_cast<std::int64_t>(chance() % 2 * 1'000'000)};
        facts.events.push_back(event);
      }
      const Answer first = answer_of(facts.events);
      for (int permutation = 0; permutation < 10; ++permutation) {
        const Answer is = answer_of(shuffled(facts.events, chance));
        CHECK(is.loans == first.loans);
        CHECK(is.dpd == first.dpd);
        if (is.loans != first.loans || is.dpd != first.dpd) {
          ++wrong;
          break;
        }
      }
    }
  }
}
