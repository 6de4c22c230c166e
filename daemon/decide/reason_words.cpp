#include "decide/reason_words.h"

#include <algorithm>
#include <iterator>

#include "core/fault.h"
#include "decide/pack_parts.h"

namespace tellerd::decide {
namespace {

std::vector<std::string_view> parts_of(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    if (end != 0) parts.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return parts;
}

// Where a pack has the words for the figures of a code that are names; "" where they are figures.
std::string_view names_of(std::string_view code) {
  if (code == "SG-01") return "segments";
  if (code == "SG-02" || code == "SG-03") return "tiers";
  return code == "MI-05" ? "categories" : "";
}

Reason reason_of(std::string_view stored) {
  const std::size_t colon = std::min(stored.find(':'), stored.size());
  Reason reason{std::string(stored.substr(0, colon)), {}};
  const std::string_view figures = stored.substr(std::min(colon + 1, stored.size()));
  if (names_of(reason.code).empty()) {
    for (const std::string_view figure : parts_of(figures, ',')) reason.figures.emplace_back(figure);
  } else if (!figures.empty()) {  // one name, which may have commas in it
    std::replace_copy(figures.begin(), figures.end(), std::back_inserter(reason.figures.emplace_back()), '_', ' ');
  }
  return reason;
}

}  // namespace

std::string filled(std::string text, const std::vector<std::pair<std::string, std::string>>& values) {
  for (const auto& [name, value] : values) {
    const std::string place = "{" + name + "}";
    for (std::size_t found = text.find(place); found != std::string::npos;
         found = text.find(place, found + value.size()))
      text.replace(found, place.size(), value);
  }
  return text;
}

std::string filled(std::string_view words, const std::vector<std::string>& figures) {
  std::vector<std::pair<std::string, std::string>> values;
  for (std::size_t at = 0; at < figures.size(); ++at) values.emplace_back(std::to_string(at + 1), figures[at]);
  return filled(std::string(words), values);
}

Texts read_texts(const PackFiles& files, std::string_view language) {
  const std::string name = "texts." + std::string(language) + ".toml";
  const auto found = files.find(name);
  if (found == files.end()) throw core::Fault(core::Exit::kConfig, "the pack has no " + name);
  return parse_texts(name, parse_toml(name, found->second));
}

std::vector<Reason> reasons_of(std::string_view stored) {
  std::vector<Reason> reasons;
  for (const std::string_view one : parts_of(stored, ' ')) reasons.push_back(reason_of(one));
  return reasons;
}

std::string words_of(const Texts& texts, const Reason& reason) {
  const std::string_view names = names_of(reason.code), words = texts.words("reasons", reason.code);
  if (names.empty()) return filled(words, reason.figures);
  std::vector<std::string> said;
  for (const std::string& name : reason.figures) said.emplace_back(texts.words(names, name));
  return filled(words, said);
}

std::vector<std::string> reason_words(const Texts& texts, std::string_view stored) {
  std::vector<std::string> words;
  for (const Reason& reason : reasons_of(stored)) words.push_back(words_of(texts, reason));
  return words;
}

}  // namespace tellerd::decide
