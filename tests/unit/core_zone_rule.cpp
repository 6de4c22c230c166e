// Expected changes come from glibc (TZ set to the rule, localtime at every second around a change).
#include <doctest/doctest.h>

#include "core/zone_rule.h"

using namespace tellerd::core;

TEST_SUITE("core.zone_rule") {
  TEST_CASE("a rule changes at the named hour of its old offset, in either hemisphere and every way to name a day") {
    const struct {
      const char* rule;
      std::int64_t year;
      ZoneRule::Change first, second;
    } kRows[] = {
        {"EST5EDT,M3.2.0,M11.1.0", 2026, {1'772'953'200, -14'400}, {1'793'512'800, -18'000}},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 2027, {1'806'195'600, 7'200}, {1'824'944'400, 3'600}},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 2028, {1'837'645'200, 7'200}, {1'856'394'000, 3'600}},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", 2027, {1'806'768'000, 36'000}, {1'822'492'800, 39'600}},
        {"XST-3:30XDT,J60/0,J264/0", 2027, {1'803'846'600, 16'200}, {1'821'468'600, 12'600}},
        {"XST-3:30XDT,J60/0,J264/0", 2028, {1'835'469'000, 16'200}, {1'853'091'000, 12'600}},
        {"XST-3:30XDT,59/0,264/0", 2027, {1'803'846'600, 16'200}, {1'821'555'000, 12'600}},
        {"XST-3:30XDT,59/0,264/0", 2028, {1'835'382'600, 16'200}, {1'853'091'000, 12'600}},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2028, {1'837'645'200, -3'600}, {1'856'394'000, -7'200}},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", 2028, {1'837'645'200, 3'600}, {1'856'394'000, 0}},
    };
    for (const auto& row : kRows) {
      CAPTURE(row.rule);
      CAPTURE(row.year);
      const auto rule = ZoneRule::parse(row.rule);
      REQUIRE(rule);
      const auto changes = rule->changes_in(row.year);
      CHECK(changes[0].at_s == row.first.at_s);
      CHECK(changes[0].offset_s == row.first.offset_s);
      CHECK(changes[1].at_s == row.second.at_s);
      CHECK(changes[1].offset_s == row.second.offset_s);
    }
  }

  TEST_CASE("one offset for the whole year is no rule, and neither is a broken one") {
    for (const char* text : {"", "MSK-3", "<+01>-1", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M11.1.0",
                             "EST5EDT,M3.6.0,M11.1.0", "EST5EDT,M3.2.0,M11.1.0x", "5EDT,M3.2.0,M11.1.0", "<+01"}) {
      CAPTURE(text);
      CHECK_FALSE(ZoneRule::parse(text));
    }
  }
}
