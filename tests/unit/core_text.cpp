// A-labels from Python's idna codec, and UTS 46 for the non-transitional ones.
#include <doctest/doctest.h>

#include "core/text.h"

using namespace tellerd::core;

TEST_SUITE("core.text") {
  TEST_CASE("UTF-8 is well formed, without surrogates, overlong forms or NUL") {
    for (const char* text : {"", "abc", "Привет", "\xF0\x9F\x98\x80", "\xC2\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                             "\xF4\x8F\xBF\xBF", "\xE0\xA0\x80", "\xF0\x90\x80\x80"}) {
      CAPTURE(text);
      CHECK(is_utf8(text));
    }
    for (const char* text : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "abc\xD0", "\xE0\x9F\xBF", "\xED\xA0\x80",
                             "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
                             "\xE2\x82", "\xE2\x28\xA1", "\xF0\x9F\x98"}) {
      CHECK_FALSE(is_utf8(text));
    }
    CHECK_FALSE(is_utf8(std::string_view("a\0b", 3)));
  }

  TEST_CASE("blanks, tabs and line ends come off both ends only") {
    CHECK(trimmed(" \t\r\na b\n ") == "a b");
    CHECK(trimmed("") == "");
    CHECK(trimmed(" \n") == "");
    CHECK(trimmed("x") == "x");
  }

  TEST_CASE("a phone keeps its digits and a code becomes upper case") {
    CHECK(digits_only("+7 (900) 1") == "79001");
    CHECK(digits_only("нет") == "");
    CHECK(upper_ascii("rub é1") == "RUB é1");
  }

  TEST_CASE("folding takes case and the ways to write one letter away") {
    CHECK(casefold("HeLLo 1") == "hello 1");
    CHECK(casefold("КРЕДИТ Ёж") == "кредит ёж");
    CHECK(casefold("Straße") == "strasse");
    CHECK(casefold("И\xCC\x86") == "й");  // I with a combining breve
    CHECK(casefold("") == "");
    CHECK(casefold("\xD0") == "");
  }

  TEST_CASE("an SMS pattern is found anywhere in the text whatever the case") {
    const SubstringPatterns patterns({"ромашка-банк", "  Credit ", ""});
    CHECK(patterns.matches("Вам одобрен КРЕДИТ в Ромашка-Банке"));
    CHECK(patterns.matches("РОМАШКА-БАНК"));
    CHECK(patterns.matches("best CREDIT of all"));
    CHECK_FALSE(patterns.matches("Ромашка Банк"));
    CHECK_FALSE(patterns.matches(""));
    CHECK_FALSE(patterns.matches("credit \xD0"));
    CHECK_FALSE(SubstringPatterns().matches("anything"));
    CHECK_FALSE(SubstringPatterns({"", " "}).matches("anything"));
  }

  TEST_CASE("a host name is written in lower-case A-labels without its trailing dot") {
    CHECK(host_ascii("Example.COM.") == "example.com");
    CHECK(host_ascii("ромашка-банк.рф") == "xn----7sbabe5cejpcv3h.xn--p1ai");
    CHECK(host_ascii("ПРЕЗИДЕНТ.РФ") == "xn--d1abbgf6aiiy.xn--p1ai");
    CHECK(host_ascii("bücher.example") == "xn--bcher-kva.example");
    CHECK(host_ascii("faß.de") == "xn--fa-hia.de");
    CHECK(host_ascii("my_host.example") == "my_host.example");
    CHECK(host_ascii("10.0.0.1") == "10.0.0.1");
  }

  TEST_CASE("what is no host name is the empty text") {
    for (const char* host : {"", ".", "..", "a..b", ".a", "-a.example", "a-.example", "a b.example", "a.example:80",
                             "https://a.example", "a/b", "[::1]", "\xD0", "ромашка банк.рф", "ромашка..рф", "*.a"}) {
      CAPTURE(host);
      CHECK(host_ascii(host) == "");
    }
    CHECK(host_ascii(std::string_view("a\0b", 3)) == "");
  }

  TEST_CASE("a label ends at 63 bytes and a name at 253") {
    const std::string label(63, 'a');
    CHECK(host_ascii(label + ".example") == label + ".example");
    CHECK(host_ascii(label + "a.example") == "");
    const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
    REQUIRE(longest.size() == 253);
    CHECK(host_ascii(longest) == longest);
    CHECK(host_ascii(longest + ".") == longest);
    CHECK(host_ascii(longest + "b") == "");
  }

  TEST_CASE("a competitor's host matches itself and its subdomains, never a longer name") {
    const HostPatterns patterns({"romashka.example", "Ромашка-Банк.рф", "not a host"});
    CHECK(patterns.matches("romashka.example"));
    CHECK(patterns.matches("WWW.Romashka.Example"));
    CHECK(patterns.matches("a.b.romashka.example."));
    CHECK(patterns.matches("онлайн.ромашка-банк.РФ"));
    CHECK(patterns.matches("xn----7sbabe5cejpcv3h.xn--p1ai"));
    CHECK_FALSE(patterns.matches("notromashka.example"));
    CHECK_FALSE(patterns.matches("example"));
    CHECK_FALSE(patterns.matches("romashka.example.org"));
    CHECK_FALSE(HostPatterns().matches("romashka.example"));
  }

  TEST_CASE("a malformed host matches nothing and throws nothing") {
    const HostPatterns patterns({"romashka.example"});
    const std::string very_long(5000, 'a');
    for (const std::string& host : {std::string(), std::string("..romashka.example"),
                                    std::string("\xFF.romashka.example"), std::string("a b.romashka.example"),
                                    very_long + ".romashka.example", "я" + very_long + ".romashka.example"}) {
      CHECK_FALSE(patterns.matches(host));
    }
  }

  TEST_CASE("a masked name keeps the first letter of each word and no length") {
    CHECK(masked_name("Анна Петрова") == "А*** П***");
    CHECK(masked_name("  Anna \t Maria  ") == "A*** M***");
    CHECK(masked_name("Я") == "Я***");
    CHECK(masked_name("4012888888881881") == "4***");
    CHECK(masked_name("") == "");
    CHECK(masked_name("\xD0") == "***");
  }
}
