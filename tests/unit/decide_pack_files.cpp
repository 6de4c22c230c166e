#include <doctest/doctest.h>
#include <stdlib.h>

#include <fstream>
#include <set>

#include "core/fault.h"
#include "decide/pack_files.h"

using namespace tellerd::decide;
using tellerd::core::Fault;

namespace {

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/tellerd_pack_XXXXXX";
    path_ = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_SUITE("decide.pack_files") {
  TEST_CASE("the hash is over names and bytes") {
    const std::string hash = pack_hash({{"a.toml", "1"}, {"b.toml", "2"}});
    CHECK(hash == pack_hash({{"b.toml", "2"}, {"a.toml", "1"}}));
    const std::set<std::string> all = {hash,
                                       pack_hash({{"a.toml", "2"}, {"b.toml", "1"}}),
                                       pack_hash({{"a.toml", "12"}, {"b.toml", ""}}),
                                       pack_hash({{"a.toml", "1"}, {"c.toml", "2"}}),
                                       pack_hash({{"a.toml", "1"}}),
                                       pack_hash({{"a.toml", "16:b.toml1:2"}})};
    CHECK(all.size() == 6);
  }

  TEST_CASE("a pack goes through its record unchanged") {
    const PackFiles files = read_pack_files("default");
    CHECK(deserialise_pack(serialise_pack(files)) == files);
    CHECK(serialise_pack({{"a.toml", "x = \"\\\"\n\""}}) == R"({"a.toml":"x = \"\\\"\n\""})");
    CHECK_THROWS_AS(serialise_pack({{"a.toml", "\xff"}}), Fault);
    for (const char* text : {"", "[]", "{", "1", R"({"a.toml": 1})", R"({"a.toml": {}})", "{} x"})
      CHECK_THROWS_AS(deserialise_pack(text), Fault);
  }

  TEST_CASE("a copy reads like the pack it came from, and a folder in use is left alone") {
    const Folder folder;
    const auto copy = folder.path() / "a" / "mine";
    copy_pack("default", copy);
    CHECK(read_pack_files(copy.string()) == read_pack_files("default"));
    CHECK_THROWS_AS(copy_pack("original", copy), Fault);
    CHECK(read_pack_files(copy.string()) == read_pack_files("default"));
    std::ofstream(copy / "notes.txt") << "mine";
    std::ofstream(copy / "offers.toml~") << "old";
    std::ofstream(copy / ".offers.toml") << "hidden";
    CHECK(read_pack_files(copy.string()) == read_pack_files("default"));
    std::ofstream(copy / "large.toml") << std::string(kPackBytesMax, ' ');
    CHECK_THROWS_AS(read_pack_files(copy.string()), Fault);
  }

  TEST_CASE("a pack that is not there is refused with the names of those that are") {
    const Folder folder;
    for (const std::string& name :
         {std::string("nothing"), std::string(""), std::string(".."), std::string("./nothing"), std::string("defaul"),
          folder.path().string(), std::string("/etc/passwd")})
      CHECK_THROWS_AS(read_pack_files(name), Fault);
    CHECK_THROWS_WITH_AS(read_pack_files("nothing"), doctest::Contains("default, original"), Fault);
  }
}
