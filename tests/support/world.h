// A random branch: customers under several keys, facts of every kind with corrections, repeats and late arrivals, loans
// in any order, rates that come late, aliases joined and undone, packs and zones that change, loads, backfills,
// refusals and repairs. The same options give the same log. It knows nothing of what the engine makes of it.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "support/log_maker.h"

namespace tellerd::tests {

struct WorldOptions {
  std::uint64_t seed = 1;
  ingest::ClockMode clock = ingest::ClockMode::kWall;
  std::string pack = "default", zone = "UTC";
  int records = 300, customers = 6;
  core::Instant step_us = 6 * core::kHour;  // mean time between records
  bool has_packs = true, has_aliases = true, has_backfill = true, has_loads = true, has_zones = false,
       has_models = false;
  std::optional<decide::PackFiles> announced;  // after two thirds of the records, and active a tenth of them later
  core::Instant announced_step_us = 0;         // between these two; under an hour: no week begins by a leap
};

class World {
 public:
  explicit World(const WorldOptions& options);
  std::unique_ptr<LogMaker> make();

 private:
  std::int64_t number(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(chance_);
  }
  bool happens(int percent) { return number(1, 100) <= percent; }
  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[static_cast<std::size_t>(number(0, static_cast<std::int64_t>(all.size()) - 1))];
  }
  void pass_time();
  void announce();
  void tell();
  void tell_loan();
  void tell_again();
  void tell_refused();
  void change_pack();
  void change_model();
  void say(wire::Event event);
  core::Instant some_time();
  std::string_view some_date(int days_back, int days_ahead);
  std::string_view keep(std::string text);
  void name_customer(wire::Event& event);

  WorldOptions options_;
  std::mt19937_64 chance_;
  std::unique_ptr<LogMaker> log_;
  core::Instant t_us_ = kMonday;
  std::deque<std::string> texts_;
  std::vector<wire::Event> told_;
  std::vector<bronze::Seq> refused_;
  std::string producer_ = "app";
  bool is_backfill_ = false;
  std::optional<decide::PackFiles> coming_;  // a pack that was announced
  bool is_announced_ = false;
  int ids_ = 0;
};

// The default or original pack with something changed that a branch might change.
decide::PackFiles changed_pack(const std::string& name, int change);

// One line a record, for people: what a failing log holds.
std::string describe(const LogMaker& log);

}  // namespace tellerd::tests
