-- Churn: the score, the models and which of them is in use.

ALTER TABLE gold_customer ADD COLUMN churn_ppm INTEGER NOT NULL DEFAULT -1;   -- probability in millionths; -1 not scored

-- Models as they were recorded: sealed is the SHA-256, a line end and the document; card is the document without the
-- trees and the samples drift is measured against.
CREATE TABLE churn_model(
  seq INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, id TEXT NOT NULL, trained_ms INTEGER NOT NULL, state TEXT NOT NULL,
  reason TEXT NOT NULL, card TEXT NOT NULL, sealed BLOB NOT NULL,
  method TEXT, features TEXT, feature_weeks INTEGER, horizon_weeks INTEGER, rows INTEGER, validated_by TEXT, calibration TEXT, late_share REAL
) STRICT;
-- Of a card, by the week it was judged in. Columns, since a view may not call JSON functions where schemas are not trusted.
CREATE TABLE churn_judged(
  seq INTEGER NOT NULL, week INTEGER NOT NULL, roc_auc REAL, pr_auc REAL, lift_10 REAL, log_loss REAL, recency_roc_auc REAL,
  recency_log_loss REAL, majority_log_loss REAL, calibration_curve TEXT, PRIMARY KEY(seq, week)
) STRICT, WITHOUT ROWID;
CREATE INDEX churn_model_id ON churn_model(id);
CREATE TABLE churn_activation(
  seq INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, model TEXT NOT NULL, is_accepted INTEGER NOT NULL, reason TEXT NOT NULL
) STRICT;
-- The model that scores ('' none), and the next customer of a re-scoring under way (0 none).
CREATE TABLE churn_fold(id INTEGER PRIMARY KEY CHECK(id = 1), model TEXT NOT NULL, next_customer INTEGER NOT NULL) STRICT;
INSERT INTO churn_fold VALUES(1, '', 0);

-- Why whoever is at risk is: codes with figures, "CH-09:5,3 CH-06:4,1"; the words are the pack's.
CREATE TABLE churn_reason(customer INTEGER PRIMARY KEY, reasons TEXT NOT NULL) STRICT;

DROP VIEW mart_customer;
CREATE VIEW mart_customer AS
SELECT i.display_key AS key, coalesce(p.name_masked, '') AS name, coalesce(p.city, '') AS city,
  nullif(p.registered_on, '') AS registered_on, coalesce(p.client_code, 0) AS client_code,
  t.name AS tier, s.name AS combined_segment, CASE WHEN g.tier >= 0 THEN g.tier_since_us END AS tier_since_us,
  CASE g.churn WHEN 1 THEN 'active' WHEN 2 THEN 'at_risk' WHEN 3 THEN 'churned' WHEN 4 THEN 'returned' END AS churn_state,
  CASE WHEN g.churn_ppm >= 0 THEN g.churn_ppm / 1000000.0 END AS churn_probability,
  CASE WHEN c.week - g.last_tx_week BETWEEN 0 AND 62 THEN c.week - g.last_tx_week WHEN g.last_tx_week > c.week THEN 0 END AS inactive_weeks,
  c.week AS week_index,
  CASE WHEN g.week > c.week THEN g.tx_any >> (g.week - c.week) WHEN c.week - g.week > 62 THEN 0 ELSE (g.tx_any << (c.week - g.week)) & 0x7FFFFFFFFFFFFFFF END AS tx_weeks,
  CASE WHEN g.week > c.week THEN g.sup_any >> (g.week - c.week) WHEN c.week - g.week > 62 THEN 0 ELSE (g.sup_any << (c.week - g.week)) & 0x7FFFFFFFFFFFFFFF END AS sup_weeks,
  CASE WHEN g.week > c.week THEN g.sms_any >> (g.week - c.week) WHEN c.week - g.week > 62 THEN 0 ELSE (g.sms_any << (c.week - g.week)) & 0x7FFFFFFFFFFFFFFF END AS sms_weeks,
  CASE WHEN g.week > c.week THEN g.host_any >> (g.week - c.week) WHEN c.week - g.week > 62 THEN 0 ELSE (g.host_any << (c.week - g.week)) & 0x7FFFFFFFFFFFFFFF END AS host_weeks,
  g.transaction_count, g.transaction_total_minor, g.transaction_max_minor, g.login_count, g.successful_login_count,
  g.activity_count, g.activity_minutes, g.page_views, g.bill_count, g.bill_total_minor, g.holding_count,
  g.portfolio_value_minor, g.priority_category, g.overdue_loans, g.dpd,
  CASE g.dpd_bucket WHEN 0 THEN 'current' WHEN 1 THEN '1-30' WHEN 2 THEN '31-60' WHEN 3 THEN '61-90' WHEN 4 THEN '91-180' ELSE '>180' END AS dpd_bucket
FROM gold_customer g JOIN identity i ON i.id = g.id AND i.leader = i.id CROSS JOIN cursor c
LEFT JOIN gold_profile p ON p.customer = g.id
LEFT JOIN name_of t ON t.what = 'tier' AND t.number = g.tier
LEFT JOIN name_of s ON s.what = 'combined' AND s.number = g.combined;

DROP VIEW mart_churn;
CREATE VIEW mart_churn AS
SELECT i.display_key AS customer_key,
  CASE g.churn WHEN 1 THEN 'active' WHEN 2 THEN 'at_risk' WHEN 3 THEN 'churned' WHEN 4 THEN 'returned' END AS state,
  CASE WHEN g.churn_ppm >= 0 THEN g.churn_ppm / 1000000.0 END AS probability, c.now_us AS as_of,
  coalesce((SELECT h.level FROM name_of h WHERE h.what = 'horizon_weeks'), 12) AS horizon_weeks,
  CASE WHEN g.churn = 3 THEN 'CH-02:' || (c.week - g.last_tx_week) WHEN g.churn = 4 THEN 'CH-07' ELSE coalesce(r.reasons, '') END AS reasons,
  CASE WHEN g.churn_ppm >= 0 THEN f.model ELSE 'inactivity' END AS model
FROM gold_customer g JOIN identity i ON i.id = g.id AND i.leader = i.id CROSS JOIN cursor c CROSS JOIN churn_fold f
LEFT JOIN churn_reason r ON r.customer = g.id WHERE g.churn > 0;

CREATE VIEW mart_model AS
SELECT m.id AS model, m.at_us AS trained_us, m.trained_ms, m.state, m.reason, m.id = f.model AS is_active, m.method, m.features, m.feature_weeks,
  m.horizon_weeks, m.rows, m.validated_by, j.week, date(j.week * 604800 - 259200, 'unixepoch') AS as_of, j.roc_auc, j.pr_auc, j.lift_10,
  j.log_loss, j.recency_roc_auc, j.recency_log_loss, j.majority_log_loss, j.calibration_curve, m.calibration, m.late_share
FROM churn_model m CROSS JOIN churn_fold f LEFT JOIN churn_judged j ON j.seq = m.seq;
