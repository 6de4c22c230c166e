// Instants, days and ISO weeks as plain integers, and the branch's calendar that maps between them.
// Units: Instant is UTC microseconds since 1970; Day is days since 1970-01-01 and Week is weeks since
// Monday 1969-12-29, both in branch time. Nothing here reads a clock.
// Threads: a Calendar is immutable after construction except a private cache: one Calendar a thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tellerd::core {

using Instant = std::int64_t;
using Day = std::int32_t;
using Week = std::int32_t;

inline constexpr Instant kSecond = 1'000'000;
inline constexpr Instant kMinute = 60 * kSecond;
inline constexpr Instant kHour = 60 * kMinute;
inline constexpr Instant kDay = 24 * kHour;
inline constexpr Instant kWeek = 7 * kDay;
inline constexpr Instant kNever = INT64_MAX;

// Monday is the first day of a week: 1970-01-01 was a Thursday, three days after 1969-12-29.
constexpr Week week_of_day(Day day) noexcept { return (day + 3 >= 0) ? (day + 3) / 7 : (day + 3 - 6) / 7; }
constexpr Day first_day_of_week(Week week) noexcept { return week * 7 - 3; }

// Branch time: an IANA zone with all its transitions from 1970 to 2100 unrolled, so that day_of is a compare or two.
class Calendar {
 public:
  explicit Calendar(std::string_view zone = "UTC");  // throws Fault when the zone is unknown
  Day day_of(Instant at) const noexcept;
  Week week_of(Instant at) const noexcept { return week_of_day(day_of(at)); }
  Instant start_of_day(Day day) const noexcept;  // first instant of the local day, also across a DST gap
  Instant start_of_week(Week week) const noexcept { return start_of_day(first_day_of_week(week)); }
  std::int32_t minute_of_day(Instant at) const noexcept;  // local wall-clock minute, 0..1439
  // A local date and time of day to an instant; the earlier one when it is ambiguous.
  Instant instant_of(Day day, std::int64_t local_us_of_day) const noexcept;
  const std::string& zone() const noexcept { return zone_; }
  std::uint64_t fingerprint()
      const noexcept;  // of the zone's transitions: another one after a change of the zone's data

 private:
  struct Span {
    Instant begin, end;
    Instant offset;
  };  // local = UTC + offset while begin <= at < end
  const Span& span_at(Instant at) const noexcept;
  std::string zone_;
  std::vector<Span> spans_;
  mutable std::size_t last_ = 0;
};

bool is_zone(std::string_view name);  // known by that IANA name

// "2026-11-21" to a Day and back; nothing for a text that is no such date.
std::optional<Day> parse_date(std::string_view text) noexcept;
std::string format_date(Day day);
std::string format_month(Day day);       // "2026-11"
std::string format_iso_week(Week week);  // "2026-W47", the ISO year of its Thursday
// ISO 8601 with "T" or a blank, optional fraction and offset; without an offset it is branch time; a bare date is its
// first instant in branch time.
std::optional<Instant> parse_instant(std::string_view text, const Calendar& calendar) noexcept;
std::string format_instant(Instant at);  // "2026-11-21T09:26:30.000001Z"

}  // namespace tellerd::core
