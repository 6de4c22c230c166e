// Batches encoded before the clock starts: what both servers of a comparison get, byte for byte.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tellerd::tellerctl::bench {

struct Frames {
  static constexpr std::int64_t kEventsEach = 256;
  std::string producer;
  std::uint64_t first_seq = 1;
  std::int64_t events = 0, event_bytes = 0;
  std::vector<std::string> frames;  // kEventsEach events each, the last one perhaps fewer

  std::uint64_t last_seq() const noexcept { return first_seq + static_cast<std::uint64_t>(events) - 1; }
};

// `event(i)` gives the bytes of the i-th of `count` events.
Frames encode_frames(const std::string& producer, std::uint64_t first_seq, std::int64_t count,
                     const std::function<std::string_view(std::int64_t)>& event);

}  // namespace tellerd::tellerctl::bench
