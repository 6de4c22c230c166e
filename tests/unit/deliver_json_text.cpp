// JSON as it is said, read back by a library.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "deliver/json_text.h"

using namespace tellerd;

namespace {

std::string read_back(const std::string& text) {
  deliver::JsonText said;
  said.open();
  said.put("text", text);
  said.end();
  return nlohmann::json::parse(said.text()).at("text").get<std::string>();
}

}  // namespace

TEST_SUITE("deliver.json_text") {
  TEST_CASE("each character reads back wherever it stands in a text of any length") {
    for (int one = 0; one < 0x80; ++one)
      for (std::size_t length = 1; length <= 18; ++length)
        for (std::size_t at = 0; at < length; ++at) {
          std::string text(length, 'x');
          text[at] = static_cast<char>(one);
          if (const std::string read = read_back(text); read != text) FAIL(one, " at ", at, " of ", length, ": ", read);
        }
  }

  TEST_CASE("characters that are escaped may follow each other, and letters beyond ASCII stay as they are") {
    for (const std::string text :
         {"", "\"\"\"", "\\\\", "a\n\tb\x01", "\"eight...\"", "Договор №\u00a05 «Ёлка»", "съешь же ещё\n"})
      CHECK(read_back(text) == text);
    deliver::JsonText said;
    said.item("Ёлка");
    CHECK(said.text() == "\"Ёлка\"");
  }

  TEST_CASE("nothing is escaped that need not be") {
    deliver::JsonText said;
    said.item("plain text of more than eight; {}[]:,/~ and a \x7f");
    CHECK(said.text() == "\"plain text of more than eight; {}[]:,/~ and a \x7f\"");
  }
}
