// One table of a pack's file, read by key with its checks: a wrong value is a Fault(kConfig) that names file and line.
// Only the .cpp files that read packs include this: it brings toml++ with it.
#pragma once
#include <toml++/toml.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tellerd::decide {

struct PlacedText {
  std::string text;
  std::string place;  // "pack original: mcc.toml line 12"
};

class Section {
 public:
  // `place` is "pack NAME: FILE". A key that is not in `keys` is refused; no keys at all lets any key stand.
  Section(std::string place, const toml::table& table, std::initializer_list<std::string_view> keys);

  bool has(std::string_view key) const { return table_.contains(key); }
  bool is_empty_text(std::string_view key) const { return table_[key].value_or(std::string_view(".")).empty(); }
  std::vector<std::string> keys() const;

  std::string text(std::string_view key) const;  // not blank, at most limits::kTextBytesMax
  PlacedText placed_text(std::string_view key) const;
  std::vector<PlacedText> texts(std::string_view key) const;
  std::int64_t integer(std::string_view key, std::int64_t min, std::int64_t max) const;
  int count(std::string_view key, int min, int max) const { return static_cast<int>(integer(key, min, max)); }
  std::vector<int> counts(std::string_view key, int min, int max) const;
  double fraction(std::string_view key) const;  // 0 to 1
  bool flag(std::string_view key) const;
  Section section(std::string_view key, std::initializer_list<std::string_view> keys) const;
  std::vector<Section> sections(std::string_view key,
                                std::initializer_list<std::string_view> keys) const;  // may be none

  template <typename Value, std::size_t N>
  Value choice(std::string_view key, const std::pair<std::string_view, Value> (&choices)[N]) const {
    const std::string given = text(key);
    std::string known;
    for (const auto& [name, value] : choices) {
      if (given == name) return value;
      known += (known.empty() ? "" : ", ") + std::string(name);
    }
    fail(key, quoted(key) + " is one of: " + known);
  }

  std::string short_name(std::string_view key) const;  // of a-z, 0-9 and _

  // At the line of the key when it is there, else at the table's.
  [[noreturn]] void fail(std::string_view key, const std::string& problem) const;

  static std::string quoted(std::string_view text);
  static bool is_short_name(std::string_view text) noexcept {
    return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
  }

 private:
  const toml::node& node(std::string_view key) const;
  std::string place_of(const toml::node& node) const;
  std::string checked_text(std::string_view key, const toml::node& node) const;
  std::int64_t checked_integer(std::string_view key, const toml::node& node, std::int64_t min, std::int64_t max) const;
  const toml::array& array(std::string_view key) const;

  std::string place_;
  const toml::table& table_;
};

// Parsed files keep their tables alive while sections are read.
toml::table parse_toml(const std::string& place, std::string_view text);

}  // namespace tellerd::decide
