// The people of the synthetic branch: who they are, how lively, and when they leave. Everything else asks here,
// so that one person is the same in every file.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/time.h"
#include "tellerctl/generate/chance.h"

namespace tellerd::tellerctl {

// History ends before `until` and is kept within the daemon's 64 weeks of dated activity.
inline constexpr int kHistoryWeeks = 52;

struct Person {
  int number = 0;  // 1..clients: CLIENT_000001, client_id 1
  bool is_woman = false;
  int surname = 0, first_name = 0, patronymic = 0;
  int city = 0;
  core::Day born = 0;
  core::Day registered = 0;
  std::int64_t phone = 0;   // ten digits after +7
  int liveliness = 1;       // 1..40, how much they do of anything
  core::Day away_from = 0;  // they do nothing from here to away_to; both until + 1 when they stay
  core::Day away_to = 0;
  bool shows_leaving = false;  // shops around before going
  int late_percent = 0;        // chance that an instalment is late, unmet or unpaid
  std::int64_t income = 0;     // whole roubles a month
};

class Population {
 public:
  Population(std::uint64_t seed, int clients, core::Day until);
  const std::vector<Person>& people() const noexcept { return people_; }
  const Person& lively(Chance& chance) const noexcept;  // the livelier the likelier
  std::uint64_t seed() const noexcept { return seed_; }
  core::Day until() const noexcept { return until_; }
  core::Day from() const noexcept { return until_ - 7 * kHistoryWeeks; }

 private:
  std::uint64_t seed_;
  core::Day until_;
  std::vector<Person> people_;
  std::vector<std::uint32_t> up_to_;  // running sum of liveliness
};

inline bool is_away(const Person& person, core::Day day) noexcept {
  return day >= person.away_from && day < person.away_to;
}
std::string full_name(const Person& person);  // «Иванова Мария Петровна»
std::string_view city_name(int city) noexcept;
inline constexpr int kCities = 6;

}  // namespace tellerd::tellerctl
