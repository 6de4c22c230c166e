// Arguments, open, run, exit code.
#include <fmt/core.h>
#include <malloc.h>

#include <string_view>

#include "app/config.h"
#include "app/service.h"
#include "core/fault.h"
#include "core/thread_share.h"

namespace {

using tellerd::core::Exit;
using tellerd::core::Fault;

constexpr int kMappedBytesMin = 256 << 10, kFreeBytesAtEnd = 1 << 20;

constexpr std::string_view kHelp = R"(tellerd: what should the branch do for this customer next?

  tellerd --data DIR [--config FILE] [--policy NAME|DIR] [--clock wall|event] [--http PORT]

  --data DIR       everything the daemon keeps; sockets are made under DIR/run
  --config FILE    settings (tellerd.toml); a data directory alone is enough
  --policy P       the rules in force: "default", "original", or a folder of your own
  --clock C        "wall" (the branch's clock) or "event" (replays and tests: the newest event's time)
  --http PORT      port of the status page on this machine; 0 turns it off
  --version, --help

Examples:
  tellerd --data /var/lib/tellerd
  tellerd --data ./demo --policy original --clock event --http 8099
)";

tellerd::app::Config config_from(int argc, char** argv) {
  std::string data, file, pack, clock, port;
  for (int at = 1; at < argc; ++at) {
    const std::string_view option = argv[at];
    std::string* to = option == "--data"     ? &data
                      : option == "--config" ? &file
                      : option == "--policy" ? &pack
                      : option == "--clock"  ? &clock
                      : option == "--http"   ? &port
                                             : nullptr;
    if (!to) throw Fault(Exit::kUsage, fmt::format("{} is not an option: see tellerd --help", option));
    if (++at == argc) throw Fault(Exit::kUsage, fmt::format("{} needs a value: see tellerd --help", option));
    *to = argv[at];
  }
  if (data.empty()) throw Fault(Exit::kUsage, "--data DIR is missing: see tellerd --help");
  auto config = tellerd::app::read_config(std::filesystem::absolute(data), file);
  if (!pack.empty()) config.pack = pack;
  if (!clock.empty() && clock != "wall" && clock != "event") throw Fault(Exit::kUsage, "--clock takes wall or event");
  if (clock == "event") config.clock = tellerd::ingest::ClockMode::kEvent;
  if (!port.empty()) {
    if (port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65535)
      throw Fault(Exit::kUsage, "--http takes a port from 0 to 65535");
    config.http_port = std::stoi(port);
    config.is_http_port_chosen = true;
  }
  return config;
}

}  // namespace

int main(int argc, char** argv) {
  for (int at = 1; at < argc; ++at) {
    if (std::string_view(argv[at]) == "--help") return fmt::print("{}", kHelp), 0;
    if (std::string_view(argv[at]) == "--version") return fmt::print("tellerd {}\n", TELLERD_VERSION), 0;
  }
  // Else each large block that is given back raises the size from which blocks go back to the system, and they stay.
  ::mallopt(M_MMAP_THRESHOLD, kMappedBytesMin);
  ::mallopt(M_TRIM_THRESHOLD, kFreeBytesAtEnd);  // of a heap: else frames that come and go take fresh pages each time
  tellerd::core::take_short_turns();
  try {
    tellerd::app::Service service(config_from(argc, argv));
    return service.run();
  } catch (const Fault& fault) {
    fmt::print(stderr, "tellerd: {}\n", fault.what());
    return static_cast<int>(fault.exit_code());
  } catch (const std::exception& error) {
    fmt::print(stderr, "tellerd: {}\n", error.what());
    return static_cast<int>(Exit::kFailed);
  }
}
