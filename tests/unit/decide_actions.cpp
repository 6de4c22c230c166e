#include <doctest/doctest.h>

#include <set>

#include "core/fault.h"
#include "support/choices.h"

using namespace tellerd;
using namespace tellerd::tests;
using doctest::Approx;

TEST_SUITE("decide.actions") {
  TEST_CASE("a mistake in actions.toml is told with its line") {
    const auto fault_of = [](const std::string& actions) -> std::string {
      try {
        pack_of(actions);
      } catch (const core::Fault& fault) {
        return fault.what();
      }
      return "";
    };
    const std::string good = action("one", kSale + "base_minor = 9000");
    CHECK(fault_of(good).empty());
    CHECK(fault_of(good + good).find("a second action") != std::string::npos);
    CHECK(fault_of(good + "[[lever]]\nreach = \"group\"\nname = \"nope\"\n").find("no action has \"nope\"") !=
          std::string::npos);
    CHECK(fault_of(good + "[[lever]]\nreach = \"group\"\nname = \"g\"\nweight = 1\nowner = \"o\"\nreason = "
                          "\"r\"\nexpires = \"soon\"\n")
              .find("is a date") != std::string::npos);
    CHECK(fault_of(good +
                   "[[lever]]\nreach = \"group\"\nname = \"g\"\nweight = 1\nreason = \"r\"\nexpires = \"2027-01-01\"\n")
              .find("owner") != std::string::npos);
    CHECK(fault_of(good + "[[context]]\nreach = \"all\"\nwhen = \"dpd > 0\"\nweight = 1\nreason = \"XX-99\"\n")
              .find("no words for \"XX-99\"") != std::string::npos);
    CHECK(fault_of(action("one", kSale + "base_minor = 9000\neligible = \"nonsense > 1\"")).find("actions.toml line") !=
          std::string::npos);
    CHECK(fault_of("").find("[[action]]") != std::string::npos);
    CHECK(parse_pack(read_pack_files("original")).catalogue.has_value() == false);
  }

  TEST_CASE("any changed bit of any file is another pack") {
    const PackFiles files = read_pack_files("default");
    const std::string before = pack_hash(files);
    std::set<std::string> hashes{before};
    std::size_t changed = 0;
    for (const auto& [name, text] : files)
      for (std::size_t at = 0; at < text.size(); at += 97)
        for (const int bit : {0, 5}) {
          PackFiles other = files;
          other[name][at] = static_cast<char>(other[name][at] ^ (1 << bit));
          hashes.insert(pack_hash(other));
          ++changed;
        }
    CHECK(changed > 500);
    CHECK(hashes.size() == changed + 1);
    PackFiles moved = files;  // a byte that leaves one file and enters the next
    moved["churn.toml"] += moved["actions.toml"].back();
    moved["actions.toml"].pop_back();
    CHECK(pack_hash(moved) != before);
  }
}
