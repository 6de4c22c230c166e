// A server started for a measurement. It ends with this object, by its pid, and with this process however that ends.
// Errors: core::Fault(kFailed) when it cannot be started or has ended by itself (with the end of what it said).
// Threads: start from the main thread only: the kernel ties the child's life to the thread that started it.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tellerd::tellerctl::bench {

struct Memory {
  std::int64_t resident_kib = 0, peak_kib = 0;
};

class Child {
 public:
  Child() = default;
  // What it says goes to `log`; `user` is the name to run under when we are root.
  Child(const std::vector<std::string>& command, const std::filesystem::path& log, const std::string& user = {});
  ~Child();
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  Child(const Child&) = delete;

  pid_t pid() const noexcept { return pid_; }
  std::int64_t cpu_us() const;  // user and system time of all its threads so far, in steps of a clock tick
  Memory memory() const;
  void check_alive();
  void end() noexcept;   // SIGTERM, and SIGKILL when that does not help
  void kill() noexcept;  // SIGKILL at once
  int wait();            // until it ends by itself; its exit code, -1 after a signal

 private:
  std::string last_words() const;

  pid_t pid_ = -1;
  std::string name_;
  std::filesystem::path log_;
};

// The binary of that name beside this one.
std::filesystem::path sibling(const std::string& name);

}  // namespace tellerd::tellerctl::bench
