// tellerctl: the commands, their exit codes and nothing else.
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <iostream>

#include "core/fault.h"
#include "tellerctl/commands.h"
#include "tellerctl/context.h"

namespace {

constexpr int kDone = 0, kFailed = 1, kUsage = 2;

// `tellerctl tail | head`: who reads the output has had enough of it.
bool is_reader_gone() {
  pollfd output{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

int run(int argc, char** argv) {
  tellerd::tellerctl::Context context;
  CLI::App app{"Talks to a running tellerd and looks after its data.\nExit codes: 0 done, 1 failed, 2 wrong usage."};
  app.name("tellerctl");
  app.add_option("--data", context.data, "Data directory of the daemon")
      ->envname("TELLERD_DATA")
      ->capture_default_str();
  app.set_version_flag("--version", std::string("tellerctl ") + TELLERD_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  using Register = void (*)(CLI::App&, tellerd::tellerctl::Context&);
  constexpr Register kGroups[] = {tellerd::tellerctl::register_load,    tellerd::tellerctl::register_daemon,
                                  tellerd::tellerctl::register_streams, tellerd::tellerctl::register_quarantine,
                                  tellerd::tellerctl::register_export,  tellerd::tellerctl::register_policy,
                                  tellerd::tellerctl::register_sources, tellerd::tellerctl::register_store,
                                  tellerd::tellerctl::register_models,  tellerd::tellerctl::register_user,
                                  tellerd::tellerctl::register_work,    tellerd::tellerctl::register_bench};
  for (const Register group : kGroups) group(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? kDone : kUsage;
  }
  std::cout.flush();
  if (!std::cout) throw tellerd::core::Fault(tellerd::core::Exit::kFailed, "cannot write to standard output");
  return kDone;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a daemon that hangs up is an answer that fails, not a signal
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    if (!std::cout && is_reader_gone()) return kDone;
    std::cerr << "tellerctl: " << error.what() << "\n";
    return kFailed;
  }
}
