#include "app/plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "app/engine.h"
#include "app/fence.h"
#include "bronze/log.h"
#include "core/fault.h"
#include "decide/choice.h"
#include "decide/decision_book.h"
#include "store/database.h"

namespace tellerd::app {
namespace {

constexpr std::size_t kReadRecords = 8192;
constexpr int kSeeds = 32;       // draws behind a target probability
constexpr double kLeast = 0.01;  // a logged probability counts at least so much

using Standing = std::set<std::pair<std::string, std::pair<std::string, std::string>>>;  // customer, (action, segment)

class Derivation {
 public:
  Derivation(bronze::LogReader& log, const std::filesystem::path& file) {
    names_.emplace_back();
    for (const auto& producer : log.producers()) names_.push_back(producer.name);
    EngineOptions options;
    options.database = file;
    options.is_scratch = true;
    options.producer_name = [this](std::int32_t id) {
      return static_cast<std::size_t>(id) < names_.size() ? names_[static_cast<std::size_t>(id)] : std::string();
    };
    engine_ = std::make_unique<Engine>(options);
  }
  Engine& engine() { return *engine_; }
  // A record more than the log has, before the rest of it.
  void put_before(bronze::Record record) {
    record.seq = engine_->applied_seq() + 1;
    engine_->apply(record);
    ++shift_;
  }
  void apply(bronze::Record record) {
    record.seq += shift_;
    if (record.kind == wire::Kind::kPackActivated && !only_pack_.empty()) record.payload = only_pack_;
    engine_->apply(record);
  }
  // Whatever the log activates from now on.
  void keep_pack(std::string_view payload) { only_pack_ = payload; }
  bronze::Seq applied() const { return engine_->applied_seq() - shift_; }

 private:
  std::vector<std::string> names_;
  std::unique_ptr<Engine> engine_;
  bronze::Seq shift_ = 0;
  std::string_view only_pack_;
};

// Applies while `goes_on(record)`; true when it stopped before a record.
template <class GoesOn>
bool follow(bronze::LogReader& log, Derivation& derivation, bronze::Seq through, const Progress& progress,
            GoesOn&& goes_on) {
  bronze::Group group;
  while (derivation.applied() < through && log.read_after(derivation.applied(), kReadRecords, group)) {
    for (const auto& record : group.records) {
      if (record.seq > through) break;
      if (!goes_on(record)) return true;
      derivation.apply(record);
    }
    derivation.engine().flush();
    if (progress.show) progress.show(derivation.applied(), through);
  }
  return false;
}

PlanSide side_of(store::Database& reader, std::int64_t first_offer, Standing& standing) {
  PlanSide side;
  store::Statement made(
      reader,
      "SELECT count(*),count(DISTINCT m.customer),coalesce(sum(CASE WHEN d.number IS NULL THEN "
      "m.expected_revenue_minor ELSE d.p_ppm/1e6*d.v_minor END),0) FROM offer_made m LEFT JOIN decision d ON "
      "d.offer=m.number AND d.offer>0 WHERE m.number>?");
  if (made.bind(1, first_offer).step()) {
    side.contacts = made.integer(0);
    side.customers = made.integer(1);
    side.expected_minor = made.real(2);
  }
  made.reset();
  store::Statement open(reader,
                        "SELECT i.display_key,t.action,t.segment FROM offer o JOIN identity i ON i.id=o.customer JOIN "
                        "offer_template t ON t.number=o.template WHERE o.state='READY'");
  while (open.step()) {
    std::pair<std::string, std::string> what{open.text(1), open.text(2)};
    ++side.standing[what];
    standing.emplace(open.text(0), std::move(what));
  }
  return side;
}

void compare_standing(const Standing& now, const Standing& planned, Plan& plan) {
  std::map<std::pair<std::string, std::string>, PlanMove> moves;
  std::set<std::string> moved;
  const auto count = [&](const Standing& from, const Standing& against, std::int64_t PlanMove::*by) {
    for (const auto& one : from) {
      if (against.contains(one)) continue;
      ++(moves[one.second].*by);
      moved.insert(one.first);
    }
  };
  count(now, planned, &PlanMove::lost);
  count(planned, now, &PlanMove::gained);
  plan.moved_customers = static_cast<std::int64_t>(moved.size());
  for (auto& [what, move] : moves) {
    move.action = what.first;
    move.segment = what.second;
    const auto held = [&what = what](const PlanSide& side) {
      const auto found = side.standing.find(what);
      return found == side.standing.end() ? std::int64_t{0} : found->second;
    };
    move.was = held(plan.now);
    move.would_be = held(plan.planned);
    plan.moves.push_back(move);
  }
  std::stable_sort(plan.moves.begin(), plan.moves.end(),
                   [](const PlanMove& a, const PlanMove& b) { return a.gained + a.lost > b.gained + b.lost; });
}

// The contact policy as it was then: what it stopped is stopped; what the old pack did not have is free.
struct Then : decide::Constraint {
  std::vector<std::string> stopped;  // by candidate
  std::string_view blocks(std::size_t candidate) override { return stopped[candidate]; }
};

std::string name_of(const decide::Chooser& chooser, std::size_t candidate) {
  const bool is_message = chooser.candidates()[candidate].channel == decide::Channel::kMessage;
  return chooser.action(candidate).name + (is_message ? "|message" : "|call");
}

// The new pack's rule, without its arms, asked about every logged situation whose outcome is known.
void estimate(store::Database& reader, const decide::PackFiles& old_files, const decide::PackFiles& new_files,
              std::int64_t first_decision, Plan& plan) {
  const auto old_pack = decide::parse_pack(old_files);
  auto pack = decide::parse_pack(new_files);
  if (!pack.catalogue || !old_pack.catalogue) return;
  pack.contact.random_percent = pack.contact.holdout_percent = 0;
  decide::Chooser chooser(pack);
  const decide::Chooser old_chooser(old_pack);
  std::map<std::string, std::size_t> candidates;
  std::vector<std::unique_ptr<model::Propensity>> models;
  std::vector<const model::Propensity*> learned;
  for (std::size_t at = 0; at < chooser.candidates().size(); ++at) {
    candidates[name_of(chooser, at)] = at;
    models.emplace_back();
  }
  store::Statement known(reader,
                         "SELECT n.name,a.positives,a.negatives,a.bytes FROM acceptance a JOIN name_of n ON "
                         "n.what='acceptance' AND n.number=a.number");
  while (known.step())
    if (const auto found = candidates.find(std::string(known.text(0))); found != candidates.end()) {
      models[found->second] = std::make_unique<model::Propensity>(decide::kFeatures);
      models[found->second]->restore(known.integer(1), known.integer(2), known.text(3));
    }
  for (const auto& one : models) learned.push_back(one.get());
  store::Statement logged(
      reader,
      "SELECT d.customer,d.probability_ppm,d.v_minor,l.label,n.name,d.situation,d.at_us,d.number FROM decision d "
      "JOIN acceptance_label l ON l.offer=d.offer AND l.label>=0 JOIN name_of n ON n.what='acceptance' AND "
      "n.number=l.acceptance WHERE d.offer>0 AND d.number>? ORDER BY d.number");
  logged.bind(1, first_decision);
  std::vector<model::LoggedChoice> choices;
  Then constraint;
  while (logged.step()) {
    std::string_view bytes = logged.text(5);
    const decide::Columns then = decide::take_situation(bytes);
    decide::Situation of;
    of.churn_state = then.churn_state;
    of.numbers = then.numbers;
    const auto combined = static_cast<std::size_t>(then.combined);
    constraint.stopped.assign(chooser.candidates().size(), {});
    const auto verdicts = decide::read_verdicts(bytes, "");
    if (verdicts.size() == old_chooser.candidates().size())  // decided by that pack
      for (std::size_t at = 0; at < verdicts.size(); ++at)
        if (verdicts[at].lost_at == decide::Stage::kConstraints)
          if (const auto found = candidates.find(name_of(old_chooser, at)); found != candidates.end())
            constraint.stopped[found->second] = verdicts[at].reason;
    if (combined >= old_pack.segments.combined.size()) continue;  // of a pack before that one
    const auto& old_segment = old_pack.segments.combined[combined];
    for (std::size_t at = 0; at < pack.segments.combined.size(); ++at)
      if (pack.segments.combined[at].name == old_segment.name) of.combined = static_cast<int>(at);
    static constexpr std::array<std::string_view, 5> kChurn{"", "active", "at_risk", "churned", "returned"};
    of.texts = {old_pack.segments.tiers[old_segment.tier].name, old_segment.name,
                kChurn[static_cast<std::size_t>(of.churn_state)], then.category};
    of.now_us = logged.integer(6);
    of.today = static_cast<core::Day>(of.now_us / core::kDay);
    of.customer = static_cast<std::uint64_t>(logged.integer(0));
    of.learned = learned;
    const auto wanted = candidates.find(std::string(logged.text(4)));
    double target = 0;
    for (int seed = 0; wanted != candidates.end() && seed < kSeeds; ++seed) {
      of.seed = static_cast<std::uint64_t>(logged.integer(7)) * 1'000'003 + static_cast<std::uint64_t>(seed);
      target += chooser.choose(of, constraint).winner == static_cast<int>(wanted->second);
    }
    const auto worth = static_cast<double>(logged.integer(2));
    choices.push_back(
        {of.customer, logged.integer(3) ? worth : 0, static_cast<double>(logged.integer(1)) / 1e6, target / kSeeds});
  }
  plan.labelled = choices.size();
  plan.off_policy = model::evaluate(choices, kLeast);
  plan.logged = model::on_policy(choices);
}

}  // namespace

Plan plan(const std::filesystem::path& data, const std::filesystem::path& scratch, const decide::PackFiles& files,
          int days, const Progress& progress) {
  decide::parse_pack(files);  // a mistake is told before the long work
  const auto is_file = scratch / "is.db", would_file = scratch / "would.db";
  bronze::LogReader log(data / "bronze");
  Plan result;
  std::int64_t end_us = 0;
  decide::PackFiles old_files;
  {
    auto live = store::Database::open_reader(data / "teller.db");
    result.through = live.integer("SELECT seq FROM cursor");
    end_us = live.integer("SELECT now_us FROM cursor");
    store::Statement active(live, "SELECT h.files FROM policy_history h JOIN cursor c ON c.pack_seq=h.seq");
    if (!active.step())
      throw core::Fault(core::Exit::kFailed, "no pack was ever active: there is nothing to compare with");
    old_files = decide::deserialise_pack(active.text(0));
    active.reset();
  }
  const std::int64_t begin_us = end_us - days * core::kDay;
  if (const bronze::Seq first = log.first_seq(); first > 1) {
    const auto fence = oldest_fence(data, first);
    if (!fence) throw core::Fault(core::Exit::kFailed, "the log has lost its beginning and no fence reaches it");
    std::filesystem::copy_file(fence->file, is_file);
  }
  std::int64_t first_offer = 0, first_decision = 0, from_us = 0;
  {
    Derivation before(log, is_file);
    const bool is_reached = follow(log, before, result.through, progress,
                                   [&](const bronze::Record& record) { return record.now_us < begin_us; });
    before.engine().flush();
    if (!is_reached) throw core::Fault(core::Exit::kFailed, "nothing has happened in those days");
    before.engine().snapshot_into(would_file);
    result.from = before.applied() + 1;
  }
  {
    auto reader = store::Database::open_reader(is_file);
    first_offer = reader.integer("SELECT offer_count FROM cursor");
    first_decision = reader.integer("SELECT decisions FROM choice_fold");
    from_us = reader.integer("SELECT now_us FROM cursor");
  }
  {
    Derivation as_it_was(log, is_file);
    follow(log, as_it_was, result.through, progress, [](const bronze::Record&) { return true; });
    as_it_was.engine().flush();
  }
  {
    bronze::LogReader again(data / "bronze");
    Derivation would_be(again, would_file);
    const std::string payload = decide::serialise_pack(files);
    bronze::Record activation;
    activation.now_us = activation.received_us = from_us;
    activation.kind = wire::Kind::kPackActivated;
    activation.payload = payload;
    // In step with the log by its own numbers; the engine's are one ahead.
    const bronze::Seq base = would_be.applied();
    would_be.put_before(activation);
    would_be.keep_pack(payload);
    if (would_be.applied() != base) throw core::Fault(core::Exit::kFailed, "the new pack's record was not taken");
    follow(again, would_be, result.through, progress, [](const bronze::Record&) { return true; });
    would_be.engine().flush();
  }
  auto is = store::Database::open_reader(is_file), would = store::Database::open_reader(would_file);
  Standing now, planned;
  result.from_us = from_us;
  result.to_us = end_us;
  result.now = side_of(is, first_offer, now);
  result.planned = side_of(would, first_offer, planned);
  compare_standing(now, planned, result);
  estimate(is, old_files, files, first_decision, result);
  return result;
}

}  // namespace tellerd::app
