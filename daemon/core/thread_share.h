// A thread's share of the processors, which a branch's server has fewer of than the daemon has threads with work. Who
// answers somebody takes short turns and is let in at once; who works through much takes long turns, at a lower weight,
// and is interrupted by the others. Turns of a thread's own need Linux 6.12; before it only the weight counts, and
// where the system forbids both all are as they were. Threads: each speaks for itself, and passes it on to those it
// starts.
#pragma once

namespace tellerd::core {

void take_short_turns() noexcept;
void take_middling_turns() noexcept;          // busy, and waited for
void take_long_turns(int niceness) noexcept;  // 0 to 19, as setpriority(2) takes it

}  // namespace tellerd::core
