// The page as text: what a strict Content-Security-Policy, a slow line and a second language ask of it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "core/embedded.h"

namespace {

std::string file(const char* path) { return std::string(tellerd::core::embedded_file(path)); }

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; }

// The words that stand right after each place of the prefix.
std::set<std::string> words_after(const std::string& text, const std::string& prefix) {
  std::set<std::string> found;
  for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at + 1)) {
    if (at > 0 && is_word(prefix.front()) && is_word(text[at - 1])) continue;  // the end of a longer word
    auto end = at + prefix.size();
    while (end < text.size() && is_word(text[end])) ++end;
    if (end > at + prefix.size()) found.insert(text.substr(at + prefix.size(), end - at - prefix.size()));
  }
  return found;
}

// Every file of the pages, by its path.
std::map<std::string, std::string> pages() {
  std::map<std::string, std::string> found;
  for (const auto& embedded : tellerd::core::embedded_files())
    if (embedded.path.starts_with("web/")) found.emplace(embedded.path, embedded.bytes);
  return found;
}

long count(const std::string& text, std::string_view part) {
  long n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// The keys of WORDS.<language> itself, not of the tables in it: words before a colon, one brace deep, outside texts.
std::set<std::string> words_of(const std::string& js, const std::string& language) {
  std::set<std::string> keys;
  const auto begin = js.find("\n  " + language + ": {");
  REQUIRE(begin != std::string::npos);
  int depth = 0;
  bool is_text = false;
  std::string word;
  for (auto at = js.find('{', begin); at < js.size(); ++at) {
    const char c = js[at];
    if (c == '"') is_text = !is_text;
    if (is_text) continue;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) break;
    if (c == ':' && depth == 1) keys.insert(word);
    word = is_word(c) ? word + c : "";
  }
  return keys;
}

// " onclick=" and its like.
std::set<std::string> inline_handlers(const std::string& html) {
  std::set<std::string> found;
  for (const auto& word : words_after(html, " on")) {
    if (html.find(" on" + word + "=") != std::string::npos) found.insert(word);
  }
  return found;
}

}  // namespace

TEST_SUITE("ops.page") {
  TEST_CASE("the page is small") {
    std::size_t bytes = 0;
    for (const auto& embedded : tellerd::core::embedded_files()) {
      if (embedded.path.starts_with("web/")) bytes += embedded.bytes.size();
    }
    CHECK(bytes > 10'000);
    CHECK(bytes < 250'000);
  }

  TEST_CASE("nothing on it is inline and nothing comes from outside") {
    const std::string html = file("web/index.html");
    for (const char* inside : {" style=", "<style", "javascript:", " src=\"//", " href=\"//"}) {
      CHECK_MESSAGE(count(html, inside) == 0, inside);
    }
    CHECK(inline_handlers(html).empty());
    CHECK(count(html, "<script") == 1);
    CHECK(count(html, "<script type=\"module\" src=\"/app.js\"></script>") == 1);
    const std::string namespace_of_svg = "http://www.w3.org/2000/svg";  // a name, nothing is fetched from it
    for (const auto& [path, text] : pages()) {
      const std::string& page = path;
      CHECK_MESSAGE(count(text, "http:") + count(text, "https:") == count(text, namespace_of_svg), page);
      CHECK_MESSAGE(count(text, "url(") + count(text, "@import") == 0, page);
      for (const char* unsafe : {"eval(", "new Function", "insertAdjacentHTML", ".innerHTML =", "outerHTML",
                                 "document.write", "setAttribute(\"style\""}) {
        CHECK_MESSAGE(text.find(unsafe) == std::string::npos, page);
      }
    }
  }

  TEST_CASE("both languages have the same words, and every word the page asks for") {
    const std::string js = file("web/words.js");
    const auto english = words_of(js, "en");
    const auto russian = words_of(js, "ru");
    CHECK(english.size() > 200);
    CHECK(english == russian);
    std::set<std::string> asked;
    for (const auto& [path, text] : pages()) {
      if (path != "web/words.js")
        for (const char* prefix : {"t().", "data-t=\"", "data-t-label=\"", "word(\""})
          asked.merge(words_after(text, prefix));
    }
    CHECK(asked.size() > 200);
    for (const auto& word : asked) CHECK_MESSAGE(english.count(word) == 1, word);
    for (const auto& word : english) CHECK_MESSAGE(asked.count(word) == 1, word);
  }

  TEST_CASE("a reader without eyes or mouse finds the way: one h1, landmarks, labelled sections, a skip link") {
    const std::string html = file("web/index.html");
    CHECK(count(html, "<h1 ") == 1);
    for (const char* landmark : {"<header>", "<nav ", "<main ", "<footer"})
      CHECK_MESSAGE(count(html, landmark) == 1, landmark);
    CHECK(count(html, "aria-live=\"polite\"") == 1);
    CHECK(count(html, "href=\"#main\"") == 1);
  }
}
