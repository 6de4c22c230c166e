-- The churn models watched: why one was trained and how it stood beside the one before, whether customers are still
-- those it learnt from, and what became of what it predicted.

ALTER TABLE churn_model ADD COLUMN cause TEXT;               -- asked, schedule or drift
ALTER TABLE churn_model ADD COLUMN verdict TEXT;             -- the comparison in one sentence
ALTER TABLE churn_model ADD COLUMN champion TEXT;            -- the model it was compared with, on the same customers
ALTER TABLE churn_model ADD COLUMN champion_roc_auc REAL;
ALTER TABLE churn_model ADD COLUMN champion_log_loss REAL;
-- The week whose forecasts are being written down while everybody is scored again (0 none).
ALTER TABLE churn_fold ADD COLUMN watch_week INTEGER NOT NULL DEFAULT 0;

-- What was predicted at a week's start, for a sample of customers, until the horizon has passed.
CREATE TABLE churn_forecast(
  week INTEGER NOT NULL, customer INTEGER NOT NULL, model TEXT NOT NULL, horizon_weeks INTEGER NOT NULL, ppm INTEGER NOT NULL,
  recency INTEGER NOT NULL, PRIMARY KEY(week, customer)
) STRICT, WITHOUT ROWID;
-- And what became of it.
CREATE TABLE churn_realised(
  week INTEGER NOT NULL, model TEXT NOT NULL, judged_week INTEGER NOT NULL, judged_us INTEGER NOT NULL, horizon_weeks INTEGER NOT NULL,
  customers INTEGER NOT NULL, left_customers INTEGER NOT NULL, predicted_mean REAL NOT NULL, roc_auc REAL NOT NULL, pr_auc REAL NOT NULL,
  lift_10 REAL NOT NULL, log_loss REAL NOT NULL, recency_roc_auc REAL NOT NULL, majority_log_loss REAL NOT NULL,
  calibration_curve TEXT NOT NULL, alarms TEXT NOT NULL, PRIMARY KEY(week, model)
) STRICT, WITHOUT ROWID;
-- Population stability index of the score, by week; and of each feature, in the newest week.
CREATE TABLE churn_watch(
  week INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, model TEXT NOT NULL, customers INTEGER NOT NULL, score_psi REAL NOT NULL,
  feature_psi REAL NOT NULL, feature TEXT NOT NULL, alarms TEXT NOT NULL
) STRICT;
CREATE TABLE churn_feature_psi(week INTEGER NOT NULL, feature TEXT NOT NULL, psi REAL NOT NULL, PRIMARY KEY(week, feature)) STRICT, WITHOUT ROWID;

DROP VIEW mart_model;
CREATE VIEW mart_model AS
SELECT m.id AS model, m.at_us AS trained_us, m.trained_ms, m.state, m.reason, m.id = f.model AS is_active, m.method, m.features, m.feature_weeks,
  m.horizon_weeks, m.rows, m.validated_by, j.week, date(j.week * 604800 - 259200, 'unixepoch') AS as_of, j.roc_auc, j.pr_auc, j.lift_10,
  j.log_loss, j.recency_roc_auc, j.recency_log_loss, j.majority_log_loss, j.calibration_curve, m.calibration, m.late_share,
  m.cause, m.verdict, m.champion, m.champion_roc_auc, m.champion_log_loss
FROM churn_model m CROSS JOIN churn_fold f LEFT JOIN churn_judged j ON j.seq = m.seq;

CREATE VIEW mart_model_outcome AS
SELECT date(week * 604800 - 259200, 'unixepoch') AS as_of, model, judged_us, horizon_weeks, customers, left_customers,
  1.0 * left_customers / customers AS left_share, predicted_mean, roc_auc, pr_auc, lift_10, log_loss, recency_roc_auc, majority_log_loss,
  calibration_curve, alarms
FROM churn_realised;

CREATE VIEW mart_model_drift AS
SELECT date(week * 604800 - 259200, 'unixepoch') AS as_of, at_us, model, customers, score_psi, feature_psi, feature, alarms FROM churn_watch;

CREATE VIEW mart_model_feature AS
SELECT date(week * 604800 - 259200, 'unixepoch') AS as_of, feature, psi FROM churn_feature_psi;
