// Expected numbers come from Python 3.11: zoneinfo (tzdata 2026f), datetime, date.isocalendar.
#include <doctest/doctest.h>

#include "core/fault.h"
#include "core/limits.h"
#include "core/time.h"

using namespace tellerd::core;

namespace {
Instant at_s(std::int64_t seconds) { return seconds * kSecond; }
}  // namespace

TEST_SUITE("core.time") {
  TEST_CASE("a date is written YYYY-MM-DD and nothing else") {
    CHECK(parse_date("1970-01-01") == 0);
    CHECK(parse_date("2026-11-21") == 20778);
    CHECK(parse_date("1969-12-28") == -4);
    CHECK(parse_date("0001-01-01") == -719162);
    CHECK(parse_date("9999-12-31") == 2932896);
    for (const char* text : {"", "2026", "2026-11", "2026-11-2", "2026-1-21", "26-11-21", "2026/11/21", "20261121",
                             "2026-11-21 ", " 2026-11-21", "2026-11-21T", "+026-11-21", "2026-11--1", "0000-01-01"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_date(text));
    }
  }

  TEST_CASE("February has 29 days in a leap year only, and no month has more than its own") {
    CHECK(parse_date("2000-02-29") == 11016);
    CHECK(parse_date("2024-02-29"));
    CHECK_FALSE(parse_date("1900-02-29"));
    CHECK_FALSE(parse_date("2100-02-29"));
    CHECK_FALSE(parse_date("2026-02-29"));
    CHECK_FALSE(parse_date("2024-02-30"));
    CHECK(parse_date("2026-04-30"));
    CHECK_FALSE(parse_date("2026-04-31"));
    CHECK(parse_date("2026-12-31"));
    CHECK_FALSE(parse_date("2026-12-32"));
    CHECK_FALSE(parse_date("2026-13-01"));
    CHECK_FALSE(parse_date("2026-00-10"));
    CHECK_FALSE(parse_date("2026-01-00"));
  }

  TEST_CASE("a day is formatted as the date it was read from") {
    for (const char* text : {"0001-01-01", "1582-10-15", "1900-03-01", "1969-12-29", "2000-02-29", "2199-12-31"})
      CHECK(format_date(parse_date(text).value()) == text);
    CHECK(format_month(20778) == "2026-11");
    CHECK(format_month(-1) == "1969-12");
  }

  TEST_CASE("weeks begin on Monday and count from 1969-12-29, before it too") {
    CHECK(week_of_day(-4) == -1);
    CHECK(week_of_day(-3) == 0);
    CHECK(week_of_day(0) == 0);
    CHECK(week_of_day(3) == 0);
    CHECK(week_of_day(4) == 1);
    CHECK(first_day_of_week(0) == -3);
    CHECK(first_day_of_week(-1) == -10);
    CHECK(week_of_day(-10) == -1);
    CHECK(week_of_day(-11) == -2);
  }

  TEST_CASE("in UTC the week is (microseconds // 86400000000 + 3) // 7") {
    const Calendar utc;
    const struct {
      std::int64_t seconds;
      Week week;
    } kRows[] = {{0, 0},
                 {345'599, 0},
                 {345'600, 1},
                 {1'814'399, 3},
                 {2'419'199, 4},
                 {-259'200, 0},
                 {-259'201, -1},
                 {-1'000'000'000, -1654},
                 {1'795'253'190, 2968}};
    for (const auto& row : kRows) {
      CAPTURE(row.seconds);
      CHECK(utc.week_of(at_s(row.seconds)) == row.week);
    }
    CHECK(utc.week_of(-259'200 * kSecond - 1) == -1);
    CHECK(utc.week_of(345'600 * kSecond - 1) == 0);
  }

  TEST_CASE("an ISO week belongs to the year of its Thursday, and some years have 53") {
    const auto week_text = [](const char* date) { return format_iso_week(week_of_day(parse_date(date).value())); };
    CHECK(week_text("2026-11-21") == "2026-W47");
    CHECK(week_text("2020-12-31") == "2020-W53");
    CHECK(week_text("2021-01-03") == "2020-W53");
    CHECK(week_text("2021-01-04") == "2021-W01");
    CHECK(week_text("2025-12-29") == "2026-W01");
    CHECK(week_text("2026-12-28") == "2026-W53");
    CHECK(week_text("1969-12-28") == "1969-W52");
    CHECK(week_text("1969-12-29") == "1970-W01");
    CHECK(week_text("2199-12-31") == "2200-W01");
  }

  TEST_CASE("the branch's day begins at its own midnight") {
    const Calendar moscow("Europe/Moscow");
    CHECK(moscow.zone() == "Europe/Moscow");
    CHECK(moscow.start_of_day(20778) == at_s(1'795'208'400));
    CHECK(moscow.day_of(at_s(1'795'208'400)) == 20778);
    CHECK(moscow.day_of(at_s(1'795'208'400) - 1) == 20777);
    CHECK(moscow.minute_of_day(at_s(1'795'208'400)) == 0);
    CHECK(moscow.minute_of_day(at_s(1'795'208'400) - 1) == 1439);
    CHECK(Calendar("Asia/Kolkata").start_of_day(20778) == at_s(1'795'199'400));
    CHECK(Calendar("Pacific/Kiritimati").start_of_day(20454) == at_s(1'767'175'200));
  }

  TEST_CASE("a day of 23 or 25 hours begins and ends where the zone says") {
    const Calendar moscow("Europe/Moscow");  // 2011-03-27: the last change, 23 hours
    CHECK(moscow.start_of_day(15060) == at_s(1'301'173'200));
    CHECK(moscow.start_of_day(15061) == at_s(1'301'256'000));
    const Calendar new_york("America/New_York");
    CHECK(new_york.start_of_day(20520) == at_s(1'772'946'000));
    CHECK(new_york.start_of_day(20521) == at_s(1'773'028'800));
    CHECK(new_york.start_of_day(20758) == at_s(1'793'505'600));
    CHECK(new_york.start_of_day(20759) == at_s(1'793'595'600));
  }

  TEST_CASE("a day whose midnight does not exist begins at its first instant") {
    const Calendar sao_paulo("America/Sao_Paulo");  // 2018-11-04 began at 01:00
    CHECK(sao_paulo.start_of_day(17839) == at_s(1'541'300'400));
    CHECK(sao_paulo.day_of(at_s(1'541'300'400)) == 17839);
    CHECK(sao_paulo.day_of(at_s(1'541'300'400) - 1) == 17838);
    CHECK(sao_paulo.minute_of_day(at_s(1'541'300'400)) == 60);
    CHECK(sao_paulo.start_of_day(17840) == at_s(1'541'383'200));
    CHECK(sao_paulo.start_of_day(17580) == at_s(1'518'922'800));  // 2018-02-18, after 25 hours
  }

  TEST_CASE("a day that comes twice begins the first time, and a day left out where the next one does") {
    // Newfoundland 2010-11-07 00:01 went back to 23:01 of the 6th; Samoa went from the 29th to the 31st of December
    // 2011.
    CHECK(Calendar("America/St_Johns").start_of_day(14920) == at_s(1'289'097'000));
    const Calendar apia("Pacific/Apia");
    CHECK(apia.start_of_day(15338) == at_s(1'325'239'200));
    CHECK(apia.start_of_day(15339) == at_s(1'325'239'200));
    CHECK(apia.day_of(at_s(1'325'239'200) - 1) == 15337);
  }

  TEST_CASE("an ambiguous local time is the earlier one, and a missing one the end of the gap") {
    const Calendar new_york("America/New_York");
    CHECK(new_york.instant_of(20758, kHour + 30 * kMinute) == at_s(1'793'511'000));
    CHECK(new_york.instant_of(20520, 2 * kHour + 30 * kMinute) == at_s(1'772'953'200));
    CHECK(new_york.instant_of(20520, 3 * kHour) == at_s(1'772'953'200));
  }

  TEST_CASE("summer time goes on after 2037, where the compiled tables end") {
    CHECK(Calendar("America/New_York").start_of_day(29404) == at_s(2'540'520'000));  // 2050-07-04, 04:00 UTC
  }

  TEST_CASE("before 1970 the first offset holds and after 2100 the last, up to the ends of time") {
    const Calendar moscow("Europe/Moscow");
    CHECK(moscow.day_of(-3 * kHour) == 0);
    CHECK(moscow.day_of(-3 * kHour - 1) == -1);
    CHECK(moscow.start_of_day(84005) == 84005 * kDay - 3 * kHour);
    CHECK(moscow.day_of(kNever) == 106'751'991);
    CHECK(moscow.day_of(INT64_MIN) == -106'751'992);
    CHECK(moscow.day_of(0) == 0);
    CHECK(moscow.start_of_day(INT32_MAX) == kNever);
    CHECK(moscow.start_of_day(INT32_MIN) == INT64_MIN);
  }

  TEST_CASE("the order in which instants are asked for does not matter") {
    const Calendar asked("America/New_York");
    for (const std::int64_t seconds : {1'793'595'600LL, 0LL, 1'772'946'000LL, 2'540'520'000LL, 1'772'946'000LL})
      CHECK(asked.day_of(at_s(seconds)) == Calendar("America/New_York").day_of(at_s(seconds)));
  }

  TEST_CASE("an unknown zone is a fault of the configuration that says what to write") {
    for (const char* zone : {"", "Europe/Moskva", "MSK+3", "Europe", "../../etc/passwd", "europe/moscow"}) {
      CAPTURE(zone);
      try {
        const Calendar calendar(zone);
        FAIL("accepted");
      } catch (const Fault& fault) {
        CHECK(fault.exit_code() == Exit::kConfig);
        CHECK(std::string(fault.what()).find("Europe/Moscow") != std::string::npos);
      }
    }
  }

  TEST_CASE("an instant may carry a fraction and an offset; without one it is branch time") {
    const Calendar utc;
    const Calendar moscow("Europe/Moscow");
    CHECK(parse_instant("2026-01-02", utc) == 1'767'312'000'000'000);
    CHECK(parse_instant("2026-01-02 10:00:00", utc) == 1'767'348'000'000'000);
    CHECK(parse_instant("2026-01-02T10:00", utc) == 1'767'348'000'000'000);
    CHECK(parse_instant("2026-01-02 10:00:00", moscow) == 1'767'337'200'000'000);
    CHECK(parse_instant("2026-01-02T10:00:00+03:00", utc) == 1'767'337'200'000'000);
    CHECK(parse_instant("2026-01-02T10:00:00+0300", utc) == 1'767'337'200'000'000);
    CHECK(parse_instant("2026-01-02T10:00:00+03", utc) == 1'767'337'200'000'000);
    CHECK(parse_instant("2026-01-02T04:30:00-02:30", utc) == 1'767'337'200'000'000);
    CHECK(parse_instant("2026-01-02T10:00:00.123456Z", moscow) == 1'767'348'000'123'456);
    CHECK(parse_instant("2026-01-02T10:00:00.123456789Z", moscow) == 1'767'348'000'123'456);
    CHECK(parse_instant("2026-01-02T10:00:00.1Z", moscow) == 1'767'348'000'100'000);
    CHECK(parse_instant("2018-11-04", Calendar("America/Sao_Paulo")) == at_s(1'541'300'400));
  }

  TEST_CASE("the years of an instant are 1900 to 2199") {
    const Calendar utc;
    CHECK(parse_instant("1900-01-01", utc) == -2'208'988'800'000'000);
    CHECK(parse_instant("2199-12-31T23:59:59.999999Z", utc) == 7'258'118'399'999'999);
    CHECK_FALSE(parse_instant("1899-12-31", utc));
    CHECK_FALSE(parse_instant("2200-01-01", utc));
  }

  TEST_CASE("what is no instant gives nothing") {
    const Calendar utc;
    for (const char* text : {"",
                             "now",
                             "2026-01-02T",
                             "2026-01-02 ",
                             "2026-01-02Z",
                             "2026-01-02T10",
                             "2026-01-02T24:00:00",
                             "2026-01-02T10:60:00",
                             "2026-01-02T10:00:60",
                             "2026-01-02T10:00:00.",
                             "2026-01-02T10:00:00.1234567890",
                             "2026-01-02T10:00:00+15:00",
                             "2026-01-02T10:00:00+03:60",
                             "2026-01-02T10:00:00+",
                             "2026-01-02T10:00:00+03:",
                             "2026-01-02T10:00:00Zx",
                             "2026-01-02T10:00:00 Z",
                             "2026-01-02  10:00:00",
                             "2026-02-29T10:00:00",
                             "2026-01-02T1:00:00",
                             "2026-01-02T10:00:00+-3"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_instant(text, utc));
    }
  }

  TEST_CASE("an instant is formatted in UTC to the microsecond") {
    CHECK(format_instant(1'795'253'190'000'001) == "2026-11-21T09:26:30.000001Z");
    CHECK(format_instant(-1) == "1969-12-31T23:59:59.999999Z");
    CHECK(format_instant(0) == "1970-01-01T00:00:00.000000Z");
    CHECK(format_instant(7'258'118'399'999'999) == "2199-12-31T23:59:59.999999Z");
  }
}
