#include "core/troubles.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>

namespace tellerd::core {
namespace {

constexpr std::size_t kRoomBytesMax = 32, kTroubleBytesMax = 256;

// Of a fixed size, so that keeping a line cannot fail.
struct Troubles {
  struct One {
    std::int64_t at_us = 0;
    Level level = Level::kError;
    std::size_t room_size = 0, text_size = 0;
    char room[kRoomBytesMax], text[kTroubleBytesMax];
  };
  std::mutex mutex;
  std::array<One, 16> ring;
  std::size_t count = 0;
};

Troubles& troubles() noexcept {
  static Troubles all;
  return all;
}

}  // namespace

void keep_trouble(Level level, std::string_view room, std::string_view text) noexcept {
  if (text.size() > kTroubleBytesMax) {
    text = text.substr(0, kTroubleBytesMax);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0u) == 0x80u) text.remove_suffix(1);
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0u) text.remove_suffix(1);
  }
  Troubles& all = troubles();
  const std::lock_guard held(all.mutex);
  Troubles::One& one = all.ring[all.count++ % all.ring.size()];
  one.at_us = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
                  .count();
  one.level = level;
  one.room_size = room.copy(one.room, sizeof one.room);
  one.text_size = text.copy(one.text, sizeof one.text);
}

std::vector<Trouble> newest_troubles() {
  Troubles& all = troubles();
  std::vector<Trouble> found;
  const std::lock_guard held(all.mutex);
  for (std::size_t back = 1; back <= std::min(all.count, all.ring.size()); ++back) {
    const Troubles::One& one = all.ring[(all.count - back) % all.ring.size()];
    found.push_back({one.at_us, one.level, {one.room, one.room_size}, {one.text, one.text_size}});
  }
  return found;
}

}  // namespace tellerd::core
