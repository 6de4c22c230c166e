#include "core/money.h"

#include <algorithm>
#include <array>
#include <limits>

namespace tellerd::core {
namespace {

// ISO 4217 list one: national currencies, each with its minor digits, sorted. Left out: metals, funds and units of
// account (XAU, CLF, XDR), testing (XTS, XXX). BGN gave way to EUR on 2026-01-01 and is kept for activity before that.
constexpr std::string_view kCurrencies =
    "AED2AFN2ALL2AMD2AOA2ARS2AUD2AWG2AZN2BAM2BBD2BDT2BGN2BHD3BIF0BMD2BND2BOB2BRL2BSD2BTN2BWP2BYN2BZD2CAD2CDF2CHF2"
    "CLP0CNY2COP2CRC2CUP2CVE2CZK2DJF0DKK2DOP2DZD2EGP2ERN2ETB2EUR2FJD2FKP2GBP2GEL2GHS2GIP2GMD2GNF0GTQ2GYD2HKD2HNL2"
    "HTG2HUF2IDR2ILS2INR2IQD3IRR2ISK0JMD2JOD3JPY0KES2KGS2KHR2KMF0KPW2KRW0KWD3KYD2KZT2LAK2LBP2LKR2LRD2LSL2LYD3MAD2"
    "MDL2MGA2MKD2MMK2MNT2MOP2MRU2MUR2MVR2MWK2MXN2MYR2MZN2NAD2NGN2NIO2NOK2NPR2NZD2OMR3PAB2PEN2PGK2PHP2PKR2PLN2PYG0"
    "QAR2RON2RSD2RUB2RWF0SAR2SBD2SCR2SDG2SEK2SGD2SHP2SLE2SOS2SRD2SSP2STN2SVC2SYP2SZL2THB2TJS2TMT2TND3TOP2TRY2TTD2"
    "TWD2TZS2UAH2UGX0USD2UYU2UZS2VED2VES2VND0VUV0WST2XAF0XCD2XCG2XOF0XPF0YER2ZAR2ZMW2ZWG2";
constexpr std::size_t kEntryBytes = 4;
static_assert(kCurrencies.size() % kEntryBytes == 0);

constexpr std::uint32_t packed(std::string_view code) noexcept {
  return static_cast<std::uint32_t>(static_cast<unsigned char>(code[0])) |
         static_cast<std::uint32_t>(static_cast<unsigned char>(code[1])) << 8 |
         static_cast<std::uint32_t>(static_cast<unsigned char>(code[2])) << 16;
}

constexpr std::string_view code_at(std::size_t entry) noexcept { return kCurrencies.substr(entry * kEntryBytes, 3); }

constexpr bool is_sorted_table() noexcept {
  for (std::size_t entry = 1; entry < kCurrencies.size() / kEntryBytes; ++entry) {
    if (code_at(entry - 1) >= code_at(entry)) return false;
  }
  return true;
}
static_assert(is_sorted_table());

// Digits by code, AAA to ZZZ; -1 for a code the list does not hold: every event with money is looked up, twice.
constexpr std::size_t kLetters = 26;
constexpr auto kDigitsOf = [] {
  std::array<signed char, kLetters * kLetters * kLetters> digits{};
  for (auto& one : digits) one = -1;
  for (std::size_t entry = 0; entry < kCurrencies.size(); entry += kEntryBytes) {
    std::size_t at = 0;
    for (std::size_t letter = 0; letter < 3; ++letter)
      at = at * kLetters + static_cast<std::size_t>(kCurrencies[entry + letter] - 'A');
    digits[at] = static_cast<signed char>(kCurrencies[entry + 3] - '0');
  }
  return digits;
}();

int digits_of(std::string_view code) noexcept {
  if (code.size() != 3) return -1;
  std::size_t at = 0;
  for (const char letter : code) {
    if (letter < 'A' || letter > 'Z') return -1;
    at = at * kLetters + static_cast<std::size_t>(letter - 'A');
  }
  return kDigitsOf[at];
}

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::size_t digits_at_front(std::string_view text) noexcept {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  return static_cast<std::size_t>(end - text.begin());
}

}  // namespace

std::optional<Currency> currency_of(std::string_view code) noexcept {
  if (digits_of(code) < 0) return std::nullopt;
  return Currency{packed(code)};
}

std::string_view code_of(const Currency& currency) noexcept {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  return {reinterpret_cast<const char*>(&currency.packed), currency.packed == 0 ? 0u : 3u};
}

int minor_digits(Currency currency) noexcept { return std::max(digits_of(code_of(currency)), 0); }

ParsedAmount parse_amount(std::string_view text, int digits) noexcept {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);

  // What is written: whole digits, then perhaps a point and more digits, then nothing.
  const std::string_view whole = text.substr(0, digits_at_front(text));
  text.remove_prefix(whole.size());
  const bool has_point = text.starts_with('.') || text.starts_with(',');
  if (has_point) text.remove_prefix(1);
  const std::string_view fraction = text.substr(0, has_point ? digits_at_front(text) : 0);
  text.remove_prefix(fraction.size());
  if (whole.empty() || !text.empty() || (has_point && fraction.empty())) return {0, AmountError::kNotANumber};

  // Digits the currency does not have may only be zeros.
  const auto kept = std::min(fraction.size(), static_cast<std::size_t>(std::max(digits, 0)));
  if (fraction.find_first_not_of('0', kept) != std::string_view::npos) return {0, AmountError::kTooManyDigits};

  std::int64_t minor = 0;
  const auto append = [&minor](char digit) {
    minor = minor * 10 + (digit - '0');
    return minor <= kAmountMinorMax;
  };
  for (const char digit : whole)
    if (!append(digit)) return {0, AmountError::kTooLarge};
  for (std::size_t place = 0; static_cast<int>(place) < digits; ++place)
    if (!append(place < kept ? fraction[place] : '0')) return {0, AmountError::kTooLarge};
  return {is_negative ? -minor : minor, std::nullopt};
}

std::string format_amount(std::int64_t minor, int digits) {
  const std::uint64_t size = minor < 0 ? 0 - static_cast<std::uint64_t>(minor) : static_cast<std::uint64_t>(minor);
  std::string text = std::to_string(size);
  if (digits > 0) {
    const auto places = static_cast<std::size_t>(digits);
    if (text.size() <= places) text.insert(0, places + 1 - text.size(), '0');
    text.insert(text.size() - places, 1, '.');
  }
  if (minor < 0) text.insert(0, 1, '-');
  return text;
}

// A half goes away from zero, so that a reversal converts to exactly what it reverses.
std::optional<std::int64_t> multiply_ratio(std::int64_t amount, std::int64_t numerator,
                                           std::int64_t denominator) noexcept {
  if (denominator == 0) return std::nullopt;
  const __int128 product = static_cast<__int128>(amount) * numerator;
  const __int128 divisor = denominator;
  __int128 quotient = product / divisor;
  const __int128 rest = product % divisor;
  const __int128 rest_size = rest < 0 ? -rest : rest;
  const __int128 divisor_size = divisor < 0 ? -divisor : divisor;
  if (rest_size * 2 >= divisor_size) quotient += (product < 0) == (divisor < 0) ? 1 : -1;
  if (quotient < std::numeric_limits<std::int64_t>::min() || quotient > std::numeric_limits<std::int64_t>::max())
    return std::nullopt;
  return static_cast<std::int64_t>(quotient);
}

}  // namespace tellerd::core
