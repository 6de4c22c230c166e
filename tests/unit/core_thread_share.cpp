#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <thread>

#include "core/thread_share.h"

using namespace tellerd;

namespace {

struct Share {
  int niceness = 0;
  long long turn_ns = 0;
};

// Of the thread that asks: sched_getattr(2), whose runtime lies 24 bytes in.
Share share_of_this_thread() {
  std::array<unsigned long long, 7> attributes{};
  REQUIRE(syscall(SYS_sched_getattr, 0, attributes.data(), sizeof(attributes), 0) == 0);
  return {getpriority(PRIO_PROCESS, 0), static_cast<long long>(attributes[3])};
}

template <class Take>
Share share_after(Take take) {
  Share seen;
  std::thread([&] {
    take();
    seen = share_of_this_thread();
  }).join();
  return seen;
}

bool has_turns() {
  utsname kernel{};
  int major = 0, minor = 0;
  REQUIRE(uname(&kernel) == 0);
  REQUIRE(std::sscanf(kernel.release, "%d.%d", &major, &minor) == 2);
  return major > 6 || (major == 6 && minor >= 12);
}

}  // namespace

TEST_SUITE("core.thread_share") {
  TEST_CASE("a thread of long work weighs less and takes long turns, and its starter is as it was") {
    const int before = getpriority(PRIO_PROCESS, 0);
    const Share seen = share_after([] { core::take_long_turns(19); });
    CHECK(seen.niceness == 19);
    if (has_turns()) CHECK(seen.turn_ns == 20'000'000);
    CHECK(getpriority(PRIO_PROCESS, 0) == before);
  }

  TEST_CASE("a thread that answers keeps its weight, and one it starts has its short turns") {
    const int before = getpriority(PRIO_PROCESS, 0);
    Share started;
    const Share seen = share_after([&] {
      core::take_short_turns();
      std::thread([&] { started = share_of_this_thread(); }).join();
    });
    CHECK(seen.niceness == before);
    CHECK(started.niceness == before);
    if (!has_turns()) return;
    CHECK(seen.turn_ns == 200'000);
    CHECK(started.turn_ns == 200'000);
    CHECK(share_after([] { core::take_middling_turns(); }).turn_ns == 1'000'000);
  }
}
