// Answers about choices as text: a line a fact, what is nested set in, reasons in the language that was asked for.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "tellerctl/words/daemon_words.h"

namespace tellerd::tellerctl {
namespace {

using nlohmann::json;

std::string value_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? fmt::format("{:.4g}", value.get<double>()) : value.dump();
}

void put(std::string& text, const json& of, const std::string& language, int depth) {
  const std::string margin(static_cast<std::size_t>(2 * depth), ' ');
  for (const auto& [name, value] : of.items()) {
    if (name == "reasons_ru" || name == "reasons_en") {
      if (name != "reasons_" + language) continue;
      for (const auto& words : value) text += margin + "- " + words.get<std::string>() + "\n";
    } else if (value.is_object()) {
      text += margin + name + ":\n";
      put(text, value, language, depth + 1);
    } else if (value.is_array() && !value.empty() && value[0].is_object()) {
      text += margin + name + ":\n";
      for (const auto& one : value) {
        put(text, one, language, depth + 1);
        text += "\n";
      }
    } else if (!value.is_null() && value != "") {
      text += fmt::format("{}{:<{}} {}\n", margin, name, std::max(0, 24 - 2 * depth), value_of(value));
    }
  }
}

}  // namespace

std::string choice_words(const json& answer, const std::string& language) {
  std::string text;
  put(text, answer, language, 0);
  return text;
}

}  // namespace tellerd::tellerctl
