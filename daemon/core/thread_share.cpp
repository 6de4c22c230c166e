#include "core/thread_share.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace tellerd::core {
namespace {

constexpr std::uint64_t kMs = 1'000'000;  // in nanoseconds; Linux takes 0.1 to 100 ms
constexpr std::uint64_t kShort = kMs / 5, kMiddling = kMs, kLong = 20 * kMs;

// struct sched_attr of linux/sched/types.h, which cannot be included beside glibc's sched.h.
struct Attributes {
  std::uint32_t size = sizeof(Attributes), policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0, deadline_ns = 0, period_ns = 0;
};

// A kernel that knows no turns takes the weight alone. Nobody is made heavier than the daemon was started.
void take_turns_of(std::uint64_t turn_ns, int niceness) noexcept {
  Attributes wanted;
  wanted.nice = std::max(niceness, getpriority(PRIO_PROCESS, 0));
  wanted.runtime_ns = turn_ns;
  if (syscall(SYS_sched_setattr, 0, &wanted, 0) != 0) setpriority(PRIO_PROCESS, 0, wanted.nice);
}

}  // namespace

void take_short_turns() noexcept { take_turns_of(kShort, 0); }
void take_middling_turns() noexcept { take_turns_of(kMiddling, 0); }
void take_long_turns(int niceness) noexcept { take_turns_of(kLong, niceness); }

}  // namespace tellerd::core
