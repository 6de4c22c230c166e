// The engine's statements about churn models, prepared once, and what it remembers of scoring.
#pragma once
#include <unordered_map>

#include "app/engine.h"
#include "core/growing_space.h"

namespace tellerd::app {

struct Engine::ChurnRows {
  core::GrowingArray<std::uint64_t> prints;  // by customer: of the view last scored by the model in use
  // Who is at risk and has another score since the last flush, as it was scored last: whose reasons are to be written.
  // Worked out once a flush, not at each score, they are what each score would have left there.
  std::unordered_map<CustomerId, model::ChurnView> unexplained, explaining;  // the second: of the flush under way
  store::Statement put_model, put_judged, put_beside, put_activation, put_fold, put_reason, drop_reason, find_model,
      last_accepted;
  store::Statement put_forecast, forecasts_due, forecasts_of, drop_forecasts, put_realised, put_watch, drop_features,
      put_feature;
  explicit ChurnRows(store::Database& db)
      : put_model(db,
                  "INSERT INTO "
                  "churn_model(seq,at_us,id,trained_ms,state,reason,card,sealed,method,features,feature_weeks,horizon_"
                  "weeks,rows,validated_by,"
                  "calibration,late_share) "
                  "VALUES(?1,?2,?3,?4,?5,?6,json_remove(?7,'$.booster','$.reference','$.used'),?8,?7->>'$.method',?7->>"
                  "'$.scope.features',"
                  "?7->>'$.scope.feature_weeks',?7->>'$.scope.horizon_weeks',?7->>'$.data.rows',?7->>'$.validation.by',"
                  "?7->>'$.calibration.kind',"
                  "?7->>'$.data.late_share')"),
        put_judged(db,
                   "INSERT INTO "
                   "churn_judged(seq,week,roc_auc,pr_auc,lift_10,log_loss,recency_roc_auc,recency_log_loss,majority_"
                   "log_loss,calibration_curve)"
                   " SELECT "
                   "?1,value->>'$.week',value->>'$.model.roc_auc',value->>'$.model.pr_auc',value->>'$.model.lift_10',"
                   "value->>'$.model.log_loss',"
                   "value->>'$.recency_rule.roc_auc',value->>'$.recency_rule.log_loss',value->>'$.majority.log_loss',"
                   "value->>'$.curve'"
                   " FROM json_each(?2,'$.validation.judged')"),
        put_beside(db,
                   "UPDATE churn_model SET cause=?2->>'$.cause', verdict=?2->>'$.verdict', champion=?2->>'$.champion',"
                   "champion_roc_auc=?2->>'$.champion_roc_auc', champion_log_loss=?2->>'$.champion_log_loss' WHERE "
                   "seq=?1 AND json_valid(?2)"),
        put_activation(db, "INSERT INTO churn_activation(seq,at_us,model,is_accepted,reason) VALUES(?,?,?,?,?)"),
        put_fold(db, "UPDATE churn_fold SET model=?,next_customer=?,watch_week=?"),
        put_reason(db,
                   "INSERT INTO churn_reason(customer,reasons) VALUES(?,?) ON CONFLICT(customer) DO UPDATE SET "
                   "reasons=excluded.reasons WHERE reasons<>excluded.reasons"),
        drop_reason(db, "DELETE FROM churn_reason WHERE customer=?"),
        find_model(db, "SELECT sealed FROM churn_model WHERE id=? AND state='recorded' ORDER BY seq LIMIT 1"),
        last_accepted(db, "SELECT model FROM churn_activation WHERE is_accepted=1 ORDER BY seq DESC LIMIT 1 OFFSET ?"),
        put_forecast(db,
                     "REPLACE INTO churn_forecast(week,customer,model,horizon_weeks,ppm,recency) VALUES(?,?,?,?,?,?)"),
        forecasts_due(db,
                      "SELECT DISTINCT week,model,horizon_weeks FROM churn_forecast WHERE week+horizon_weeks<=? ORDER "
                      "BY week,model,horizon_weeks"),
        forecasts_of(db,
                     "SELECT customer,ppm,recency FROM churn_forecast WHERE week=? AND model=? AND horizon_weeks=? "
                     "ORDER BY customer"),
        drop_forecasts(db, "DELETE FROM churn_forecast WHERE week+horizon_weeks<=?"),
        put_realised(db,
                     "REPLACE INTO churn_realised(week,model,judged_week,judged_us,horizon_weeks,customers,"
                     "left_customers,predicted_mean,roc_auc,pr_auc,lift_10,log_loss,recency_roc_auc,majority_log_loss,"
                     "calibration_curve,alarms) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
        put_watch(db,
                  "REPLACE INTO churn_watch(week,at_us,model,customers,score_psi,feature_psi,feature,alarms) "
                  "VALUES(?,?,?,?,?,?,?,?)"),
        drop_features(db, "DELETE FROM churn_feature_psi"),
        put_feature(db, "REPLACE INTO churn_feature_psi(week,feature,psi) VALUES(?,?,?)") {}
};

}  // namespace tellerd::app
