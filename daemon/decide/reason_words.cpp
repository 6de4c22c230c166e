#include "decide/reason_words.h"

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

std::string filled(std::string_view words, const std::vector<std::string_view>& figures) {
  std::string text(words);
  for (std::size_t at = 0; at < figures.size(); ++at) {
    const std::string place = "{" + std::to_string(at + 1) + "}";
    for (std::size_t found = text.find(place); found != std::string::npos;
         found = text.find(place, found + figures[at].size()))
      text.replace(found, place.size(), figures[at]);
  }
  return text;
}

}  // namespace

Texts read_texts(const PackFiles& files, std::string_view language) {
  const std::string name = "texts." + std::string(language) + ".toml";
  const auto found = files.find(name);
  if (found == files.end()) throw core::Fault(core::Exit::kConfig, "the pack has no " + name);
  return parse_texts(name, parse_toml(name, found->second));
}

std::vector<std::string> reason_words(const Texts& texts, std::string_view reasons) {
  std::vector<std::string> words;
  for (const std::string_view reason : parts_of(reasons, ' ')) {
    const std::size_t colon = reason.find(':');
    const std::string code(reason.substr(0, colon));
    words.push_back(
        filled(texts.words("reasons", code),
               parts_of(colon == std::string_view::npos ? std::string_view() : reason.substr(colon + 1), ',')));
  }
  return words;
}

}  // namespace tellerd::decide
