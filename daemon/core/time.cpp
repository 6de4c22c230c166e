#include "core/time.h"

#include <cstdio>

#include "core/civil.h"

namespace tellerd::core {
namespace {

using civil::floor_div;

constexpr int kInstantYearMin = 1900;
constexpr int kInstantYearMax = 2199;

// Reads fixed-width digits off the front of a text; any failure sticks.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : text_(text) {}
  bool is_good() const noexcept { return good_; }
  bool at_end() const noexcept { return text_.empty(); }
  bool next_is(char c) const noexcept { return !text_.empty() && text_.front() == c; }
  bool next_is_digit() const noexcept { return !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; }

  bool skip(char c) noexcept {
    if (!next_is(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) noexcept { good_ = skip(c) && good_; }
  int number(int width, int smallest, int largest) noexcept {
    int value = 0;
    for (int i = 0; i < width; ++i) {
      if (!next_is_digit()) return fail();
      value = value * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
    }
    return value < smallest || value > largest ? fail() : value;
  }
  int fail() noexcept {
    good_ = false;
    return 0;
  }

 private:
  std::string_view text_;
  bool good_ = true;
};

std::optional<Day> read_date(Reader& in, int year_min, int year_max) noexcept {
  const int year = in.number(4, year_min, year_max);
  in.expect('-');
  const int month = in.number(2, 1, 12);
  in.expect('-');
  if (!in.is_good()) return std::nullopt;
  const int day = in.number(2, 1, civil::days_in_month(year, month));
  if (!in.is_good()) return std::nullopt;
  return static_cast<Day>(civil::days_of(year, month, day));
}

// One to nine digits; what is finer than a microsecond is cut off.
std::int64_t read_fraction_us(Reader& in) noexcept {
  std::int64_t us = 0;
  int digits = 0;
  for (; in.next_is_digit(); ++digits) {
    const int digit = in.number(1, 0, 9);
    if (digits < 6) us = us * 10 + digit;
  }
  if (digits < 1 || digits > 9) return in.fail();
  for (; digits < 6; ++digits) us *= 10;
  return us;
}

std::int64_t read_time_of_day_us(Reader& in) noexcept {
  const int hour = in.number(2, 0, 23);
  in.expect(':');
  const int minute = in.number(2, 0, 59);
  std::int64_t us = hour * kHour + minute * kMinute;
  if (in.skip(':')) {
    us += in.number(2, 0, 59) * kSecond;
    if (in.skip('.') || in.skip(',')) us += read_fraction_us(in);
  }
  return us;
}

// "Z", "+03:00", "+0300" or "+03"; nothing when the text ends here.
std::optional<Instant> read_offset_us(Reader& in) noexcept {
  if (in.at_end()) return std::nullopt;
  if (in.skip('Z')) return 0;
  const bool is_west = in.next_is('-');
  if (!in.skip('-')) in.expect('+');
  const int hours = in.number(2, 0, 14);
  const bool has_colon = in.skip(':');
  const int minutes = has_colon || !in.at_end() ? in.number(2, 0, 59) : 0;
  const Instant offset = hours * kHour + minutes * kMinute;
  return is_west ? -offset : offset;
}

}  // namespace

std::optional<Day> parse_date(std::string_view text) noexcept {
  Reader in(text);
  const auto day = read_date(in, 1, 9999);
  return in.at_end() ? day : std::nullopt;
}

std::optional<Instant> parse_instant(std::string_view text, const Calendar& calendar) noexcept {
  Reader in(text);
  const auto day = read_date(in, kInstantYearMin, kInstantYearMax);
  if (!day) return std::nullopt;
  if (in.at_end()) return calendar.start_of_day(*day);
  if (!in.skip(' ')) in.expect('T');
  const std::int64_t us_of_day = read_time_of_day_us(in);
  const auto offset_us = read_offset_us(in);
  if (!in.is_good() || !in.at_end()) return std::nullopt;
  return offset_us ? *day * kDay + us_of_day - *offset_us : calendar.instant_of(*day, us_of_day);
}

std::string format_date(Day day) {
  const civil::Date date = civil::date_of(day);
  char text[40];
  std::snprintf(text, sizeof text, "%04lld-%02d-%02d", static_cast<long long>(date.year), date.month, date.day);
  return text;
}

std::string format_month(Day day) {
  const civil::Date date = civil::date_of(day);
  char text[40];
  std::snprintf(text, sizeof text, "%04lld-%02d", static_cast<long long>(date.year), date.month);
  return text;
}

std::string format_iso_week(Week week) {
  const std::int64_t thursday = first_day_of_week(week) + 3;
  const std::int64_t year = civil::date_of(thursday).year;
  const int number = static_cast<int>((thursday - civil::days_of(year, 1, 1)) / 7) + 1;
  char text[40];
  std::snprintf(text, sizeof text, "%04lld-W%02d", static_cast<long long>(year), number);
  return text;
}

std::string format_instant(Instant at) {
  const std::int64_t days = floor_div(at, kDay);
  const Instant of_day = at - days * kDay;
  const civil::Date date = civil::date_of(days);
  char text[80];
  std::snprintf(text, sizeof text, "%04lld-%02d-%02dT%02d:%02d:%02d.%06dZ", static_cast<long long>(date.year),
                date.month, date.day, static_cast<int>(of_day / kHour), static_cast<int>(of_day / kMinute % 60),
                static_cast<int>(of_day / kSecond % 60), static_cast<int>(of_day % kSecond));
  return text;
}

}  // namespace tellerd::core
