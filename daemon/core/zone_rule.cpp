#include "core/zone_rule.h"

#include <algorithm>

#include "core/civil.h"

namespace tellerd::core {

// Reads a rule from the left; any failure sticks.
struct ZoneRule::Reader {
  std::string_view text;
  bool good = true;

  bool next_is(char c) const noexcept { return !text.empty() && text.front() == c; }
  bool skip(char c) noexcept {
    if (!next_is(c)) return false;
    text.remove_prefix(1);
    return true;
  }
  void expect(char c) noexcept { good = skip(c) && good; }

  std::int64_t number(std::int64_t smallest, std::int64_t largest) noexcept {
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9'; ++digits)
      value = value * 10 + (text[digits] - '0');
    text.remove_prefix(digits);
    good = good && digits > 0 && value >= smallest && value <= largest;
    return value;
  }

  // "EST" or "<+0330>".
  void name() noexcept {
    const bool is_quoted = skip('<');
    const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    const auto end =
        is_quoted ? std::find(text.begin(), text.end(), '>') : std::find_if_not(text.begin(), text.end(), is_letter);
    good = good && end != text.begin();
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    if (is_quoted) expect('>');
  }

  // "5", "-3:30", "+1:00:00".
  std::int64_t clock_s() noexcept {
    const bool is_negative = skip('-');
    if (!is_negative) skip('+');
    std::int64_t seconds = number(0, 167) * 3600;
    if (skip(':')) seconds += number(0, 59) * 60;
    if (skip(':')) seconds += number(0, 59);
    return is_negative ? -seconds : seconds;
  }

  Moment moment() noexcept {
    Moment result;
    if (skip('M')) {
      result.month = number(1, 12);
      expect('.');
      result.week = number(1, 5);
      expect('.');
      result.day = number(0, 6);
    } else if (skip('J')) {
      result.form = Form::kJulian;
      result.day = number(1, 365);
    } else {
      result.form = Form::kDayOfYear;
      result.day = number(0, 365);
    }
    result.time_s = skip('/') ? clock_s() : 2 * 3600;
    return result;
  }
};

std::optional<ZoneRule> ZoneRule::parse(std::string_view text) noexcept {
  Reader in{text};
  ZoneRule rule;
  in.name();
  rule.standard_s_ = -in.clock_s();  // POSIX counts westward
  if (!in.good || in.text.empty()) return std::nullopt;
  in.name();
  rule.summer_s_ = in.next_is(',') ? rule.standard_s_ + 3600 : -in.clock_s();
  in.expect(',');
  rule.to_summer_ = in.moment();
  in.expect(',');
  rule.to_standard_ = in.moment();
  if (!in.good || !in.text.empty()) return std::nullopt;
  return rule;
}

std::int64_t ZoneRule::day_in(const Moment& moment, std::int64_t year) noexcept {
  const std::int64_t new_year = civil::days_of(year, 1, 1);
  if (moment.form == Form::kDayOfYear) return new_year + moment.day;
  if (moment.form == Form::kJulian) {
    const bool passed_leap_day = civil::days_in_month(year, 2) == 29 && moment.day >= 60;
    return new_year + moment.day - (passed_leap_day ? 0 : 1);
  }
  // The first such weekday of the month (1970-01-01 was a Thursday, 4), then whole weeks on; week 5 is the last one.
  const int month = static_cast<int>(moment.month);
  const std::int64_t first = civil::days_of(year, month, 1);
  const std::int64_t weekday = (first + 4) - civil::floor_div(first + 4, 7) * 7;
  std::int64_t day = (moment.day - weekday + 7) % 7 + (moment.week - 1) * 7;
  if (day >= civil::days_in_month(year, month)) day -= 7;
  return first + day;
}

std::array<ZoneRule::Change, 2> ZoneRule::changes_in(std::int64_t year) const noexcept {
  const Change summer{day_in(to_summer_, year) * 86'400 + to_summer_.time_s - standard_s_, summer_s_};
  const Change standard{day_in(to_standard_, year) * 86'400 + to_standard_.time_s - summer_s_, standard_s_};
  if (summer.at_s <= standard.at_s) return {summer, standard};
  return {standard, summer};
}

}  // namespace tellerd::core
