// Training a churn model: which weeks T are looked at, examples in, a sealed document out, or a reason why not.
// Labels look forward only: features up to T, "left" is no transaction in (T, T + horizon]. The model is judged on
// later T's than it was trained on, whose labels do not reach into the judged ones' past; only where history or stored
// bits are too short for that, on other customers. Before anybody's leaving can be known, BG/NBD (bgnbd.h) stands in,
// and is named so. Deterministic: no clock, one seed. Errors: core::Fault from XGBoost.
#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/booster.h"
#include "model/churn_model.h"
#include "model/metrics.h"

namespace tellerd::model {

struct TrainingSettings {
  ChurnScope scope;  // view_weeks is the plan's to say
  BoosterSettings booster;
  int snapshots = 4, step_weeks = 2;  // T's a model is trained on, and the weeks between them
  std::size_t rows_max = 120'000;     // a fit; beyond it customers are sampled by a hash of their id
};

struct Refusal {
  std::string why;  // one sentence for people
};

struct TrainingPlan {
  ChurnScope scope;
  std::vector<Week> last, early, judged;  // T's of the final model, of the judged one, and those it is judged on
  bool is_by_time = true;                 // else early and judged share their T and part the customers
  int early_view_weeks = 0;               // of the judged model, which looks from further back
  Week running = 0;
  bool is_young = false;                 // too short for labels: BG/NBD on what is known at `last`
  std::vector<Week> all() const;         // each once, newest first
  ChurnScope scope_at(Week week) const;  // of its snapshot: all weeks that the bits still hold
};

// `running` is the running week, `first` that of the oldest transaction.
std::variant<TrainingPlan, Refusal> plan_training(const TrainingSettings& settings, Week running, Week first);

struct Example {
  std::uint32_t customer = 0;
  ChurnView view;
  bool has_left = false;
};
struct Snapshot {
  Week at = 0;
  std::vector<Example> examples;  // of the population at T, in the order of customers; views of scope_at(T)
};

struct DataRange {
  std::int64_t through_seq = 0;
  Week running = 0, first = 0;
  std::size_t customers = 0;
  double late_share = 0;  // of facts, that came in a later week than they happened
};

struct Judged {
  Week at = 0;
  Metrics model, recency_rule, majority;
  std::vector<CalibrationBin> curve;
};

struct Trained {
  std::string sealed;
  std::vector<Judged> judged;  // empty where no outcome is known
};

struct Patience {  // asked between trees
  bool (*may_go_on)(void*) = nullptr;
  void* context = nullptr;
};

std::variant<Trained, Refusal> train_churn(const TrainingPlan& plan, const TrainingSettings& settings,
                                           const std::vector<Snapshot>& snapshots, const DataRange& range,
                                           Patience patience = {});

// Any model on the examples of one T, as a challenger is compared with the champion.
Metrics judge(const ChurnModel& model, const Snapshot& snapshot);

}  // namespace tellerd::model
