#include "tellerctl/bench/frames.h"

#include <algorithm>

#include "wire/batch.h"

namespace tellerd::tellerctl::bench {

Frames encode_frames(const std::string& producer, std::uint64_t first_seq, std::int64_t count,
                     const std::function<std::string_view(std::int64_t)>& event) {
  Frames made;
  made.producer = producer;
  made.first_seq = first_seq;
  made.events = count;
  wire::BatchBuilder builder;
  for (std::int64_t begin = 0; begin < count; begin += Frames::kEventsEach) {
    builder.start();
    const std::int64_t end = std::min(count, begin + Frames::kEventsEach);
    for (std::int64_t at = begin; at < end; ++at) {
      const std::string_view bytes = event(at);
      made.event_bytes += static_cast<std::int64_t>(bytes.size());
      builder.add(bytes);
    }
    made.frames.emplace_back(builder.finish(producer, 1, first_seq + static_cast<std::uint64_t>(begin), false));
  }
  return made;
}

}  // namespace tellerd::tellerctl::bench
