#include "gold/rates.h"

namespace tellerd::gold {
namespace {
constexpr std::int64_t kMicro = 1'000'000;

std::int64_t power_of_ten(int digits) noexcept {
  std::int64_t value = 1;
  for (; digits > 0; --digits) value *= 10;
  return value;
}
}  // namespace

Rates::Span Rates::span_of(const Line& line, core::Instant at_us) {
  const auto next = line.upper_bound({at_us, INT64_MAX});
  return {at_us, next == line.end() ? core::kNever : next->first.first};
}

Rates::Span Rates::put(core::Currency base, core::Currency quote, core::Instant at_us, std::int64_t seq,
                       std::int64_t value_micro) {
  Line& line = lines_[{base.packed, quote.packed}];
  line[{at_us, seq}] = value_micro;
  return span_of(line, at_us);
}

Rates::Span Rates::take(core::Currency base, core::Currency quote, core::Instant at_us, std::int64_t seq) {
  Line& line = lines_[{base.packed, quote.packed}];
  line.erase({at_us, seq});
  return span_of(line, at_us);
}

std::optional<std::int64_t> Rates::convert(std::int64_t amount_minor, core::Currency from, core::Currency to,
                                           core::Instant at_us) const {
  if (from == to) return amount_minor;
  const auto line = lines_.find({from.packed, to.packed});
  if (line == lines_.end()) return std::nullopt;
  auto rate = line->second.upper_bound({at_us, INT64_MAX});
  if (rate == line->second.begin()) return std::nullopt;
  --rate;
  // Both sides in minor units: the rate is for one whole unit of each.
  const std::int64_t to_scale = power_of_ten(core::minor_digits(to)),
                     from_scale = power_of_ten(core::minor_digits(from));
  if (rate->second > INT64_MAX / to_scale) return std::nullopt;
  return core::multiply_ratio(amount_minor, rate->second * to_scale, kMicro * from_scale);
}

}  // namespace tellerd::gold
