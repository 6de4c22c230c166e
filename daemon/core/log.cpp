#include "core/log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "core/assert.h"
#include "core/troubles.h"

namespace tellerd::core {
namespace {

constexpr std::size_t kTextBytesMax = 1800;  // a line with its time and room stays within one atomic pipe write
constexpr std::size_t kRoomBytesMax = 32;

std::string_view word_of(Level level) noexcept {
  switch (level) {
    case Level::kError:
      return "error";
    case Level::kWarning:
      return "warning";
    case Level::kNotice:
      return "notice";
    case Level::kInfo:
      return "info";
    case Level::kDebug:
      return "debug";
  }
  return "error";
}

// Where stderr is the journal itself systemd says so; a stderr that was redirected since then is not.
bool is_stderr_the_journal() noexcept {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  unsigned long long device = 0, inode = 0;
  struct stat about {};
  return stream != nullptr && std::sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
         fstat(STDERR_FILENO, &about) == 0 && about.st_dev == device && about.st_ino == inode;
}

// One line whatever the text holds: control characters become blanks, what is too long is cut between characters.
struct Line {
  explicit Line(std::string_view text) noexcept {
    size = std::min(text.size(), sizeof bytes);
    if (size < text.size())
      while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0u) == 0x80u) --size;
    std::transform(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size), bytes, [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte < 0x20 || byte == 0x7F ? ' ' : c;
    });
  }
  char bytes[kTextBytesMax];
  std::size_t size;
};

bool to_journal(Level level, std::string_view room, const Line& text) noexcept {
  return sd_journal_send("MESSAGE=%.*s", static_cast<int>(text.size), text.bytes, "PRIORITY=%i",
                         static_cast<int>(level), "TELLERD_ROOM=%.*s", static_cast<int>(room.size()), room.data(),
                         nullptr) >= 0;
}

void to_stderr(Level level, std::string_view room, const Line& text) noexcept {
  char when[32] = "";
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  if (gmtime_r(&now, &utc) != nullptr) std::strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
  char line[kTextBytesMax + kRoomBytesMax + 64];
  const int size = std::snprintf(line, sizeof line, "%s %s %.*s: %.*s\n", when, word_of(level).data(),
                                 static_cast<int>(room.size()), room.data(), static_cast<int>(text.size), text.bytes);
  if (size > 0 && write(STDERR_FILENO, line, static_cast<std::size_t>(size)) < 0) return;  // nowhere left to say it
}

}  // namespace

void log(Level level, std::string_view room, std::string_view text) noexcept {
  static const bool has_journal = is_stderr_the_journal();
  const int errno_before = errno;
  const Line line(text);
  room = room.substr(0, kRoomBytesMax);
  if (level <= Level::kWarning) keep_trouble(level, room, {line.bytes, line.size});
  if (!has_journal || !to_journal(level, room, line)) to_stderr(level, room, line);
  errno = errno_before;
}

bool RateLimit::may_log(std::uint64_t& left_out) noexcept {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) {
    ++left_out_;
    return false;
  }
  left_out = left_out_;
  left_out_ = 0;
  next_ = now + std::chrono::seconds(1);
  return true;
}

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  char text[512];
  std::snprintf(text, sizeof text, "assertion failed: %s at %s:%d", condition, file, line);
  log(Level::kError, "core", text);
  std::abort();
}

}  // namespace tellerd::core
