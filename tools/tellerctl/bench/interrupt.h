// Ctrl-C and SIGTERM end a benchmark in order: servers and folders go as their objects do. A second signal ends it at
// once. Threads: any may ask.
#pragma once

namespace tellerd::tellerctl::bench {

void notice_signals();
void check_interrupted();  // core::Fault(kFailed) once a signal has come

}  // namespace tellerd::tellerctl::bench
