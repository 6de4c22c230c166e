#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>

#include "core/checksum.h"
#include "core/civil.h"
#include "core/fault.h"
#include "core/time.h"
#include "core/zone_rule.h"

// Debian builds libdate-tz on the compiled zone files; without this the header and the library disagree about layout.
#ifndef USE_OS_TZDB
#define USE_OS_TZDB 1
#endif
#include <date/tz.h>

namespace tellerd::core {
namespace {

using civil::floor_div;

constexpr Instant kEarliest = std::numeric_limits<Instant>::min();
constexpr std::int64_t kUnrollEndS = 4'102'444'800;  // 2100-01-01T00:00:00Z

// Saturating: kNever and its neighbours stay instants instead of wrapping round.
Instant sum(Instant a, Instant b) noexcept {
  Instant result = 0;
  if (__builtin_add_overflow(a, b, &result)) return b > 0 ? kNever : kEarliest;
  return result;
}

[[noreturn]] void refuse_zone(std::string_view zone) {
  throw Fault(Exit::kConfig, "branch.timezone \"" + std::string(zone) +
                                 "\" is not a known time zone: write an IANA name such as Europe/Moscow or UTC, and "
                                 "see that the package tzdata is installed");
}

struct Piece {
  std::int64_t begin_s, offset_s;
};

// What the library does not read of the compiled file: its last line, the rule for the time after the table.
std::optional<ZoneRule> rule_of(const std::string& zone) {
  std::ifstream file("/usr/share/zoneinfo/" + zone, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (bytes.size() < 2 || bytes.back() != '\n') return std::nullopt;
  bytes.pop_back();
  return ZoneRule::parse(std::string_view(bytes).substr(bytes.rfind('\n') + 1));
}

std::vector<Piece> pieces_of(const std::string& zone) {
  std::vector<Piece> pieces;
  const auto* const found = date::locate_zone(zone);
  for (date::sys_seconds at{}; at.time_since_epoch().count() < kUnrollEndS;) {
    const date::sys_info known = found->get_info(at);
    pieces.push_back({at.time_since_epoch().count(), known.offset.count()});
    at = known.end;
  }
  // The table ends with the last piece; the rule says what of the time from there to 2100 it does not hold.
  const auto rule = rule_of(zone);
  if (!rule) return pieces;
  const std::int64_t table_end_s = pieces.back().begin_s;
  for (std::int64_t year = civil::date_of(floor_div(table_end_s, 86'400)).year; year < 2100; ++year) {
    for (const auto& change : rule->changes_in(year))
      if (change.at_s > table_end_s && change.at_s < kUnrollEndS) pieces.push_back({change.at_s, change.offset_s});
  }
  return pieces;
}

}  // namespace

bool is_zone(std::string_view name) {
  if (name == "UTC" || name == "Etc/UTC") return true;
  if (name.empty()) return false;
  try {
    return date::locate_zone(std::string(name)) != nullptr;
  } catch (const std::runtime_error&) {  // the library's only way to say no
    return false;
  }
}

Calendar::Calendar(std::string_view zone) : zone_(zone) {
  if (zone_ == "UTC" || zone_ == "Etc/UTC") {  // needs no tzdata
    spans_ = {{kEarliest, kNever, 0}};
    return;
  }
  if (zone_.empty()) refuse_zone(zone);  // locate_zone("") crashes in date 3.0.1
  try {
    for (const Piece& piece : pieces_of(zone_)) {
      const Instant offset = piece.offset_s * kSecond;
      if (!spans_.empty() && spans_.back().offset == offset) continue;
      if (!spans_.empty()) spans_.back().end = piece.begin_s * kSecond;
      spans_.push_back({spans_.empty() ? kEarliest : piece.begin_s * kSecond, kNever, offset});
    }
  } catch (const std::runtime_error&) {
    refuse_zone(zone);
  }
}

const Calendar::Span& Calendar::span_at(Instant at) const noexcept {
  const Span& last = spans_[last_];
  if (at >= last.begin && at < last.end) return last;
  const auto after = std::upper_bound(spans_.begin(), spans_.end(), at,
                                      [](Instant value, const Span& span) { return value < span.begin; });
  last_ = static_cast<std::size_t>(after - spans_.begin()) - 1;
  return spans_[last_];
}

std::uint64_t Calendar::fingerprint() const noexcept {
  static_assert(sizeof(Span) == 3 * sizeof(Instant), "no padding, whose bytes are anything");
  return hash64({reinterpret_cast<const char*>(spans_.data()), spans_.size() * sizeof(Span)});
}

Day Calendar::day_of(Instant at) const noexcept {
  return static_cast<Day>(floor_div(sum(at, span_at(at).offset), kDay));
}

std::int32_t Calendar::minute_of_day(Instant at) const noexcept {
  const Instant local = sum(at, span_at(at).offset);
  return static_cast<std::int32_t>((local - floor_div(local, kDay) * kDay) / kMinute);
}

Instant Calendar::start_of_day(Day day) const noexcept { return instant_of(day, 0); }

// The first instant whose local time is at or past the one asked for: the earlier of two, and the end of a gap.
Instant Calendar::instant_of(Day day, std::int64_t local_us_of_day) const noexcept {
  Instant local = 0;
  if (__builtin_mul_overflow(static_cast<Instant>(day), kDay, &local)) return day > 0 ? kNever : kEarliest;
  local = sum(local, local_us_of_day);
  // No offset is as large as a day, and no gap is longer than one.
  const Span* span = &span_at(sum(local, -2 * kDay));
  const Span* const last = &spans_.back();
  while (span != last && sum(span->end, span->offset) <= local) ++span;
  return std::max(span->begin, sum(local, -span->offset));
}

}  // namespace tellerd::core
