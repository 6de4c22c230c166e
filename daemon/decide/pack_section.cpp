#include "decide/pack_section.h"

#include <algorithm>

#include "core/fault.h"
#include "core/limits.h"
#include "core/text.h"

namespace tellerd::decide {
namespace {

std::string at_line(const std::string& place, const toml::source_region& source) {
  return source.begin.line == 0 ? place : place + " line " + std::to_string(source.begin.line);
}

[[noreturn]] void fault(const std::string& place, const std::string& problem) {
  throw core::Fault(core::Exit::kConfig, place + ": " + problem);
}

}  // namespace

toml::table parse_toml(const std::string& place, std::string_view text) {
  try {
    return toml::parse(text, std::string_view(place));
  } catch (const toml::parse_error& error) {
    fault(at_line(place, error.source()), std::string(error.description()));
  }
}

Section::Section(std::string place, const toml::table& table, std::initializer_list<std::string_view> keys)
    : place_(std::move(place)), table_(table) {
  if (keys.size() == 0) return;
  for (const auto& [key, value] : table_)
    if (std::find(keys.begin(), keys.end(), key.str()) == keys.end())
      fault(at_line(place_, key.source()), "unknown key " + quoted(key.str()));
}

std::vector<std::string> Section::keys() const {
  std::vector<std::string> out;
  for (const auto& [key, value] : table_) out.emplace_back(key.str());
  return out;
}

std::string Section::quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

std::string Section::place_of(const toml::node& node) const { return at_line(place_, node.source()); }

void Section::fail(std::string_view key, const std::string& problem) const {
  const toml::node* found = table_.get(key);
  fault(place_of(found == nullptr ? static_cast<const toml::node&>(table_) : *found), problem);
}

const toml::node& Section::node(std::string_view key) const {
  const toml::node* found = table_.get(key);
  if (found == nullptr) fault(place_of(table_), quoted(key) + " is missing");
  return *found;
}

std::string Section::checked_text(std::string_view key, const toml::node& node) const {
  const auto* text = node.as_string();
  if (text == nullptr) fault(place_of(node), quoted(key) + " is not a text in quotes");
  if (core::trimmed(text->get()).empty()) fault(place_of(node), quoted(key) + " is empty");
  if (text->get().size() > core::limits::kTextBytesMax)
    fault(place_of(node), quoted(key) + " is longer than 4096 bytes");
  return text->get();
}

std::int64_t Section::checked_integer(std::string_view key, const toml::node& node, std::int64_t min,
                                      std::int64_t max) const {
  const auto* integer = node.as_integer();
  if (integer == nullptr) fault(place_of(node), quoted(key) + " is not a whole number");
  if (integer->get() < min || integer->get() > max)
    fault(place_of(node), quoted(key) + " is not between " + std::to_string(min) + " and " + std::to_string(max));
  return integer->get();
}

const toml::array& Section::array(std::string_view key) const {
  const toml::node& found = node(key);
  if (!found.is_array()) fault(place_of(found), quoted(key) + " is not a list in brackets");
  return *found.as_array();
}

std::string Section::text(std::string_view key) const { return checked_text(key, node(key)); }

std::string Section::short_name(std::string_view key) const {
  std::string name = text(key);
  if (!is_short_name(name)) fail(key, quoted(key) + " is made of a-z, 0-9 and _");
  return name;
}

PlacedText Section::placed_text(std::string_view key) const { return {text(key), place_of(node(key))}; }

std::vector<PlacedText> Section::texts(std::string_view key) const {
  std::vector<PlacedText> out;
  for (const toml::node& element : array(key)) out.push_back({checked_text(key, element), place_of(element)});
  return out;
}

std::int64_t Section::integer(std::string_view key, std::int64_t min, std::int64_t max) const {
  return checked_integer(key, node(key), min, max);
}

std::vector<int> Section::counts(std::string_view key, int min, int max) const {
  std::vector<int> out;
  for (const toml::node& element : array(key)) out.push_back(static_cast<int>(checked_integer(key, element, min, max)));
  return out;
}

double Section::fraction(std::string_view key) const {
  const toml::node& found = node(key);
  const auto value = found.is_number() ? found.value<double>() : std::nullopt;
  if (!value || !(*value >= 0.0 && *value <= 1.0)) fault(place_of(found), quoted(key) + " is not between 0 and 1");
  return *value;
}

bool Section::flag(std::string_view key) const {
  const auto* flag = node(key).as_boolean();
  if (flag == nullptr) fail(key, quoted(key) + " is neither true nor false");
  return flag->get();
}

Section Section::section(std::string_view key, std::initializer_list<std::string_view> keys) const {
  const toml::node& found = node(key);
  if (!found.is_table()) fault(place_of(found), quoted(key) + " is not a table");
  return Section(place_, *found.as_table(), keys);
}

std::vector<Section> Section::sections(std::string_view key, std::initializer_list<std::string_view> keys) const {
  std::vector<Section> out;
  if (!has(key)) return out;
  for (const toml::node& element : array(key)) {
    if (!element.is_table()) fault(place_of(element), quoted(key) + " is not written as [[" + std::string(key) + "]]");
    out.emplace_back(place_, *element.as_table(), keys);
  }
  return out;
}

}  // namespace tellerd::decide
