// bench choose: decisions of a pack that chooses, for customers made up, on one core: candidates through all seven
// stages.
#include <fmt/core.h>

#include <chrono>

#include "decide/choice.h"
#include "model/draws.h"
#include "tellerctl/bench/benches.h"
#include "tellerctl/bench/figures.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr std::int64_t kDecisions = 20'000, kQuickDecisions = 2'000;
constexpr double kAsked = 200'000;

struct Free : decide::Constraint {
  std::string_view blocks(std::size_t) override { return {}; }
};

decide::Situation customer(const decide::Pack& pack, model::Draws& draws, std::int64_t number) {
  static constexpr std::array<std::string_view, 4> kChurn{"active", "at_risk", "churned", "returned"};
  decide::Situation of;
  of.seed = static_cast<std::uint64_t>(number) * 0x9E3779B97F4A7C15ull;
  of.customer = static_cast<std::uint64_t>(number);
  of.now_us = 20'000 * core::kDay;
  of.today = 20'000;
  of.combined = static_cast<int>(draws.below(pack.segments.combined.size()));
  of.factor = static_cast<int>(draws.below(pack.offers.multipliers.size() + 1)) - 1;
  for (auto& value : of.numbers) value = draws.uniform() < 0.4 ? 0 : static_cast<std::int64_t>(draws.below(40));
  of.numbers[static_cast<std::size_t>(decide::Column::kTransactionTotalMinor)] =
      static_cast<std::int64_t>(draws.below(60'000'000));
  of.churn_state = static_cast<int>(draws.below(kChurn.size()));
  const auto& segment = pack.segments.combined[static_cast<std::size_t>(of.combined)];
  of.texts = {pack.segments.tiers[segment.tier].name, segment.name, kChurn[static_cast<std::size_t>(of.churn_state)],
              pack.mcc.names[draws.below(pack.mcc.names.size())]};
  return of;
}

Json measured(const decide::Pack& pack, const char* line, bool is_mature, std::int64_t decisions) {
  decide::Chooser chooser(pack);
  model::Draws draws(1);
  std::vector<model::Propensity> known;
  std::vector<const model::Propensity*> learned;
  if (is_mature) {
    known.assign(chooser.candidates().size(), model::Propensity(decide::kFeatures));
    for (auto& one : known) {
      for (int at = 0; at < 600; ++at) {
        const auto of = customer(pack, draws, at);
        one.learn(decide::features_of(of.numbers, of.combined, of.churn_state), at % 3 != 0);
      }
      learned.push_back(&one);
    }
  }
  std::vector<decide::Situation> customers;
  for (std::int64_t at = 0; at < decisions; ++at) customers.push_back(customer(pack, draws, at + 1));
  Free constraint;
  std::vector<double> us;
  std::int64_t in_arbitration = 0, chosen = 0;
  const auto started = std::chrono::steady_clock::now();
  auto last = started;
  for (auto& of : customers) {
    of.learned = learned;
    const auto choice = chooser.choose(of, constraint);
    in_arbitration += choice.funnel[static_cast<std::size_t>(decide::Stage::kArbitration)];
    chosen += choice.winner >= 0;
    const auto now = std::chrono::steady_clock::now();
    us.push_back(std::chrono::duration<double, std::micro>(now - last).count());
    last = now;
  }
  const double seconds = std::chrono::duration<double>(last - started).count();
  const auto count = static_cast<double>(decisions);
  const double rate = count * static_cast<double>(chooser.candidates().size()) / seconds;
  return {{"line", line},
          {"candidates", chooser.candidates().size()},
          {"decisions", decisions},
          {"candidates_per_s", rate},
          {"decision_us_p50", percentile(us, 0.5)},
          {"decision_us_p99", percentile(us, 0.99)},
          {"in_arbitration", static_cast<double>(in_arbitration) / count},
          {"chosen_share", static_cast<double>(chosen) / count},
          {"is_reached", rate >= kAsked}};
}

}  // namespace

Section measure_choose(const Options& options) {
  const auto pack = decide::parse_pack(decide::read_pack_files(options.policy.empty() ? "default" : options.policy));
  Section section{
      "choose",
      "actions over channels through all seven stages, one core; at first all are drawn, later the model tells",
      "at least 200,000 candidates a second", Json::array()};
  if (!pack.catalogue) return section;
  const std::int64_t decisions = options.is_quick ? kQuickDecisions : kDecisions;
  section.lines.push_back(measured(pack, "drawn", false, decisions));
  section.lines.push_back(measured(pack, "by the model", true, decisions));
  return section;
}

}  // namespace tellerd::tellerctl::bench
