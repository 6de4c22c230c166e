// bench quarter: does learning pay. What the customers accept is known to the simulation alone.
#include "tellerctl/bench/quarter.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "decide/choice.h"
#include "decide/pack_files.h"
#include "model/steady_math.h"
#include "tellerctl/bench/benches.h"

namespace tellerd::tellerctl::bench {
namespace {

constexpr std::size_t kTastes = 6;       // hidden sides of a customer, told only by noisy columns
constexpr core::Day kFirstDay = 20'454;  // a Thursday in 2026
constexpr double kFailOf = 0;

struct Person {
  decide::ChoiceNumbers numbers{};
  int combined = 0, factor = -1, churn = 1;
  std::string tier, segment, category;
  std::array<double, kTastes> tastes{};
  std::vector<decide::Shown> shown;
};

struct Free : decide::Constraint {
  std::string_view blocks(std::size_t) override { return {}; }
};

decide::PackFiles with_arms(decide::PackFiles files, Policy policy) {
  if (policy == Policy::kLearning) return files;
  std::string& contact = files.at("contact.toml");
  const auto put = [&](const std::string& key, int percent) {
    const std::size_t at = contact.find(key + " = "), end = contact.find('\n', at);
    contact.replace(at, end - at, fmt::format("{} = {}", key, percent));
  };
  put("holdout_percent", 0);
  put("random_percent", policy == Policy::kRandom ? 100 : 0);
  return files;
}

// The columns tell the tastes, through a logarithm and noise.
Person invent(const decide::Pack& pack, model::Draws& draws, std::size_t candidates) {
  using decide::Column;
  static constexpr Column kTold[kTastes] = {Column::kLoginCount,   Column::kActivityCount,    Column::kBillCount,
                                            Column::kHoldingCount, Column::kTransactionCount, Column::kPageViews};
  Person person;
  for (std::size_t at = 0; at < kTastes; ++at) {
    person.tastes[at] = draws.normal();
    const double told = person.tastes[at] + 0.5 * draws.normal();
    person.numbers[static_cast<std::size_t>(kTold[at])] =
        std::max<std::int64_t>(0, std::llround(std::exp(1.5 + 0.9 * told)) - 1);
  }
  const auto put = [&](Column column, std::int64_t value) { person.numbers[static_cast<std::size_t>(column)] = value; };
  put(Column::kTransactionTotalMinor, std::llround(std::exp(15.5 + 1.2 * draws.normal())));
  put(Column::kHasProfile, 1);
  put(Column::kRegisteredDays, static_cast<std::int64_t>(draws.below(3'000)));
  person.numbers[decide::kNumbers] = decide::kNoDue;
  person.numbers[decide::kNumbers + 7] = static_cast<std::int64_t>(4 + draws.below(10));  // tx_weeks
  person.combined = static_cast<int>(draws.below(pack.segments.combined.size()));
  const auto& segment = pack.segments.combined[static_cast<std::size_t>(person.combined)];
  person.segment = segment.name;
  person.tier = pack.segments.tiers[segment.tier].name;
  person.category = pack.mcc.names[draws.below(pack.mcc.names.size())];
  person.shown.resize(candidates);
  return person;
}

// What the simulation knows: how each candidate is liked, and how that moves.
struct Liking {
  double level = 0, drift = 0;
  std::array<double, kTastes> weights{};
  double probability(const Person& person, double month) const {
    double margin = level + drift * month;
    for (std::size_t at = 0; at < kTastes; ++at) margin += weights[at] * person.tastes[at];
    return model::steady_sigmoid(margin);
  }
};

}  // namespace

Quarter live_quarter(const decide::PackFiles& files, Policy policy, const QuarterOptions& options) {
  const auto pack = decide::parse_pack(with_arms(files, policy));
  decide::Chooser chooser(pack);
  const std::size_t candidates = chooser.candidates().size();
  model::Draws world(options.seed * 1'000'003);  // the same for all policies
  std::vector<Liking> likings(candidates);
  for (Liking& one : likings) {
    one.level = -3.2 + 1.1 * world.normal();
    one.drift = 0.3 * world.normal();
    for (double& weight : one.weights) weight = 0.5 * world.normal();
  }
  std::vector<Person> people;
  for (int at = 0; at < options.customers; ++at) people.push_back(invent(pack, world, candidates));

  std::vector<model::Propensity> known(candidates, model::Propensity(decide::kFeatures));
  model::Propensity same(decide::kFeatures);  // rules only: everybody accepts everything alike
  const std::vector<model::Feature> nobody{{0, 1}};
  for (int at = 0; same.positives() < model::kMatureAt; ++at) same.learn(nobody, at % 5 == 0);
  std::vector<const model::Propensity*> learned;
  for (auto& one : known) learned.push_back(policy == Policy::kRules ? &same : &one);

  Free constraint;
  Quarter quarter;
  for (int day = 0; day < options.days; ++day)
    for (int contact = 0; contact < options.contacts_a_day; ++contact) {
      const std::uint64_t who = world.below(static_cast<std::uint64_t>(options.customers));
      const double luck = world.uniform();
      Person& person = people[who];
      decide::Situation of;
      of.seed = (static_cast<std::uint64_t>(day) << 32 | static_cast<std::uint64_t>(contact)) * 0x9E3779B97F4A7C15ull +
                options.seed;
      of.customer = who + 1;
      of.today = kFirstDay + day;
      of.now_us = core::Instant{of.today} * core::kDay;
      of.month = day / 30;
      of.numbers = person.numbers;
      of.texts = {person.tier, person.segment, "active", person.category};
      of.combined = person.combined;
      of.factor = person.factor;
      of.churn_state = person.churn;
      of.shown = person.shown;
      of.learned = learned;
      const auto choice = chooser.choose(of, constraint);
      if (choice.winner < 0) {
        ++quarter.silent;
        continue;
      }
      const auto won = static_cast<std::size_t>(choice.winner);
      const bool is_accepted = luck < likings[won].probability(person, day / 30.0);
      ++quarter.contacts;
      quarter.accepted += is_accepted;
      const auto gross =
          static_cast<double>(chooser.revenue_minor(won, of.factor) - chooser.action(won).discount_minor);
      const double cost = gross - static_cast<double>(chooser.value_minor(won, of.factor));
      quarter.accepted_minor += (is_accepted ? gross : kFailOf) - cost;
      decide::Shown& shown = person.shown[won];
      shown = {is_accepted ? 0 : shown.unanswered + 1, of.now_us, 0};
      known[won].learn(decide::features_of(of.numbers, of.combined, of.churn_state), is_accepted);
    }
  return quarter;
}

Compared compare(const std::vector<Quarter>& learning, const std::vector<Quarter>& other) {
  // Student's t at 97.5 % for 1 … 29 degrees of freedom (tables); the normal's beyond.
  static constexpr double kT[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                  2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                                  2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045};
  const auto count = static_cast<double>(learning.size());
  double sum = 0, squares = 0;
  for (std::size_t at = 0; at < learning.size(); ++at) sum += learning[at].accepted_minor - other[at].accepted_minor;
  const double mean = sum / count;
  for (std::size_t at = 0; at < learning.size(); ++at) {
    const double off = learning[at].accepted_minor - other[at].accepted_minor - mean;
    squares += off * off;
  }
  const std::size_t freedom = learning.size() < 2 ? 0 : learning.size() - 1;
  if (freedom == 0) return {mean, mean, mean};
  const double t = freedom <= std::size(kT) ? kT[freedom - 1] : 1.96;
  const double error = t * std::sqrt(squares / static_cast<double>(freedom) / count);
  return {mean, mean - error, mean + error};
}

Section measure_quarter(const Options& options) {
  const auto files = decide::read_pack_files(options.policy.empty() ? "default" : options.policy);
  const int seeds = options.rounds > 0 ? options.rounds : options.is_quick ? 5 : 10;
  Section section{
      "quarter",
      "value accepted in a simulated quarter (3,000 customers, 150 contacts a day, drifting tastes) under the "
      "learning policy, rules only and random",
      "learning beats both: the 95 % interval of the difference over seeds lies above 0", Json::array()};
  std::map<Policy, std::vector<Quarter>> lived;
  for (int seed = 1; seed <= seeds; ++seed)
    for (const Policy policy : {Policy::kLearning, Policy::kRules, Policy::kRandom}) {
      QuarterOptions quarter;
      quarter.seed = static_cast<std::uint64_t>(seed);
      lived[policy].push_back(live_quarter(files, policy, quarter));
    }
  for (const auto& [policy, name] : std::vector<std::pair<Policy, const char*>>{
           {Policy::kLearning, "learning"}, {Policy::kRules, "rules only"}, {Policy::kRandom, "random"}}) {
    double value = 0;
    std::int64_t contacts = 0, accepted = 0, silent = 0;
    for (const Quarter& one : lived[policy]) {
      value += one.accepted_minor / seeds;
      contacts += one.contacts;
      accepted += one.accepted;
      silent += one.silent;
    }
    Json line{{"line", name},
              {"seeds", fmt::format("1-{}", seeds)},
              {"accepted_value", value / 100},
              {"contacts", contacts / seeds},
              {"accepted_share", static_cast<double>(accepted) / static_cast<double>(contacts)},
              {"silent", silent / seeds}};
    if (policy != Policy::kLearning) {
      const Compared lift = compare(lived[Policy::kLearning], lived[policy]);
      line["learning_is_better_by"] = lift.mean_minor / 100;
      line["low_95"] = lift.low_minor / 100;
      line["high_95"] = lift.high_minor / 100;
      line["is_beaten"] = lift.low_minor > 0;
    }
    section.lines.push_back(std::move(line));
  }
  return section;
}

}  // namespace tellerd::tellerctl::bench
