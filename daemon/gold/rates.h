// Exchange rates by time: the latest one not after a fact converts it (design.md 7). Threads: the engine's.
#pragma once
#include <map>
#include <optional>
#include <vector>

#include "core/money.h"
#include "core/time.h"

namespace tellerd::gold {

class Rates {
 public:
  struct Span {
    core::Instant from_us, until_us;
  };  // facts from (inclusive) until (exclusive) use another rate now
  Span put(core::Currency base, core::Currency quote, core::Instant at_us, std::int64_t seq, std::int64_t value_micro);
  Span take(core::Currency base, core::Currency quote, core::Instant at_us, std::int64_t seq);
  // Amount in minor units of `from` to minor units of `to`; nothing without a rate for that moment or on overflow.
  std::optional<std::int64_t> convert(std::int64_t amount_minor, core::Currency from, core::Currency to,
                                      core::Instant at_us) const;

 private:
  using Key = std::pair<std::uint32_t, std::uint32_t>;
  using Line = std::map<std::pair<core::Instant, std::int64_t>,
                        std::int64_t>;  // (time, seq) to value: of one instant the later record
  static Span span_of(const Line& line, core::Instant at_us);
  std::map<Key, Line> lines_;
};

}  // namespace tellerd::gold
