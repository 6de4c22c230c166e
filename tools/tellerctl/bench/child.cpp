#include "tellerctl/bench/child.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>
#include <utility>

#include "core/fault.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr auto kEndPatience = std::chrono::seconds(20);

core::Fault failed(const std::string& sentence) { return core::Fault(core::Exit::kFailed, sentence); }

// Between fork and exec: only calls that are safe there.
[[noreturn]] void become(char* const* arguments, int log, const passwd* user, pid_t parent) {
  setpgid(0, 0);  // Ctrl-C is ours to pass on
  if (user && (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) _exit(126);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(126);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  signal(SIGPIPE, SIG_DFL);
  execv(arguments[0], arguments);
  _exit(127);
}

}  // namespace

std::filesystem::path sibling(const std::string& name) {
  const auto file = std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
  if (!std::filesystem::exists(file)) throw failed(file.string() + " is not there: build it first");
  return file;
}

Child::Child(const std::vector<std::string>& command, const std::filesystem::path& log, const std::string& user)
    : name_(std::filesystem::path(command.at(0)).filename()), log_(log) {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const passwd* account = !user.empty() && geteuid() == 0 ? getpwnam(user.c_str()) : nullptr;
  if (!user.empty() && geteuid() == 0 && !account) throw failed("there is no user " + user + " to run " + name_);
  const int to = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (to < 0) throw failed(log.string() + ": " + std::strerror(errno));
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) become(arguments.data(), to, account, parent);
  close(to);
  if (pid_ < 0) throw failed("cannot start " + name_ + ": " + std::strerror(errno));
}

Child::~Child() { end(); }
Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), name_(std::move(other.name_)), log_(std::move(other.log_)) {}
Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(name_, other.name_);
  std::swap(log_, other.log_);
  return *this;
}

std::int64_t Child::cpu_us() const {
  std::ifstream in(fmt::format("/proc/{}/stat", pid_));
  const std::string line{std::istreambuf_iterator<char>(in), {}};
  const auto name_end = line.rfind(')');  // the name may hold blanks
  if (name_end == std::string::npos) throw failed(name_ + " has ended: " + last_words());
  std::istringstream fields(line.substr(name_end + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  std::int64_t user = 0, system = 0;
  fields >> user >> system;
  return (user + system) * 1'000'000 / sysconf(_SC_CLK_TCK);
}

Memory Child::memory() const {
  std::ifstream in(fmt::format("/proc/{}/status", pid_));
  Memory found;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmRSS:")) found.resident_kib = std::stoll(line.substr(6));
    if (line.starts_with("VmHWM:")) found.peak_kib = std::stoll(line.substr(6));
  }
  return found;
}

void Child::check_alive() {
  int status = 0;
  if (pid_ > 0 && waitpid(pid_, &status, WNOHANG) == 0) return;
  pid_ = -1;
  throw failed(name_ + " has ended: " + last_words());
}

int Child::wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0)
    if (errno != EINTR) break;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void Child::end() noexcept {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  const auto until = std::chrono::steady_clock::now() + kEndPatience;
  while (std::chrono::steady_clock::now() < until) {
    const pid_t gone = waitpid(pid_, nullptr, WNOHANG);
    if (gone == pid_ || (gone < 0 && errno == ECHILD)) {
      pid_ = -1;
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  kill();
}

void Child::kill() noexcept {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

std::string Child::last_words() const {
  std::ifstream in(log_);
  std::string line, last = "it said nothing";
  while (std::getline(in, line))
    if (!line.empty()) last = line;
  return last;
}

}  // namespace tellerd::tellerctl::bench
