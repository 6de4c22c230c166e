#include "tellerctl/bench/interrupt.h"

#include <csignal>

#include "core/fault.h"

namespace tellerd::tellerctl::bench {
namespace {

volatile std::sig_atomic_t is_interrupted = 0;

void note(int) { is_interrupted = 1; }

}  // namespace

void notice_signals() {
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // no SA_RESTART: waiting calls return
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
}

void check_interrupted() {
  if (is_interrupted) throw core::Fault(core::Exit::kFailed, "interrupted: servers and scratch folders are gone");
}

}  // namespace tellerd::tellerctl::bench
