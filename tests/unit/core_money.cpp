// Minor digits: ISO 4217 list one. Rounding: Python's decimal with ROUND_HALF_UP.
#include <doctest/doctest.h>

#include <cstdint>

#include "core/money.h"

using namespace tellerd::core;

namespace {
std::int64_t minor_of(std::string_view text, int digits) {
  const auto parsed = parse_amount(text, digits);
  REQUIRE_FALSE(parsed.error);
  return parsed.minor;
}
}  // namespace

TEST_SUITE("core.money") {
  TEST_CASE("a currency is one ISO 4217 knows, in upper case") {
    for (const char* code : {"AED", "RUB", "USD", "EUR", "KZT", "XOF", "XCG", "ZWG", "ZAR"}) {
      CAPTURE(code);
      const auto currency = currency_of(code);
      REQUIRE(currency);
      CHECK(code_of(*currency) == code);
    }
    for (const char* code :
         {"", "R", "RU", "rub", "RUR", "RUBL", "XAU", "XXX", "XTS", "XDR", "ZZZ", "AAA", "R B", "DEM"}) {
      CAPTURE(code);
      CHECK_FALSE(currency_of(code));
    }
    CHECK_FALSE(currency_of(std::string_view("RU\0", 3)));
  }

  TEST_CASE("the letters lie in the packed number from its low byte up, and none is nothing") {
    CHECK(currency_of("RUB")->packed == ('R' | 'U' << 8 | 'B' << 16));
    CHECK(code_of(Currency{}).empty());
    CHECK(minor_digits(Currency{}) == 0);
    CHECK(*currency_of("RUB") == *currency_of("RUB"));
    CHECK_FALSE(*currency_of("RUB") == *currency_of("USD"));
  }

  TEST_CASE("minor digits are two for most, none for the yen and three for the dinars") {
    for (const char* code : {"RUB", "USD", "EUR", "BYN", "AMD"}) CHECK(minor_digits(*currency_of(code)) == 2);
    for (const char* code : {"JPY", "KRW", "VND", "CLP", "ISK"}) CHECK(minor_digits(*currency_of(code)) == 0);
    for (const char* code : {"KWD", "BHD", "TND", "IQD", "OMR", "JOD", "LYD"})
      CHECK(minor_digits(*currency_of(code)) == 3);
  }

  TEST_CASE("an amount is a sign, digits and a fraction of at most the currency's digits") {
    CHECK(minor_of("1234.5", 2) == 123450);
    CHECK(minor_of("1234,56", 2) == 123456);
    CHECK(minor_of("+0.05", 2) == 5);
    CHECK(minor_of("-0.05", 2) == -5);
    CHECK(minor_of("-0", 2) == 0);
    CHECK(minor_of("000012", 2) == 1200);
    CHECK(minor_of("12", 0) == 12);
    CHECK(minor_of("1.234", 3) == 1234);
    CHECK(minor_of("12.000", 0) == 12);
    CHECK(minor_of("12.3400000000000000000000000", 2) == 1234);
  }

  TEST_CASE("digits the currency does not have are refused unless they are zeros") {
    CHECK(parse_amount("1.005", 2).error == AmountError::kTooManyDigits);
    CHECK(parse_amount("1.5", 0).error == AmountError::kTooManyDigits);
    CHECK(parse_amount("0.0001", 3).error == AmountError::kTooManyDigits);
  }

  TEST_CASE("what is no plain decimal number is refused") {
    for (const char* text :
         {"",      "-",        "+",        ".",   "NaN", "nan", "inf", "-inf", "1e5", "1.0e5", "0x10",
          "1 000", "1.000,50", "1,000.50", "--1", "1-",  ".5",  "5.",  " 1",   "1 ",  "12a",   "1..2"}) {
      CAPTURE(text);
      CHECK(parse_amount(text, 2).error == AmountError::kNotANumber);
    }
  }

  TEST_CASE("ten to the fifteenth minor units is the last amount taken, on both sides of zero") {
    CHECK(minor_of("10000000000000.00", 2) == 1'000'000'000'000'000);
    CHECK(minor_of("-10000000000000.00", 2) == -1'000'000'000'000'000);
    CHECK(parse_amount("10000000000000.01", 2).error == AmountError::kTooLarge);
    CHECK(parse_amount("-10000000000000.01", 2).error == AmountError::kTooLarge);
    CHECK(minor_of("1000000000000000", 0) == 1'000'000'000'000'000);
    CHECK(parse_amount("1000000000000001", 0).error == AmountError::kTooLarge);
    CHECK(parse_amount(std::string(400, '9'), 2).error == AmountError::kTooLarge);
  }

  TEST_CASE("an amount is written with all the digits of its currency") {
    CHECK(format_amount(123450, 2) == "1234.50");
    CHECK(format_amount(5, 2) == "0.05");
    CHECK(format_amount(-5, 2) == "-0.05");
    CHECK(format_amount(0, 2) == "0.00");
    CHECK(format_amount(1234, 3) == "1.234");
    CHECK(format_amount(-12, 0) == "-12");
    CHECK(format_amount(INT64_MIN, 2) == "-92233720368547758.08");
    CHECK(format_amount(INT64_MAX, 0) == "9223372036854775807");
  }

  TEST_CASE("a ratio rounds a half away from zero, so that a reversal cancels what it reverses") {
    CHECK(multiply_ratio(5, 1, 2) == 3);
    CHECK(multiply_ratio(-5, 1, 2) == -3);
    CHECK(multiply_ratio(5, -1, 2) == -3);
    CHECK(multiply_ratio(5, -1, -2) == 3);
    CHECK(multiply_ratio(4, 1, 3) == 1);
    CHECK(multiply_ratio(5, 1, 3) == 2);
    CHECK(multiply_ratio(-4, 1, 3) == -1);
    CHECK(multiply_ratio(0, 7, 3) == 0);
    CHECK(multiply_ratio(123'456, 924'567, 10'000) == 11'414'334);  // 11414334.3552
    CHECK(multiply_ratio(5'000'000, 15, 10) == 7'500'000);
  }

  TEST_CASE("a ratio is exact in 128 bits and gives nothing when the result does not fit") {
    CHECK(multiply_ratio(1'000'000'000'000'000, 1'000'000'000'000, 1'000'000'000'000) == 1'000'000'000'000'000);
    CHECK(multiply_ratio(INT64_MAX, INT64_MAX, INT64_MAX) == INT64_MAX);
    CHECK(multiply_ratio(INT64_MIN, 1, 1) == INT64_MIN);
    CHECK_FALSE(multiply_ratio(INT64_MIN, -1, 1));
    CHECK_FALSE(multiply_ratio(INT64_MAX, 2, 1));
    CHECK_FALSE(multiply_ratio(INT64_MAX, 3, 2));
    CHECK_FALSE(multiply_ratio(1, 1, 0));
  }
}
