// No limit of the default pack is exceeded, whatever is asked and answered in whatever order, in any time zone. What
// was let through is counted again by another hand: local days by the library of time zones, windows by brute force.
#define USE_OS_TZDB 1
#include <date/tz.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "decide/contact_book.h"

using namespace tellerd;
using namespace tellerd::decide;
using core::Instant;

namespace {

struct Made {  // what took place, as the reference knows it
  Instant at_us;
  bool is_collection, is_message, is_conversation, is_reserved;
  std::int64_t key;
};

struct Local {
  int day, week, month, minute;
  bool is_weekend;
};

Local local_of(Instant at_us, const date::time_zone& zone) {
  const auto time = zone.to_local(date::sys_time<std::chrono::microseconds>(std::chrono::microseconds(at_us)));
  const auto day = date::floor<date::days>(time);
  const date::year_month_day civil{day};
  const date::weekday weekday{day};
  const int number = static_cast<int>(day.time_since_epoch().count());
  return {number, number - static_cast<int>(weekday.iso_encoding()),
          static_cast<int>(civil.year()) * 12 + static_cast<int>(static_cast<unsigned>(civil.month())),
          static_cast<int>(std::chrono::duration_cast<std::chrono::minutes>(time - day).count()),
          weekday == date::Saturday || weekday == date::Sunday};
}

class Walk {
 public:
  // From some time after `from_s`; the library's table of changes ends in 2037.
  Walk(const std::string& zone, std::uint64_t seed, std::int64_t from_s = 1'600'000'000)
      : zone_(*date::locate_zone(zone)), chance_(seed) {
    static const Pack pack = parse_pack(read_pack_files("default"));
    pack_ = &pack;
    book_.set_branch_zone("UTC");
    book_.set_rules(pack.contact, pack.holidays);
    book_.know(0, Purpose::kMarketing, Channel::kCall, Credit::kNone, "a", "", "");
    book_.know(1, Purpose::kMarketing, Channel::kMessage, Credit::kNone, "b", "", "");
    book_.know(2, Purpose::kCollection, Channel::kCall, Credit::kNone, "c", "", "");
    book_.know(3, Purpose::kCollection, Channel::kMessage, Credit::kNone, "d", "", "");
    book_.put(1, *mark_of(wire::Consent{"marketing", "all", true, "form", ""}, 0, 1));
    book_.set_zone(1, zone);
    now_us_ = (from_s + number(0, 200'000'000)) * core::kSecond;
  }

  // Returns how often it was let through.
  int run(int steps) {
    int through = 0;
    for (int step = 0; step < steps; ++step) {
      now_us_ += number(0, 100) < 60 ? number(0, 3 * core::kHour) : number(0, 2 * core::kDay);
      const auto about = static_cast<std::size_t>(number(0, 3));
      const auto verdict = book_.check(1, about, now_us_);
      for (const auto& [rule, contacts] : book_.terms(1, about, now_us_).left) {  // none left is a block by that rule
        const auto is_by = [&, number = rule](const Hit& hit) { return hit.rule == number; };
        REQUIRE((contacts == 0) == std::any_of(verdict.hits.begin(), verdict.hits.end(), is_by));
      }
      if (verdict.may_contact()) {
        ++through;
        reserve(about);
        check_limits();
      } else {
        REQUIRE(verdict.open_us() > now_us_);
      }
      while (!open_.empty() && number(0, 100) < 55) answer();
    }
    return through;
  }

 private:
  std::int64_t number(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(chance_);
  }

  void reserve(std::size_t about) {
    const Channel channel = book_.subject(about).channel;
    book_.put(1, PastContact{now_us_, -++keys_, static_cast<std::uint16_t>(about), made_by_lease(channel)});
    made_.push_back({now_us_, about >= 2, channel == Channel::kMessage, channel == Channel::kCall, true, -keys_});
    open_.push_back(made_.size() - 1);
  }

  // Reached, not reached, or given back.
  void answer() {
    const auto at = static_cast<std::size_t>(number(0, static_cast<std::int64_t>(open_.size()) - 1));
    const std::size_t which = open_[at];
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(at));
    Made& made = made_[which];
    const std::size_t about = made.is_collection * 2 + made.is_message;
    book_.take_contact(1, made.key);
    made.is_reserved = false;
    const std::int64_t how = number(0, 2);
    if (how == 0) {
      made.at_us = INT64_MIN;  // never was
      return;
    }
    const char* code = how == 1 ? "NO_ANSWER" : "CALLBACK";
    made.at_us = now_us_;
    made.is_conversation = how == 2 && !made.is_message;
    book_.put(1, PastContact{now_us_, ++keys_, static_cast<std::uint16_t>(about),
                             made_by(*find_outcome_code(code), book_.subject(about).channel)});
  }

  // At most `allowed` of these in any local day, week or month and in any rolling window. An answer comes later than
  // its lease and may fall into another day: that was let through by the law of the lease's moment, so only what is
  // true now is judged.
  template <class Is>
  void check_limit(Is&& is, int day, int week, int month, int rolling_days, int allowed) {
    const Local now = local_of(now_us_, zone_);
    int in_day = 0, in_week = 0, in_month = 0, rolling = 0;
    for (const Made& made : made_) {
      if (made.at_us == INT64_MIN || !is(made)) continue;
      const Local then = local_of(made.at_us, zone_);
      in_day += then.day == now.day;
      in_week += then.week == now.week;
      in_month += then.month == now.month;
      rolling += made.at_us > now_us_ - rolling_days * core::kDay;
    }
    if (day) REQUIRE(in_day <= day);
    if (week) REQUIRE(in_week <= week);
    if (month) REQUIRE(in_month <= month);
    REQUIRE(rolling <= allowed);
  }

  // The contact that has just been let through is in.
  void check_limits() {
    const Made& last = made_.back();
    const Local now = local_of(now_us_, zone_);
    const bool is_off = pack_->holidays.is_day_off(now.day);
    const int begin = last.is_collection ? (is_off ? 9 : 8) : (is_off ? 10 : 9);
    const int end = last.is_collection ? (is_off ? 20 : 22) : (is_off ? 18 : 20);
    REQUIRE(now.minute >= begin * 60);
    REQUIRE(now.minute < end * 60);
    const auto conversation = [](const Made& one) { return one.is_collection && one.is_conversation; };
    const auto message = [](const Made& one) { return one.is_collection && one.is_message; };
    const auto call = [](const Made& one) { return !one.is_collection && !one.is_message; };
    const auto any = [](const Made& one) { return !one.is_collection; };
    if (last.is_collection && !last.is_message) {
      check_limit(conversation, 1, 0, 0, 1, 1);
      check_limit(conversation, 0, 2, 0, 7, 2);
      check_limit(conversation, 0, 0, 8, 30, 8);
    } else if (last.is_collection) {
      check_limit(message, 2, 0, 0, 1, 2);
      check_limit(message, 0, 4, 0, 7, 4);
      check_limit(message, 0, 0, 16, 30, 16);
    } else {
      check_limit(any, 0, 0, 4, 0, 1'000'000);
      if (!last.is_message) check_limit(call, 0, 0, 0, 14, 1);
    }
    for (const Made& made : made_)  // one purpose for each contact under way
      if (made.is_reserved) REQUIRE(made.is_collection == last.is_collection);
  }

  const date::time_zone& zone_;
  std::mt19937_64 chance_;
  const Pack* pack_ = nullptr;
  ContactBook book_;
  std::vector<Made> made_;
  std::vector<std::size_t> open_;
  Instant now_us_ = 0;
  std::int64_t keys_ = 1;
};

}  // namespace

TEST_SUITE("decide.contact_limits") {
  TEST_CASE("no limit is exceeded in any zone of the database, under any order of asking and answering") {
    int through = 0, zones = 0;
    std::uint64_t seed = 1;
    for (const date::time_zone& zone : date::get_tzdb().zones) {
      CAPTURE(zone.name());
      through += Walk(zone.name(), ++seed).run(400);
      ++zones;
    }
    CHECK(zones > 300);
    CHECK(through > 20 * zones);  // else nothing was tried
  }

  TEST_CASE("nor in a long walk where the clocks are changed") {
    for (const char* zone : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kamchatka"})
      CHECK(Walk(zone, 77, 900'000'000).run(20'000) > 500);
  }
}
