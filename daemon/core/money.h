// Money is int64 minor units with an ISO 4217 code; no floating point touches it.
// A Currency packs the three letters into 32 bits, so it is compared and stored without allocation.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tellerd::core {

struct Currency {
  std::uint32_t packed = 0;  // 'R' | 'U' << 8 | 'B' << 16; 0 is none
  friend bool operator==(Currency, Currency) = default;
};

inline constexpr std::int64_t kAmountMinorMax = 1'000'000'000'000'000;  // 10^15, domain.md 6

// The code when ISO 4217 knows it (active national currencies, XAU excluded), upper case only.
std::optional<Currency> currency_of(std::string_view code) noexcept;
std::string_view code_of(const Currency& currency) noexcept;  // views the argument's own bytes
int minor_digits(Currency currency) noexcept;                 // 2 for most, 0 for JPY, 3 for KWD

enum class AmountError : std::uint8_t { kNotANumber, kTooManyDigits, kTooLarge };
struct ParsedAmount {
  std::int64_t minor = 0;
  std::optional<AmountError> error;
};
// "1234.5" to 123450 with two digits: sign, digits, '.' (or ','), no exponent. More fraction digits than the currency
// has are refused unless they are zeros. "NaN", "inf", "" are kNotANumber; over kAmountMinorMax is kTooLarge.
ParsedAmount parse_amount(std::string_view text, int digits) noexcept;
std::string format_amount(std::int64_t minor, int digits);

// round-half-up of amount * numerator / denominator in 128 bits (rates are scaled integers); nothing on overflow.
std::optional<std::int64_t> multiply_ratio(std::int64_t amount, std::int64_t numerator,
                                           std::int64_t denominator) noexcept;

}  // namespace tellerd::core
