#include "app/training_due.h"

#include <algorithm>

#include "decide/pack.h"
#include "decide/pack_files.h"
#include "gold/customer.h"
#include "store/database.h"

namespace tellerd::app {
namespace {

core::Week week_of(core::Instant us, const core::Calendar& calendar) { return core::week_of_day(calendar.day_of(us)); }

}  // namespace

TrainingDue training_due(const std::filesystem::path& file) {
  auto database = store::Database::open_reader(file);
  store::Statement cursor(database, "SELECT week,zone,pack_seq FROM cursor");
  TrainingDue due;
  if (!cursor.step() || cursor.integer(0) == gold::kNoWeek) return due;
  due.running = static_cast<core::Week>(cursor.integer(0));
  const core::Calendar calendar(cursor.text(1).empty() ? std::string("UTC") : std::string(cursor.text(1)));
  store::Statement files(database, "SELECT files FROM policy_history WHERE seq=?");
  if (!files.bind(1, cursor.integer(2)).step()) return due;
  const int every = decide::parse_pack(decide::deserialise_pack(files.text(0))).churn.retrain_weeks;
  if (every == 0) return due;
  const std::int64_t newest_us =
      database.integer("SELECT coalesce(max(at_us),-1) FROM churn_model WHERE state='recorded'");
  const std::int64_t alarmed = database.integer(
      "SELECT coalesce(max(w.week),-1) FROM churn_watch w JOIN churn_fold f ON f.model=w.model WHERE w.alarms<>''");
  const std::int64_t disproved = database.integer(
      "SELECT coalesce(max(r.judged_week),-1) FROM churn_realised r JOIN churn_fold f ON f.model=r.model WHERE "
      "r.alarms<>''");
  if (newest_us < 0 || due.running - week_of(newest_us, calendar) >= every)
    due.cause = "schedule";
  else if (std::max(alarmed, disproved) > week_of(newest_us, calendar))
    due.cause = "drift";
  return due;
}

}  // namespace tellerd::app
