// Named steps at which the fault tests kill the process: TELLERD_CRASH_AT=step:n ends it, as kill -9 would, the n-th
// time the step is reached. One predictable branch when the variable is not set.
#pragma once

namespace tellerd::core {
#ifdef TELLERD_CRASH_STEPS
void crash_step(const char* step) noexcept;
#else
inline void crash_step(const char*) noexcept {}
#endif
}  // namespace tellerd::core
