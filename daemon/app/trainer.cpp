#include "app/trainer.h"

#include <fmt/core.h>

#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/training_due.h"
#include "core/fault.h"
#include "core/log.h"
#include "core/thread_share.h"
#include "model/watch.h"

namespace tellerd::app {
namespace {

constexpr int kLowestPriority = 19;
constexpr auto kPause = std::chrono::milliseconds(20);

struct Verdict {
  bool is_better = false;
  std::string why;
  std::string champion;  // its id, where the two were compared
  model::Metrics of_champion;
};

core::Week newest_week_learnt(const model::ChurnModel& champion) {
  return nlohmann::json::parse(champion.document()).at("data").at("weeks").at(0).get<core::Week>();
}

// Champion and challenger side by side, on the same customers of the newest week whose outcome is known. The judged
// challenger has not seen it; where the champion has learnt labels from it, the two cannot be compared and the champion
// stays.
Verdict beside_champion(const TrainingData& data, const model::Judged& judged) {
  const model::ChurnModel champion(data.champion);
  if (champion.scope().horizon_weeks != data.plan.scope.horizon_weeks ||
      champion.scope().view_weeks > data.plan.scope_at(judged.at).view_weeks)
    return {true, "the model in use looks at other weeks", {}, {}};
  if (champion.has_labels() && newest_week_learnt(champion) >= judged.at)
    return {false,
            fmt::format("{} has learnt from the weeks it would be compared on; tellerctl model activate puts this one "
                        "in its place",
                        champion.id()),
            {},
            {}};
  for (const auto& snapshot : data.snapshots) {
    if (snapshot.at != judged.at) continue;
    const auto of_champion = model::judge(champion, snapshot);
    return {judged.model.log_loss <= of_champion.log_loss,
            fmt::format("log loss {:.4f} against {:.4f} of {}, ROC-AUC {:.3f} against {:.3f}", judged.model.log_loss,
                        of_champion.log_loss, champion.id(), judged.model.roc_auc, of_champion.roc_auc),
            champion.id(), of_champion};
  }
  return {true, "the model in use was judged on other weeks", {}, {}};
}

Verdict compare(const TrainingData& data, const model::Trained& trained) {
  if (trained.judged.empty())  // nobody's outcome is known yet
    return data.champion.empty() || !model::ChurnModel(data.champion).has_labels()
               ? Verdict{true, "history is too short for labels", {}, {}}
               : Verdict{false, "the model in use has learnt from outcomes", {}, {}};
  const auto& judged = trained.judged.front();
  Verdict verdict{true, "no model scored before", {}, {}};
  try {
    if (!data.champion.empty()) verdict = beside_champion(data, judged);
  } catch (const std::exception& damaged) {
    verdict.why = fmt::format("the model in use cannot be read: {}", damaged.what());
  }
  // Better than the one before is not enough: it has to be better than what needs no model.
  const auto refuse = [&](std::string why) {
    verdict.is_better = false;
    verdict.why = std::move(why);
  };
  if (judged.model.roc_auc < model::kAucUseless)
    refuse(fmt::format("its ROC-AUC of {:.3f} tells nothing", judged.model.roc_auc));
  else if (judged.model.roc_auc <= judged.recency_rule.roc_auc)
    refuse(fmt::format("weeks since the last transaction alone rank as well: ROC-AUC {:.3f} against {:.3f}",
                       judged.recency_rule.roc_auc, judged.model.roc_auc));
  return verdict;
}

// What stands in the record beside the model: how long it took, why it was trained, how the comparison went.
std::string record_of(std::int64_t took_ms, const std::string& cause, const Verdict& verdict,
                      const std::string& sealed) {
  nlohmann::ordered_json beside{{"cause", cause}, {"verdict", verdict.why}};
  if (!verdict.champion.empty()) {
    beside["champion"] = verdict.champion;
    beside["champion_roc_auc"] = verdict.of_champion.roc_auc;
    beside["champion_log_loss"] = verdict.of_champion.log_loss;
  }
  return fmt::format("{} {}\n{}", took_ms, beside.dump(), sealed);
}

// The copy that is read; gone when it is no longer looked at, or when a kill has left one.
class CopiedStore {
 public:
  explicit CopiedStore(const std::filesystem::path& database) : file_(database.parent_path() / "training.db") {
    remove();
  }
  ~CopiedStore() { remove(); }
  CopiedStore(const CopiedStore&) = delete;
  CopiedStore& operator=(const CopiedStore&) = delete;
  const std::filesystem::path& file() const noexcept { return file_; }

 private:
  void remove() const noexcept {
    std::error_code none;
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file_.string() + suffix, none);
  }
  std::filesystem::path file_;
};

}  // namespace

Trainer::Trainer(std::filesystem::path database, std::chrono::seconds look_every, Hooks hooks)
    : database_(std::move(database)), look_every_(look_every), hooks_(std::move(hooks)) {}

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
  core::take_long_turns(kLowestPriority);
  while (!is_stopping_) {
    bool is_asked = false;
    {
      std::unique_lock held(mutex_);
      const auto has_cause = [&] { return is_stopping_ || is_wanted_; };
      if (look_every_.count() > 0)
        wake_.wait_for(held, look_every_, has_cause);
      else
        wake_.wait(held, has_cause);
      is_asked = std::exchange(is_wanted_, false);
    }
    if (is_stopping_) return;
    try {
      is_asked ? train("asked") : look();
    } catch (const std::exception& trouble) {  // the next training may do better; scoring goes on meanwhile
      note(Stage::kFailed, fmt::format("training failed: {}", trouble.what()));
    }
  }
}

void Trainer::look() {
  const TrainingDue due = training_due(database_);
  if (due.cause.empty() || due.running == tried_) return;
  tried_ = due.running;
  {
    const std::lock_guard held(mutex_);
    ++state_.number;
    state_.stage = Stage::kRunning;
    state_.text = "is being trained";
  }
  train(due.cause);
}

// From a copy, so that no reading, however long, keeps the log of teller.db from being folded.
std::variant<TrainingData, model::Refusal> Trainer::read() {
  const CopiedStore copy(database_);
  const auto copied = std::make_shared<std::promise<std::string>>();
  auto trouble = copied->get_future();
  hooks_.copy(copy.file(), [copied](std::string why) { copied->set_value(std::move(why)); });
  while (trouble.wait_for(kPause) != std::future_status::ready)
    if (is_stopping_) throw core::Fault(core::Exit::kFailed, "training was stopped");
  if (const std::string why = trouble.get(); !why.empty())
    return model::Refusal{"what is derived cannot be copied: " + why};
  return read_training_data(copy.file());
}

void Trainer::train(const std::string& cause) {
  const auto started = std::chrono::steady_clock::now();
  auto found = read();
  if (auto* refusal = std::get_if<model::Refusal>(&found))
    return note(Stage::kRefused, "no model is trained: " + refusal->why);
  const auto& data = std::get<TrainingData>(found);
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
  hooks_.submit(wire::Kind::kModelTrained, record_of(took_ms, cause, verdict, trained.sealed),
                is_used ? std::function<void(bronze::Seq)>() : noted);
  if (is_used) hooks_.submit(wire::Kind::kModelActivated, id, noted);
  const std::string quality = trained.judged.empty()
                                  ? std::string("by BG/NBD, not judged")
                                  : fmt::format("ROC-AUC {:.3f}, log loss {:.4f}", trained.judged.front().model.roc_auc,
                                                trained.judged.front().model.log_loss);
  note(Stage::kTrained,
       fmt::format(
           "model {} trained in {:.1f} s: {}; {}: {}", id, static_cast<double>(took_ms) / 1000, quality,
           is_used ? "activated" : "not activated",
           verdict.is_better && !data.is_activated ? "the pack leaves that to tellerctl model activate" : verdict.why),
       id);
}

}  // namespace tellerd::app
