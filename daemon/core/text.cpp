#include "core/text.h"

#include <idn2.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace tellerd::core {
namespace {

constexpr std::size_t kHostBytesMax = 253;  // RFC 1035: 255 octets on the wire
constexpr std::size_t kLabelBytesMax = 63;

using HostBuffer = std::array<char, kHostBytesMax>;

struct Freed {
  void operator()(void* bytes) const noexcept { std::free(bytes); }
};

// Bytes at the front that are ASCII and not zero.
std::size_t plain_bytes(std::string_view text) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101u, kTops = 0x8080808080808080u;
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    if (((word | (word - kOnes)) & kTops) != 0) break;  // a zero, or above 0x7f
  }
  while (at < text.size() && static_cast<unsigned char>(text[at] - 1) < 0x7f) ++at;
  return at;
}

bool is_ascii(std::string_view text) noexcept { return plain_bytes(text) == text.size(); }  // and without a zero

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Bytes of the well-formed character at the front, 0 when there is none (the ranges of Unicode table 3-7).
std::size_t character_bytes(std::string_view text) noexcept {
  const auto at = [text](std::size_t n) -> unsigned { return static_cast<unsigned char>(text[n]); };
  const unsigned lead = at(0);
  if (lead < 0x80) return lead == 0 ? 0 : 1;
  const std::size_t size = lead >= 0xC2 && lead <= 0xDF   ? 2
                           : (lead & 0xF0u) == 0xE0       ? 3
                           : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                          : 0;
  if (size == 0 || text.size() < size) return 0;
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (at(1) < low || at(1) > high) return 0;
  for (std::size_t n = 2; n < size; ++n)
    if ((at(n) & 0xC0u) != 0x80) return 0;
  return size;
}

bool is_host_character(char c) noexcept { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_'; }

// Labels of 1 to 63 letters, digits, hyphens inside; underscores too, since real hosts carry them.
bool is_host_name(std::string_view host) noexcept {
  for (;;) {
    const std::string_view label = host.substr(0, host.find('.'));
    if (label.empty() || label.size() > kLabelBytesMax || label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(), is_host_character)) return false;
    if (label.size() == host.size()) return true;
    host.remove_prefix(label.size() + 1);
  }
}

// An ASCII host in lower case without its trailing dot, in `buffer`; "" when it is none.
std::string_view plain_host(std::string_view host, HostBuffer& buffer) noexcept {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() > buffer.size()) return {};
  std::transform(host.begin(), host.end(), buffer.begin(), lower);
  const std::string_view lowered(buffer.data(), host.size());
  return is_host_name(lowered) ? lowered : std::string_view{};
}

std::string a_labels(std::string_view host) {
  if (!is_utf8(host)) return {};
  const std::string terminated(host);
  char* found = nullptr;
  if (idn2_to_ascii_8z(terminated.c_str(), &found, IDN2_NONTRANSITIONAL) != IDN2_OK) return {};
  const std::unique_ptr<char, Freed> owned(found);
  HostBuffer buffer;
  return std::string(plain_host(owned.get(), buffer));
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    text.remove_prefix(plain_bytes(text));
    if (text.empty()) return true;
    const std::size_t size = character_bytes(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string digits_only(std::string_view text) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits), is_digit);
  return digits;
}

std::string upper_ascii(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), upper);
  return result;
}

std::string casefold(std::string_view text) {
  if (!is_utf8(text)) return {};
  if (is_ascii(text)) {
    std::string folded(text);
    std::transform(folded.begin(), folded.end(), folded.begin(), lower);
    return folded;
  }
  utf8proc_uint8_t* found = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_CASEFOLD | UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &found, options);
  const std::unique_ptr<utf8proc_uint8_t, Freed> owned(found);
  return size < 0 ? std::string{} : std::string(reinterpret_cast<const char*>(found), static_cast<std::size_t>(size));
}

std::string host_ascii(std::string_view host) {
  if (!is_ascii(host)) return a_labels(host);
  HostBuffer buffer;
  return std::string(plain_host(host, buffer));
}

std::string masked_name(std::string_view name) {
  std::string masked;
  for (name = trimmed(name); !name.empty(); name = trimmed(name)) {
    const std::string_view word = name.substr(0, name.find_first_of(" \t\r\n"));
    if (!masked.empty()) masked += ' ';
    masked += word.substr(0, character_bytes(word));
    masked += "***";
    name.remove_prefix(word.size());
  }
  return masked;
}

std::string masked_end(std::string_view text, std::size_t shown) {
  if (text.empty()) return {};
  const auto continues = [&text](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80; };
  std::size_t from = text.size();
  for (; from > 0 && shown > 0; --shown)
    for (--from; from > 0 && continues(from);) --from;
  return "•••" + std::string(from == 0 ? std::string_view() : text.substr(from));
}

SubstringPatterns::SubstringPatterns(const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    std::string folded = casefold(trimmed(pattern));
    if (!folded.empty()) folded_.push_back(std::move(folded));  // an empty pattern would be found everywhere
  }
}

bool SubstringPatterns::matches(std::string_view text) const {
  if (folded_.empty()) return false;
  const std::string folded = casefold(text);
  return std::any_of(folded_.begin(), folded_.end(),
                     [&folded](const std::string& pattern) { return folded.find(pattern) != std::string::npos; });
}

HostPatterns::HostPatterns(const std::vector<std::string>& hosts) {
  for (const std::string& host : hosts) {
    std::string ascii = host_ascii(trimmed(host));
    if (!ascii.empty()) ascii_.push_back(std::move(ascii));
  }
  std::sort(ascii_.begin(), ascii_.end());
}

bool HostPatterns::matches(std::string_view host) const {
  HostBuffer buffer;
  std::string international;
  std::string_view rest;
  if (is_ascii(host)) {
    rest = plain_host(host, buffer);
  } else {
    international = a_labels(host);
    rest = international;
  }
  // The host itself, then without its first label, and so on up to the last one.
  while (!rest.empty()) {
    if (std::binary_search(ascii_.begin(), ascii_.end(), rest, std::less<>())) return true;
    const std::size_t dot = rest.find('.');
    rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
  }
  return false;
}

}  // namespace tellerd::core
