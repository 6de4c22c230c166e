// The expected bytes are the files of the source tree itself.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "core/embedded.h"

using namespace tellerd::core;

TEST_SUITE("core.embedded") {
  TEST_CASE("every embedded file holds what the source tree holds, and is found by its path") {
    REQUIRE_FALSE(embedded_files().empty());
    for (const EmbeddedFile& file : embedded_files()) {
      CAPTURE(file.path);
      std::ifstream source(TELLERD_SOURCE_DIR "/" + std::string(file.path), std::ios::binary);
      const std::string expected{std::istreambuf_iterator<char>(source), std::istreambuf_iterator<char>()};
      CHECK(source.is_open());
      CHECK(file.bytes == expected);
      CHECK(embedded_file(file.path).data() == file.bytes.data());
    }
  }

  TEST_CASE("the list is sorted by path, which the search relies on") {
    const auto files = embedded_files();
    CHECK(std::is_sorted(files.begin(), files.end(),
                         [](const EmbeddedFile& a, const EmbeddedFile& b) { return a.path < b.path; }));
  }
}
