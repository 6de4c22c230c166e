#include "silver/quality.h"

#include <array>

namespace tellerd::silver {
namespace {
constexpr std::array<std::string_view, kQualities> kNames = {"accepted", "repeated", "outdated", "corrected", "late"};
}

QualityCounts::QualityCounts(store::Database& database) {
  store::Statement all(database, "SELECT system,kind,verdict,count,last_us FROM data_quality");
  while (all.step())
    stored_[{std::string(all.text(0)), std::string(all.text(1)), std::string(all.text(2))}] = {all.integer(3),
                                                                                               all.integer(4), false};
}

void QualityCounts::name_system(std::size_t system, std::string_view name) {
  if (system < systems_.size() && systems_[system] == name) return;
  if (system >= systems_.size()) systems_.resize(system + 1);
  systems_[system] = name;
  counts_.resize(place(system + 1, wire::Kind::kNone, Quality::kAccepted));
  for (int kind = 0; kind <= wire::kEventKinds; ++kind)
    for (int quality = 0; quality < kQualities; ++quality) {
      const auto known = stored_.find({systems_[system], std::string(wire::name_of(static_cast<wire::Kind>(kind))),
                                       std::string(kNames[static_cast<std::size_t>(quality)])});
      if (known != stored_.end())
        counts_[place(system, static_cast<wire::Kind>(kind), static_cast<Quality>(quality))] = known->second;
    }
}

void QualityCounts::count(std::size_t system, wire::Kind kind, Quality quality, core::Instant now_us) noexcept {
  Count& one = counts_[place(system, kind, quality)];
  ++one.count;
  one.last_us = now_us;
  one.is_dirty = true;
}

void QualityCounts::count_refused(std::string_view system, wire::Kind kind, std::string_view reason,
                                  core::Instant now_us) {
  const auto [at, is_new] = refused_.try_emplace({std::string(system), kind, std::string(reason)});
  if (is_new) {
    const auto known = stored_.find({std::string(system), std::string(wire::name_of(kind)), std::string(reason)});
    if (known != stored_.end()) at->second = known->second;
  }
  ++at->second.count;
  at->second.last_us = now_us;
  at->second.is_dirty = true;
}

void QualityCounts::flush(store::Database& database) {
  store::Statement write(database,
                         "INSERT INTO data_quality(system,kind,verdict,count,last_us) VALUES(?1,?2,?3,?4,?5) "
                         "ON CONFLICT(system,kind,verdict) DO UPDATE SET count=?4,last_us=?5");
  auto put = [&](std::string_view system, wire::Kind kind, std::string_view verdict, Count& one) {
    if (!one.is_dirty) return;
    write.bind_all(system, wire::name_of(kind), verdict, one.count, one.last_us).run();
    one.is_dirty = false;
  };
  for (std::size_t system = 0; system < systems_.size(); ++system)
    for (int kind = 0; kind <= wire::kEventKinds; ++kind)
      for (int quality = 0; quality < kQualities; ++quality)
        put(systems_[system], static_cast<wire::Kind>(kind), kNames[static_cast<std::size_t>(quality)],
            counts_[place(system, static_cast<wire::Kind>(kind), static_cast<Quality>(quality))]);
  for (auto& [key, one] : refused_) put(std::get<0>(key), std::get<1>(key), std::get<2>(key), one);
}

}  // namespace tellerd::silver
