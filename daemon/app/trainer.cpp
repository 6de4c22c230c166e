#include "app/trainer.h"

#include <fmt/core.h>
#include <sys/resource.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "app/training_data.h"
#include "core/fault.h"
#include "core/log.h"

namespace tellerd::app {
namespace {

constexpr int kLowestPriority = 19;
constexpr double kAucUseless = 0.52;  // policy.md 2: under it a model is not in use

struct Verdict {
  bool is_better = false;
  std::string why;
};

core::Week newest_week_learnt(const model::ChurnModel& champion) {
  return nlohmann::json::parse(champion.document()).at("data").at("weeks").at(0).get<core::Week>();
}

// Champion and challenger on the same customers of the newest week whose outcome is known. The judged challenger has
// not seen it; where the champion has learnt from it, the two cannot be compared and the champion stays.
Verdict compare(const TrainingData& data, const model::Trained& trained) {
  const auto& judged = trained.judged.front();
  if (judged.model.roc_auc < kAucUseless)
    return {false, fmt::format("its ROC-AUC of {:.3f} tells nothing", judged.model.roc_auc)};
  if (judged.model.roc_auc <= judged.recency_rule.roc_auc)
    return {false, fmt::format("weeks since the last transaction alone rank as well: ROC-AUC {:.3f} against {:.3f}",
                               judged.recency_rule.roc_auc, judged.model.roc_auc)};
  if (data.champion.empty()) return {true, "no model scored before"};
  try {
    const model::ChurnModel champion(data.champion);
    if (champion.scope().horizon_weeks != data.plan.scope.horizon_weeks ||
        champion.scope().view_weeks > data.plan.scope.view_weeks)
      return {true, "the model in use looks at other weeks"};
    if (newest_week_learnt(champion) >= judged.at)
      return {false, fmt::format("{} has learnt from the weeks it would be compared on; tellerctl model activate puts "
                                 "this one in its place",
                                 champion.id())};
    for (const auto& snapshot : data.snapshots) {
      if (snapshot.at != judged.at) continue;
      const auto of_champion = model::judge(champion, snapshot);
      return {judged.model.log_loss <= of_champion.log_loss,
              fmt::format("log loss {:.4f} against {:.4f} of {}, ROC-AUC {:.3f} against {:.3f}", judged.model.log_loss,
                          of_champion.log_loss, champion.id(), judged.model.roc_auc, of_champion.roc_auc)};
    }
  } catch (const std::exception& damaged) {
    return {true, fmt::format("the model in use cannot be read: {}", damaged.what())};
  }
  return {true, "the model in use was judged on other weeks"};
}

}  // namespace

Trainer::Trainer(std::filesystem::path database, Hooks hooks)
    : database_(std::move(database)), hooks_(std::move(hooks)) {}

void Trainer::stop() {
  is_stopping_ = true;
  const std::lock_guard held(mutex_);
  wake_.notify_all();
}

std::int64_t Trainer::want() {
  const std::lock_guard held(mutex_);
  if (!is_wanted_ && state_.stage != Stage::kRunning) {
    is_wanted_ = true;
    ++state_.number;
    state_.stage = Stage::kRunning;
    state_.text = "is being trained";
  }
  wake_.notify_all();
  return state_.number;
}

Trainer::State Trainer::state() const {
  const std::lock_guard held(mutex_);
  return state_;
}

void Trainer::note(Stage stage, std::string text, std::string model) {
  core::log(stage == Stage::kFailed ? core::Level::kError : core::Level::kNotice, "trainer", text);
  const std::lock_guard held(mutex_);
  state_.stage = stage;
  state_.text = std::move(text);
  state_.model = std::move(model);
}

void Trainer::run() {
  setpriority(PRIO_PROCESS, 0, kLowestPriority);  // of this thread alone
  while (!is_stopping_) {
    {
      std::unique_lock held(mutex_);
      wake_.wait(held, [&] { return is_stopping_ || is_wanted_; });
      is_wanted_ = false;
    }
    if (is_stopping_) return;
    try {
      train();
    } catch (const std::exception& trouble) {  // the next training may do better; scoring goes on meanwhile
      note(Stage::kFailed, fmt::format("training failed: {}", trouble.what()));
    }
  }
}

void Trainer::train() {
  const auto started = std::chrono::steady_clock::now();
  auto read = read_training_data(database_);
  if (auto* refusal = std::get_if<model::Refusal>(&read))
    return note(Stage::kRefused, "no model is trained: " + refusal->why);
  const auto& data = std::get<TrainingData>(read);
  const model::Patience patience{[](void* self) { return !static_cast<Trainer*>(self)->is_stopping_.load(); }, this};
  auto result = model::train_churn(data.plan, data.settings, data.snapshots, data.range, patience);
  if (auto* refusal = std::get_if<model::Refusal>(&result))
    return note(Stage::kRefused, "no model is trained: " + refusal->why);
  const auto& trained = std::get<model::Trained>(result);
  const std::string id = model::ChurnModel(trained.sealed).id();
  const auto took_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started).count();
  const Verdict verdict = compare(data, trained);
  auto noted = [this](bronze::Seq seq) {
    const std::lock_guard held(mutex_);
    state_.seq = seq;
  };
  const bool is_used = verdict.is_better && data.is_activated;
  hooks_.submit(wire::Kind::kModelTrained, fmt::format("{}\n{}", took_ms, trained.sealed),
                is_used ? std::function<void(bronze::Seq)>() : noted);
  if (is_used) hooks_.submit(wire::Kind::kModelActivated, id, noted);
  const auto& judged = trained.judged.front();
  note(Stage::kTrained,
       fmt::format(
           "model {} trained in {:.1f} s: ROC-AUC {:.3f}, log loss {:.4f}; {}: {}", id,
           static_cast<double>(took_ms) / 1000, judged.model.roc_auc, judged.model.log_loss,
           is_used ? "activated" : "not activated",
           verdict.is_better && !data.is_activated ? "the pack leaves that to tellerctl model activate" : verdict.why),
       id);
}

}  // namespace tellerd::app
