#include "app/status_sums.h"

#include "app/api.h"
#include "bronze/log.h"
#include "core/fault.h"
#include "core/money.h"
#include "decide/pack.h"
#include "decide/pack_files.h"
#include "store/database.h"

namespace tellerd::app {
namespace {

// Files come and go meanwhile: what cannot be read counts nothing.
std::int64_t bytes_below(const std::filesystem::path& folder) {
  std::error_code gone;
  std::int64_t bytes = 0;
  std::filesystem::recursive_directory_iterator at(folder, std::filesystem::directory_options::skip_permission_denied,
                                                   gone),
      end;
  for (; at != end; at.increment(gone)) {
    std::error_code none;
    const auto size = at->is_regular_file(none) ? at->file_size(none) : 0;
    if (!none) bytes += static_cast<std::int64_t>(size);
  }
  return bytes;
}

std::size_t files_in(const std::filesystem::path& folder) {
  std::error_code gone;
  std::filesystem::directory_iterator at(folder, gone), end;
  return gone ? 0 : static_cast<std::size_t>(std::distance(at, end));
}

}  // namespace

// The branch's currency stands in the pack that decides.
std::string Status::currency_of(store::Database& database, const std::string& hash) {
  if (hash == pack_hash_) return pack_currency_;
  store::Statement find(database, "SELECT files FROM policy_history WHERE hash = ? ORDER BY seq DESC LIMIT 1");
  if (find.bind(1, std::string_view(hash)).step()) {
    const core::Currency currency = decide::parse_pack(decide::deserialise_pack(find.text(0))).branch_currency;
    pack_currency_ = core::code_of(currency);
    pack_hash_ = hash;
  }
  find.reset();
  return pack_currency_;
}

std::shared_ptr<Status::Sums> Status::count() {
  auto sums = std::make_shared<Sums>();
  auto database = store::Database::open_reader(config_.data / "teller.db");
  database.limit_read_time(4 * core::kSecond);
  sums->tiers = rows_of(database,
                        "SELECT t.name, count(*) AS count FROM gold_customer g JOIN name_of t ON t.what='tier' AND "
                        "t.number=g.tier WHERE g.combined>=0 GROUP BY g.tier ORDER BY t.level");
  sums->segments = rows_of(database,
                           "SELECT s.name, count(*) AS count FROM gold_customer g JOIN name_of s ON "
                           "s.what='combined' AND s.number=g.combined GROUP BY g.combined ORDER BY g.combined");
  sums->churn =
      rows_of(database,
              "SELECT CASE churn WHEN 1 THEN 'active' WHEN 2 THEN 'at_risk' WHEN 3 THEN 'churned' ELSE 'returned' "
              "END AS state, count(*) AS count FROM gold_customer WHERE churn>0 GROUP BY churn ORDER BY churn");
  sums->quarantine = rows_of(
      database,
      "SELECT reason, count(*) AS count FROM quarantine WHERE state='open' GROUP BY reason ORDER BY count DESC");
  sums->overdue =
      rows_of(database,
              "SELECT count(*) AS loans, coalesce(sum(dpd>0),0) AS overdue_loans, "
              "round(100.0*coalesce(sum(dpd>0),0)/max(count(*),1),2) AS share_percent FROM gold_loan WHERE loan_seq>0")
          .at(0);
  sums->late =
      rows_of(database,
              "SELECT kind, 1.0*sum(CASE verdict WHEN 'late' THEN count ELSE 0 END)/sum(CASE verdict WHEN 'accepted' "
              "THEN count ELSE 0 END) AS share FROM data_quality GROUP BY kind HAVING sum(CASE verdict WHEN "
              "'accepted' THEN count ELSE 0 END)>0 ORDER BY kind");
  sums->model =
      rows_of(database,
              "SELECT f.model, w.score_psi, w.alarms AS drift_alarms, r.roc_auc, r.predicted_mean, "
              "1.0*r.left_customers/r.customers AS left_share, r.alarms AS outcome_alarms FROM churn_fold f LEFT "
              "JOIN (SELECT * FROM churn_watch ORDER BY week DESC LIMIT 1) w LEFT JOIN (SELECT * FROM churn_realised "
              "ORDER BY judged_week DESC, week DESC LIMIT 1) r")
          .at(0);
  sums->policy = rows_of(database, "SELECT pack_name AS name, pack_hash AS hash FROM cursor").at(0);
  const deliver::Json coming = rows_of(database, "SELECT name, hash FROM policy_coming");
  sums->policy["coming"] = coming.empty() ? deliver::Json() : coming[0];
  sums->open_offers =
      database.integer("SELECT (SELECT count(*) FROM offer_made)-(SELECT coalesce(sum(count),0) FROM offer_end)");
  sums->sqlite = rows_of(database, "SELECT sqlite_version() AS version").at(0)["version"];
  sums->schema = database.integer("PRAGMA user_version");
  sums->currency = currency_of(database, sums->policy["hash"]);
  find_oldest(database, *sums);
  sums->data_bytes = bytes_below(config_.data);
  sums->log_files = bronze::log_files(config_.data / "bronze").size();
  sums->fences = files_in(config_.data / "fence");
  return sums;
}

std::shared_ptr<const Status::Sums> Status::refresh() {
  const auto counted = counted_.ask("sums", [this] {
    if (!rooms_.engine()) return Kept<std::shared_ptr<const Sums>>::Made{nullptr, false};  // no tables yet
    try {
      return Kept<std::shared_ptr<const Sums>>::Made{count(), true};
    } catch (const core::Fault&) {  // too slow this time: the last sums stand
      return Kept<std::shared_ptr<const Sums>>::Made{nullptr, false};
    }
  });
  const std::lock_guard lock(mutex_);
  if (counted && *counted) sums_ = *counted;
  return sums_;
}

// When those were made that have waited longest of all that may be taken.
void Status::find_oldest(store::Database& database, Sums& sums) {
  const auto book = rooms_.queues ? rooms_.queues() : nullptr;
  if (!book) return;
  std::vector<std::int64_t> numbers;
  {
    const auto guard = book->lock();
    for (std::size_t queue = 0; queue < book->queue_count(); ++queue) numbers.push_back(book->oldest(queue));
  }
  store::Statement made(database, "SELECT created_us FROM offer_made WHERE number=?");
  for (const std::int64_t number : numbers) {
    made.bind(1, number);
    sums.oldest_us.push_back(number && made.step() ? made.integer(0) : 0);
    made.reset();
  }
}

}  // namespace tellerd::app
