#include "ops/parameters.h"

#include <algorithm>
#include <charconv>

namespace tellerd::ops {
namespace {

constexpr std::size_t kParametersMax = 32;

std::optional<std::string> decoded(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const char first = text.front();
    text.remove_prefix(1);
    if (first != '%') {
      plain += first == '+' ? ' ' : first;
      continue;
    }
    unsigned value = 0;
    if (text.size() < 2) return std::nullopt;
    const auto parsed = std::from_chars(text.data(), text.data() + 2, value, 16);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + 2 || value == 0) return std::nullopt;
    plain += static_cast<char>(value);
    text.remove_prefix(2);
  }
  return plain;
}

}  // namespace

std::optional<Parameters> parameters_of(std::string_view query) {
  Parameters found;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto name = decoded(part.substr(0, equals)), value = decoded(part.substr(equals + 1));
    if (!name || !value || name->empty() || found.size() == kParametersMax) return std::nullopt;
    if (!found.emplace(*name, *value).second) return std::nullopt;
  }
  return found;
}

std::optional<int> number_within(std::string_view text, int low, int high) {
  int value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
  return is_whole && value >= low && value <= high ? std::optional(value) : std::nullopt;
}

}  // namespace tellerd::ops
