// The page as text: what a strict Content-Security-Policy, a slow line and a second language ask of it.
#include <doctest/doctest.h>

#include <regex>
#include <set>
#include <string>

#include "core/embedded.h"

namespace {

std::string file(const char* path) { return std::string(tellerd::core::embedded_file(path)); }

std::set<std::string> matches(const std::string& text, const char* pattern) {
  std::set<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) found.insert((*it)[1]);
  return found;
}

// The keys one level down in WORDS.<language>.
std::set<std::string> words_of(const std::string& js, const std::string& language) {
  const auto begin = js.find("\n  " + language + ": {");
  const auto end = js.find("\n  },", begin);
  REQUIRE(begin != std::string::npos);
  std::string body = js.substr(begin, end - begin);
  body = std::regex_replace(body, std::regex("\"[^\"]*\""), "\"\"");  // texts may hold colons and braces
  body = std::regex_replace(body.substr(body.find('{') + 1), std::regex("\\{[^}]*\\}"), "");  // inner tables
  return matches(body, "(\\w+):");
}

}  // namespace

TEST_SUITE("ops.page") {
  TEST_CASE("the page is small") {
    std::size_t bytes = 0;
    for (const auto& embedded : tellerd::core::embedded_files()) {
      if (embedded.path.starts_with("web/")) bytes += embedded.bytes.size();
    }
    CHECK(bytes > 10'000);
    CHECK(bytes < 60'000);
  }

  TEST_CASE("nothing on it is inline and nothing comes from outside") {
    const std::string html = file("web/index.html");
    CHECK(matches(html, "(\\sstyle=)").empty());
    CHECK(matches(html, "(<style)").empty());
    CHECK(matches(html, "(\\son\\w+=)").empty());
    CHECK(matches(html, "(<script)[^>]*>[^<]").empty());
    CHECK(html.find("<script src=\"/app.js\" defer></script>") != std::string::npos);
    for (const char* path : {"web/index.html", "web/app.js", "web/app.css"}) {
      const std::string text = std::regex_replace(file(path), std::regex("http://www\\.w3\\.org/2000/svg"), "");
      CHECK_MESSAGE(matches(text, "((?:https?:)?//[a-z]+\\.)").empty(), path);
    }
    const std::string js = file("web/app.js");
    for (const char* unsafe : {"eval(", "new Function", "insertAdjacentHTML", ".innerHTML =", "document.write"}) {
      CHECK_MESSAGE(js.find(unsafe) == std::string::npos, unsafe);
    }
  }

  TEST_CASE("both languages have the same words, and every word the page asks for") {
    const std::string js = file("web/app.js");
    const auto english = words_of(js, "en");
    const auto russian = words_of(js, "ru");
    CHECK(english.size() > 50);
    CHECK(english == russian);
    for (const auto& word : matches(file("web/index.html"), "data-t(?:-label)?=\"(\\w+)\"")) {
      CHECK_MESSAGE(english.count(word) == 1, word);
    }
    for (const auto& word : matches(js, "\\bt\\(\\)\\.(\\w+)")) CHECK_MESSAGE(english.count(word) == 1, word);
  }

  TEST_CASE("a reader without eyes or mouse finds the way: one h1, landmarks, labelled sections, a skip link") {
    const std::string html = file("web/index.html");
    const auto count = [&html](const char* pattern) {
      const std::regex regex(pattern);
      return std::distance(std::sregex_iterator(html.begin(), html.end(), regex), std::sregex_iterator());
    };
    CHECK(count("<h1>") == 1);
    for (const char* landmark : {"<header>", "<nav ", "<main ", "<footer"})
      CHECK_MESSAGE(count(landmark) == 1, landmark);
    CHECK(count("<section") == count("<section aria-labelledby="));
    CHECK(count("aria-live=\"polite\"") == 1);
    CHECK(count("href=\"#main\"") == 1);
    for (const auto& id : matches(html, "aria-labelledby=\"([^\"]+)\"")) {
      CHECK_MESSAGE(html.find("id=\"" + id + "\"") != std::string::npos, id);
    }
  }
}
