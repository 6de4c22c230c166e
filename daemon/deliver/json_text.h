// JSON written as it is said, into one text: for what is made with every lease, where a tree of values costs more than
// all the rest. Whoever writes opens and ends what he opened; texts are UTF-8 and are escaped here.
#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

namespace tellerd::deliver {

class JsonText {
 public:
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
    std::size_t plain = 0;  // from here on nothing had to be escaped
    for (std::size_t at = 0; at < text.size(); ++at) {
      const char one = text[at];
      if (one != '"' && one != '\\' && static_cast<unsigned char>(one) >= 0x20) continue;
      text_.append(text, plain, at - plain);
      plain = at + 1;
      if (one == '"' || one == '\\')
        (text_ += '\\') += one;
      else
        fmt::format_to(std::back_inserter(text_), "\\u{:04x}", static_cast<int>(one));
    }
    text_.append(text, plain);
    text_ += '"';
  }

  std::string text_;
};

}  // namespace tellerd::deliver
