// The yearly rule for the time after a zone's last tabled transition: the last line of its compiled file, written as
// POSIX TZ with the extensions of RFC 8536 3.3 ("EST5EDT,M3.2.0,M11.1.0"). date 3.0.1 reads the table only, which ends
// in 2037 (with slim files in 2007), and its own date/ptz.h does not compile as C++20.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tellerd::core {

class ZoneRule {
 public:
  struct Change {
    std::int64_t at_s, offset_s;  // UTC seconds since 1970; from then on local = UTC + offset
  };

  // Nothing when the text is no rule, and when it names one offset for the whole year.
  static std::optional<ZoneRule> parse(std::string_view text) noexcept;
  std::array<Change, 2> changes_in(std::int64_t year) const noexcept;  // in the order of time

 private:
  enum class Form : std::uint8_t { kWeekday, kJulian, kDayOfYear };  // M10.5.0, J60 (never 29 February), 59
  struct Moment {
    Form form = Form::kWeekday;
    std::int64_t month = 1, week = 1, day = 0;
    std::int64_t time_s = 0;  // of that day in local time, may lie outside it
  };
  struct Reader;
  static std::int64_t day_in(const Moment& moment, std::int64_t year) noexcept;

  std::int64_t standard_s_ = 0, summer_s_ = 0;
  Moment to_summer_, to_standard_;
};

}  // namespace tellerd::core
