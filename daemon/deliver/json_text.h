// JSON written as it is said, into one text: for what is made with every lease, where a tree of values costs more than
// all the rest. Whoever writes opens and ends what he opened; texts are UTF-8 and are escaped here.
#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

namespace tellerd::deliver {

class JsonText {
 public:
  explicit JsonText(std::size_t bytes = 0) { text_.reserve(bytes); }  // so many are expected
  void open(std::string_view name = {}) { begin(name, '{'); }
  void open_list(std::string_view name = {}) { begin(name, '['); }
  void end() { text_ += '}'; }
  void end_list() { text_ += ']'; }
  void put(std::string_view name, std::string_view text) {
    key(name);
    quote(text);
  }
  void put(std::string_view name, std::int64_t number) {
    key(name);
    const fmt::format_int digits(number);
    text_.append(digits.data(), digits.size());
  }
  void put_real(std::string_view name, double number) {
    key(name);
    fmt::format_to(std::back_inserter(text_), "{}", number);
  }
  void put_digits(std::string_view name, std::string_view number) {  // as it is to stand there
    key(name);
    text_ += number;
  }
  void put_null(std::string_view name) {
    key(name);
    text_ += "null";
  }
  void item(std::string_view text) { put({}, text); }  // of a list
  const std::string& text() const& noexcept { return text_; }
  std::string text() && { return std::move(text_); }

 private:
  void begin(std::string_view name, char bracket) {
    key(name);
    text_ += bracket;
  }
  void key(std::string_view name) {
    if (!text_.empty() && text_.back() != '{' && text_.back() != '[') text_ += ',';
    if (name.empty()) return;
    quote(name);
    text_ += ':';
  }
  void quote(std::string_view text) {
    text_ += '"';
    while (!text.empty()) {
      const std::size_t plain = plain_bytes(text);
      text_.append(text, 0, plain);
      if (plain == text.size()) break;
      const char one = text[plain];
      text.remove_prefix(plain + 1);
      if (one == '"' || one == '\\')
        (text_ += '\\') += one;
      else
        fmt::format_to(std::back_inserter(text_), "\\u{:04x}", static_cast<int>(one));
    }
    text_ += '"';
  }
  static bool is_plain(char one) { return one != '"' && one != '\\' && static_cast<unsigned char>(one) >= 0x20; }
  // Up to the first that has to be escaped, eight at a time: of a word's bytes that are zero, or less than n up to 128,
  // the lowest gets its high bit by (word - n in each byte) & ~word, as borrows go upwards only.
  static std::size_t plain_bytes(std::string_view text) {
    constexpr std::uint64_t kEach = 0x0101010101010101, kHigh = 0x80 * kEach;
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
      std::uint64_t word;
      std::memcpy(&word, text.data() + at, sizeof word);
      const std::uint64_t quotes = word ^ ('"' * kEach), slashes = word ^ ('\\' * kEach);
      if ((((word - 0x20 * kEach) & ~word) | ((quotes - kEach) & ~quotes) | ((slashes - kEach) & ~slashes)) & kHigh)
        break;
    }
    while (at < text.size() && is_plain(text[at])) ++at;
    return at;
  }

  std::string text_;
};

}  // namespace tellerd::deliver
