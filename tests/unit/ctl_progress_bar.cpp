#include <doctest/doctest.h>
#include <pty.h>
#include <unistd.h>

#include <string>

#include "tellerctl/words/progress_bar.h"

using namespace tellerd;

namespace {

// What is written on standard error meanwhile, where that is a terminal; of a pipe the same way.
template <class Work>
std::string seen(bool is_terminal, const Work& work) {
  int reader = -1, writer = -1, ends[2];
  if (is_terminal) {
    REQUIRE(::openpty(&reader, &writer, nullptr, nullptr, nullptr) == 0);
  } else {
    REQUIRE(::pipe(ends) == 0);
    reader = ends[0], writer = ends[1];
  }
  const int before = ::dup(STDERR_FILENO);
  ::dup2(writer, STDERR_FILENO);
  work();
  ::dup2(before, STDERR_FILENO);
  REQUIRE(::write(writer, "!", 1) == 1);
  std::string text(1000, ' ');
  const ssize_t count = ::read(reader, text.data(), text.size());
  for (const int each : {before, reader, writer}) ::close(each);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

}  // namespace

TEST_SUITE("ctl.progress_bar") {
  TEST_CASE("a bar is drawn where somebody looks, and taken away at the end") {
    const auto half = [] {
      tellerctl::ProgressBar bar;
      bar.show("clients.csv", 1, 2, "1/2 MB");
      bar.show("clients.csv", 2, 3, "too soon to be drawn again");
    };
    CHECK(seen(true, half) == "\r\033[Kclients.csv [############............] 1/2 MB\r\033[K!");
    CHECK(seen(false, half) == "!");
  }

  TEST_CASE("more than all is all, and less than nothing is nothing") {
    const auto drawn = [](double done, double of) {
      return seen(true, [=] { tellerctl::ProgressBar().show("", done, of); });
    };
    CHECK(drawn(7, 4).find("[########################]") != std::string::npos);
    CHECK(drawn(0, 0).find("[########################]") != std::string::npos);
    CHECK(drawn(-1, 4).find("[........................]") != std::string::npos);
  }
}
