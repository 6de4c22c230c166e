#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "core/assert.h"
#include "core/log.h"
#include "core/troubles.h"

using namespace tellerd::core;

namespace {

// What stderr took while `speak` ran.
std::string heard(const std::function<void()>& speak) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), std::fclose);
  REQUIRE(file);
  const int before = dup(STDERR_FILENO);
  dup2(fileno(file.get()), STDERR_FILENO);
  speak();
  dup2(before, STDERR_FILENO);
  close(before);
  std::rewind(file.get());
  std::string text(8192, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

}  // namespace

TEST_SUITE("core.log") {
  TEST_CASE("a line says when, how bad, where and what") {
    const std::string line = heard([] { log(Level::kWarning, "room", "текст"); });
    REQUIRE(line.size() > 21);
    CHECK(line.substr(20) == " warning room: текст\n");
    CHECK(line[10] == 'T');
    CHECK(line[19] == 'Z');
  }

  TEST_CASE("a text cannot begin a line of its own") {
    const std::string line = heard([] { log(Level::kError, "room", "one\ntwo\r\x1b[31m"); });
    CHECK(line.substr(20) == " error room: one two  [31m\n");
  }

  TEST_CASE("a text too long is cut between characters, and the line still ends") {
    std::string text = "a";
    for (int n = 0; n < 4000; ++n) text += "я";
    const std::string line = heard([&text] { log(Level::kInfo, std::string(100, 'r'), text); });
    REQUIRE(line.size() > 1000);
    CHECK(line.size() < 2100);
    CHECK(line.substr(line.size() - 3) == "я\n");
    CHECK(line.find(std::string(32, 'r') + ": ") != std::string::npos);
    CHECK(line.find(std::string(33, 'r')) == std::string::npos);
  }

  TEST_CASE("errors and warnings are kept, the newest first and no more than sixteen; notices are not") {
    heard([] {
      for (int line = 0; line < 20; ++line)
        log(line % 2 ? Level::kError : Level::kWarning, "tests", std::to_string(line));
      log(Level::kNotice, "tests", "not kept");
      log(Level::kError, "tests", std::string(255, 'x') + "д");
    });
    const auto kept = newest_troubles();
    REQUIRE(kept.size() == 16);
    CHECK(kept[0].text == std::string(255, 'x'));
    CHECK(kept[1].text == "19");
    CHECK(kept[1].level == Level::kError);
    CHECK(kept[2].level == Level::kWarning);
    CHECK(kept[15].text == "5");
    CHECK(kept[1].room == "tests");
    CHECK(kept[1].at_us > 1'700'000'000'000'000);
  }

  TEST_CASE("a rate limit lets the first line through and counts the rest of its second") {
    RateLimit limit;
    std::uint64_t left_out = 99;
    CHECK(limit.may_log(left_out));
    CHECK(left_out == 0);
    CHECK_FALSE(limit.may_log(left_out));
    CHECK_FALSE(limit.may_log(left_out));
    usleep(1'010'000);
    CHECK(limit.may_log(left_out));
    CHECK(left_out == 2);
  }

  TEST_CASE("a failed assertion names its place and aborts") {
    int status = 0;
    const std::string line = heard([&status] {
      const pid_t child = fork();
      if (child == 0) {
        std::signal(SIGABRT, SIG_DFL);
        TELLERD_ASSERT(1 + 1 == 3);
        _exit(0);
      }
      waitpid(child, &status, 0);
    });
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGABRT);
    CHECK(line.find("assertion failed: 1 + 1 == 3 at ") != std::string::npos);
    CHECK(line.find("core_log.cpp:") != std::string::npos);
    TELLERD_ASSERT(1 + 1 == 2);
  }
}
