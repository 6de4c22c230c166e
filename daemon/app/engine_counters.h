// What the engine has done so far. Threads: the engine's writes, anyone reads.
#pragma once
#include <atomic>
#include <cstdint>

#include "core/time.h"

namespace tellerd::app {

struct EngineCounters {
  std::atomic<std::int64_t> applied_seq{0}, flushed_seq{0}, now_us{0}, next_due_us{core::kNever};
  std::atomic<std::uint64_t> turns{0}, deadlines{0}, decisions{0}, offers{0}, chains_walked{0}, flushes{0}, flush_us{0};
  std::atomic<std::uint64_t> customers{0}, facts{0}, key_bytes{0}, quarantined{0};
  std::atomic<int> coming_percent{0};          // of a pack that is to come
  std::atomic<std::uint64_t> taken_beside{0};  // customers whose gold was derived before the turn that changed it
};

}  // namespace tellerd::app
