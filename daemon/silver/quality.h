// How good the data is: how many events of a system and kind were taken, repeated, out of date, corrected, late or
// refused, and when last (mart_data_quality). Counted in memory, written when flushed. Threads: the engine's.
#pragma once
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/time.h"
#include "store/database.h"
#include "wire/facts.h"

namespace tellerd::silver {

enum class Quality : std::uint8_t { kAccepted, kRepeated, kOutdated, kCorrected, kLate };
inline constexpr int kQualities = 5;

class QualityCounts {
 public:
  explicit QualityCounts(store::Database& database);
  void count(std::size_t system, wire::Kind kind, Quality quality, core::Instant now_us) noexcept;
  void count_refused(std::string_view system, wire::Kind kind, std::string_view reason, core::Instant now_us);
  void name_system(std::size_t system, std::string_view name);
  void flush(store::Database& database);

 private:
  struct Count {
    std::int64_t count = 0;
    core::Instant last_us = 0;
    bool is_dirty = false;
  };
  std::size_t place(std::size_t system, wire::Kind kind, Quality quality) const noexcept {
    return (system * (wire::kEventKinds + 1) + static_cast<std::size_t>(kind)) * kQualities +
           static_cast<std::size_t>(quality);
  }
  std::vector<std::string> systems_;
  std::vector<Count> counts_;
  std::map<std::tuple<std::string, wire::Kind, std::string>, Count> refused_;
  std::map<std::tuple<std::string, std::string, std::string>, Count> stored_;
};

}  // namespace tellerd::silver
