#include "app/training_data.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "core/fault.h"
#include "core/time.h"
#include "decide/pack_files.h"
#include "gold/customer_rows.h"
#include "store/database.h"

namespace tellerd::app {
namespace {

using core::Instant;
using core::Week;
using silver::CustomerId;

// One moment of the store, with the branch's calendar and the active pack.
class Source {
 public:
  explicit Source(const std::filesystem::path& file) : database_(store::Database::open_reader(file)) {
    database_.execute("BEGIN");
    store::Statement cursor(database_, "SELECT c.week,c.zone,c.pack_seq,f.model FROM cursor c CROSS JOIN churn_fold f");
    if (!cursor.step()) throw core::Fault(core::Exit::kFailed, "teller.db has no cursor yet");
    running = static_cast<Week>(cursor.integer(0));
    calendar.emplace(cursor.text(1).empty() ? std::string("UTC") : std::string(cursor.text(1)));
    const std::int64_t pack_seq = cursor.integer(2);
    champion = cursor.text(3);
    cursor.reset();
    store::Statement files(database_, "SELECT files FROM policy_history WHERE seq=?");
    if (files.bind(1, pack_seq).step()) pack.emplace(decide::parse_pack(decide::deserialise_pack(files.text(0))));
    files.reset();
  }
  store::Database& database() { return database_; }

  Week running = gold::kNoWeek;
  std::optional<core::Calendar> calendar;
  std::optional<decide::Pack> pack;
  std::string champion;

 private:
  store::Database database_;
};

std::vector<CustomerId> leaders_of(store::Database& database) {
  std::vector<CustomerId> leaders(1, 0);
  store::Statement all(database, "SELECT id,leader FROM identity ORDER BY id");
  while (all.step()) {
    const auto id = static_cast<std::size_t>(all.integer(0));
    if (leaders.size() <= id) leaders.resize(id + 1, 0);
    leaders[id] = static_cast<CustomerId>(all.integer(1));
  }
  return leaders;
}

// By customer and T: what is known of the past only from histories and facts.
struct Past {
  std::vector<Week> weeks;  // newest first
  std::vector<Instant> starts;
  std::vector<model::Later> later;  // customer * weeks + T
  std::vector<model::Stood> stood;
  std::size_t place(CustomerId customer, std::size_t t) const { return customer * weeks.size() + t; }
};

void read_later(Source& source, const std::vector<CustomerId>& leaders, Past& past) {
  store::Statement facts(
      source.database(),
      "SELECT customer,occurred_us,branch_minor FROM silver_transaction WHERE state=0 AND occurred_us>=?");
  facts.bind(1, past.starts.back());
  while (facts.step()) {
    const CustomerId leader = leaders[static_cast<std::size_t>(facts.integer(0))];
    const Instant at_us = facts.integer(1);
    for (std::size_t t = 0; t < past.weeks.size(); ++t) {
      if (at_us < past.starts[t]) continue;
      auto& later = past.later[past.place(leader, t)];
      ++later.count;
      later.minor += facts.integer(2);
    }
  }
}

void read_tiers(Source& source, Past& past) {
  std::unordered_map<std::int64_t, int> levels;
  store::Statement names(source.database(), "SELECT number,level FROM name_of WHERE what='tier'");
  while (names.step()) levels[names.integer(0)] = static_cast<int>(names.integer(1));
  store::Statement moves(source.database(), "SELECT customer,from_us,tier FROM segment_history ORDER BY number");
  while (moves.step()) {
    const auto customer = static_cast<CustomerId>(moves.integer(0));
    for (std::size_t t = 0; t < past.weeks.size(); ++t)
      if (moves.integer(1) < past.starts[t]) past.stood[past.place(customer, t)].tier_level = levels[moves.integer(2)];
  }
}

void read_buckets(Source& source, const std::vector<CustomerId>& leaders, Past& past) {
  std::map<std::pair<std::int64_t, std::string>, std::vector<int>> loans;
  store::Statement moves(source.database(),
                         "SELECT customer,loan_name,from_us,bucket FROM dpd_history ORDER BY number");
  while (moves.step()) {
    auto& buckets = loans[{moves.integer(0), std::string(moves.text(1))}];
    buckets.resize(past.weeks.size(), 0);
    for (std::size_t t = 0; t < past.weeks.size(); ++t)
      if (moves.integer(2) < past.starts[t]) buckets[t] = static_cast<int>(moves.integer(3));
  }
  for (const auto& [loan, buckets] : loans)
    for (std::size_t t = 0; t < past.weeks.size(); ++t) {
      int& worst = past.stood[past.place(leaders[static_cast<std::size_t>(loan.first)], t)].dpd_bucket;
      worst = std::max(worst, buckets[t]);
    }
}

double late_share(store::Database& database) {
  store::Statement counts(database,
                          "SELECT sum(CASE verdict WHEN 'late' THEN count END), sum(CASE verdict WHEN 'accepted' THEN "
                          "count END) FROM data_quality WHERE kind='transaction'");
  if (!counts.step() || counts.integer(1) == 0) return 0;
  return static_cast<double>(counts.integer(0)) / static_cast<double>(counts.integer(1));
}

}  // namespace

model::TrainingSettings training_settings(const decide::Pack& pack) {
  model::TrainingSettings settings;
  settings.scope = {pack.churn.feature_weeks, pack.churn.horizon_weeks, pack.churn.feature_weeks,
                    pack.features == "full"};
  settings.booster.trees = pack.churn.trees;
  settings.booster.depth = pack.churn.depth;
  settings.booster.learning_rate = pack.churn.learning_rate;
  settings.booster.seed = static_cast<std::uint32_t>(pack.churn.seed);
  settings.snapshots = pack.churn.snapshots;
  settings.step_weeks = pack.churn.step_weeks;
  settings.rows_max = static_cast<std::size_t>(pack.churn.rows_max);
  return settings;
}

std::variant<TrainingData, model::Refusal> read_training_data(const std::filesystem::path& file) {
  Source source(file);
  if (!source.pack || source.running == gold::kNoWeek)
    return model::Refusal{"nothing is known yet: no pack is active or no fact has come"};
  TrainingData data;
  data.settings = training_settings(*source.pack);
  data.is_activated = source.pack->churn.is_activated;
  auto& database = source.database();
  data.range.first = source.running;
  gold::CustomerRows::read_all(database, [&](CustomerId, gold::Customer&& customer) {
    if (!customer.is_absorbed && customer.lifetime_count > 0)
      data.range.first = std::min(data.range.first, customer.first_tx_week);
  });
  data.range.running = source.running;
  data.range.through_seq = database.integer(
      "SELECT max(seq) FROM silver_transaction");  // not the cursor's: records that change no data do not count
  auto planned = model::plan_training(data.settings, source.running, data.range.first);
  if (auto* refusal = std::get_if<model::Refusal>(&planned)) return *refusal;
  data.plan = std::get<model::TrainingPlan>(planned);

  const auto leaders = leaders_of(database);
  Past past;
  past.weeks = data.plan.all();
  for (const Week week : past.weeks) past.starts.push_back(source.calendar->start_of_week(week));
  past.later.resize(leaders.size() * past.weeks.size());
  past.stood.resize(leaders.size() * past.weeks.size());
  read_later(source, leaders, past);
  read_tiers(source, past);
  read_buckets(source, leaders, past);
  for (const Week week : past.weeks) data.snapshots.push_back({week, {}});
  std::vector<model::ChurnScope> scopes;
  for (const Week week : past.weeks) scopes.push_back(data.plan.scope_at(week));
  gold::CustomerRows::read_all(database, [&](CustomerId id, gold::Customer&& customer) {
    if (customer.is_absorbed || customer.lifetime_count <= 0) return;
    ++data.range.customers;
    gold::advance(customer, source.running);
    for (std::size_t t = 0; t < past.weeks.size(); ++t) {
      const auto view = model::view_of(customer, past.weeks[t], past.later[past.place(id, t)],
                                       past.stood[past.place(id, t)], scopes[t], false);
      if (!view.is_in_population) continue;
      const bool has_left =
          !data.plan.is_young && model::has_left(customer, past.weeks[t], data.plan.scope.horizon_weeks);
      data.snapshots[t].examples.push_back({id, view, has_left});
    }
  });
  data.range.late_share = late_share(database);
  if (!source.champion.empty()) {
    store::Statement sealed(database,
                            "SELECT sealed FROM churn_model WHERE id=? AND state='recorded' ORDER BY seq LIMIT 1");
    if (sealed.bind(1, std::string_view(source.champion)).step()) data.champion = sealed.text(0);
  }
  return data;
}

}  // namespace tellerd::app
