-- The marts: what other programs read (design.md 6). Money in minor units, times in microseconds.

CREATE VIEW mart_customer AS
SELECT i.display_key AS key, coalesce(p.name_masked, '') AS name, coalesce(p.city, '') AS city,
  nullif(p.registered_on, '') AS registered_on, coalesce(p.client_code, 0) AS client_code,
  t.name AS tier, s.name AS combined_segment, CASE WHEN g.tier >= 0 THEN g.tier_since_us END AS tier_since_us,
  CASE g.churn WHEN 1 THEN 'active' WHEN 2 THEN 'at_risk' WHEN 3 THEN 'churned' WHEN 4 THEN 'returned' END AS churn_state,
  NULL AS churn_probability,
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

CREATE VIEW mart_segment_history AS
SELECT i.display_key AS customer_key, h.from_us, lead(h.from_us) OVER (PARTITION BY h.customer ORDER BY h.number) AS to_us, t.name AS tier, s.name AS combined_segment, r.name AS reason, h.cause_seq
FROM segment_history h JOIN identity i ON i.id = h.customer
LEFT JOIN name_of t ON t.what = 'tier' AND t.number = h.tier
LEFT JOIN name_of s ON s.what = 'combined' AND s.number = h.combined
LEFT JOIN name_of r ON r.what = 'reason' AND r.number = h.reason;

CREATE VIEW mart_segment_counts AS
SELECT t.name AS tier, s.name AS combined_segment, count(*) AS customers, sum(g.transaction_total_minor) AS transaction_total_minor
FROM gold_customer g JOIN identity i ON i.id = g.id AND i.leader = i.id
JOIN name_of t ON t.what = 'tier' AND t.number = g.tier JOIN name_of s ON s.what = 'combined' AND s.number = g.combined
GROUP BY t.number, s.number;

CREATE VIEW mart_churn AS
SELECT i.display_key AS customer_key,
  CASE g.churn WHEN 1 THEN 'active' WHEN 2 THEN 'at_risk' WHEN 3 THEN 'churned' WHEN 4 THEN 'returned' END AS state,
  NULL AS probability, c.now_us AS as_of, coalesce((SELECT h.level FROM name_of h WHERE h.what = 'horizon_weeks'), 12) AS horizon_weeks,
  CASE WHEN g.churn = 3 THEN 'CH-01' ELSE '' END AS reasons, 'inactivity' AS model
FROM gold_customer g JOIN identity i ON i.id = g.id AND i.leader = i.id CROSS JOIN cursor c WHERE g.churn > 0;

CREATE VIEW mart_loan_overdue_month AS
SELECT printf('%04d-%02d', month / 12, month % 12 + 1) AS month,
  CASE bucket WHEN 0 THEN '<=50000' WHEN 1 THEN '50001-100000' WHEN 2 THEN '100001-500000' ELSE '>500000' END AS bucket,
  loans AS total_loans, overdue_loans AS total_overdue_loans,
  ((20000 * overdue_loans + loans) / (2 * loans)) / 100.0 AS pct_overdue_loans,   -- exact halves round up
  issued_minor AS sum_issued_loans_minor, overdue_paid_minor AS sum_overdue_payments_minor
FROM gold_loan_cell;

CREATE VIEW mart_loan_payment AS
SELECT i.display_key AS customer_key, y.loan_name, l.amount_minor AS loan_amount_minor, l.start_date AS loan_start_date,
  y.payment_number, y.payment_date, nullif(y.fact_date, '') AS payment_fact_date, l.planned_minor,
  y.paid_minor AS paid_fact_amount_minor,
  CASE WHEN y.fact_date = '' THEN (SELECT n.level FROM name_of n WHERE n.what = 'unpaid_is_overdue')
         AND y.payment_date < (SELECT date(d.day * 86400, 'unixepoch') FROM cursor d)
       ELSE y.fact_date > y.payment_date OR y.paid_minor < l.planned_minor END AS is_overdue,
  coalesce(p.region, '') AS region, coalesce(p.gender, '') AS gender, coalesce(p.job_type, '') AS job_type
FROM silver_instalment_payment y JOIN gold_loan l ON l.customer = y.customer AND l.loan_name = y.loan_name AND l.loan_seq > 0
JOIN identity i ON i.id = y.customer LEFT JOIN gold_profile p ON p.customer = i.leader WHERE y.state = 0;

CREATE VIEW mart_dpd_bucket AS
SELECT CASE bucket WHEN 0 THEN 'current' WHEN 1 THEN '1-30' WHEN 2 THEN '31-60' WHEN 3 THEN '61-90' WHEN 4 THEN '91-180' ELSE '>180' END AS dpd_bucket,
  count(*) AS loans, sum(amount_minor) AS sum_amount_minor FROM gold_loan WHERE loan_seq > 0 GROUP BY bucket;

-- Where loans stood at a month's end and at the next one's: what rolls and what cures. From 0 to 0 are the loans that were
-- open at both ends and late at neither.
CREATE VIEW mart_dpd_transition AS
WITH RECURSIVE month_end(day) AS (
  SELECT CAST(strftime('%s', date(min(day) * 86400, 'unixepoch', 'start of month', '+1 month', '-1 day')) AS INTEGER) / 86400 FROM dpd_history WHERE day > -2147483648
  UNION ALL SELECT CAST(strftime('%s', date((day + 1) * 86400, 'unixepoch', '+1 month', '-1 day')) AS INTEGER) / 86400 FROM month_end
  WHERE day + 1 < (SELECT c.day FROM cursor c)),
month(begin, day) AS (SELECT lag(day) OVER (ORDER BY day), day FROM month_end WHERE day < (SELECT c.day FROM cursor c)),
late AS (
  SELECT m.day, s.customer, s.loan_name, s.bucket
  FROM (SELECT customer, loan_name, bucket, day AS since, lead(day, 1, 2147483647) OVER (PARTITION BY customer, loan_name ORDER BY number) AS until FROM dpd_history) s
  JOIN month m ON m.day >= s.since AND m.day < s.until WHERE s.bucket > 0),
move AS (
  SELECT m.day, b.customer, b.loan_name, coalesce(a.bucket, 0) AS from_bucket, b.bucket AS to_bucket
  FROM month m JOIN late b ON b.day = m.day LEFT JOIN late a ON a.customer = b.customer AND a.loan_name = b.loan_name AND a.day = m.begin WHERE m.begin IS NOT NULL
  UNION ALL SELECT m.day, a.customer, a.loan_name, a.bucket, 0
  FROM month m JOIN late a ON a.day = m.begin LEFT JOIN late b ON b.customer = a.customer AND b.loan_name = a.loan_name AND b.day = m.day WHERE b.day IS NULL),
open_loan AS (
  SELECT g.customer, g.loan_name, g.start_date AS since, min(coalesce(nullif(l.closed_date, ''), '9999'), coalesce(nullif(l.end_date, ''), '9999')) AS until
  FROM gold_loan g JOIN silver_loan l ON l.seq = g.loan_seq),
span AS (SELECT day, date(begin * 86400, 'unixepoch') AS begins_on, date(day * 86400, 'unixepoch') AS ends_on FROM month WHERE begin IS NOT NULL)
SELECT strftime('%Y-%m', day * 86400, 'unixepoch') AS month, from_bucket, to_bucket, count(*) AS loans FROM move GROUP BY 1, 2, 3
UNION ALL SELECT strftime('%Y-%m', day * 86400, 'unixepoch'), 0, 0, loans FROM (
  SELECT s.day, (SELECT count(*) FROM open_loan o WHERE o.since <= s.begins_on AND o.until >= s.ends_on)
    - (SELECT count(*) FROM move v JOIN open_loan o ON o.customer = v.customer AND o.loan_name = v.loan_name WHERE v.day = s.day AND o.since <= s.begins_on AND o.until >= s.ends_on) AS loans
  FROM span s) WHERE loans > 0;

CREATE VIEW mart_offer AS
SELECT printf('%016x', o.offer_id) AS offer_id, i.display_key AS customer_key, t.queue, t.action, t.type AS offer_type,
  t.segment AS combined_segment, o.expected_revenue_minor, t.priority AS offer_priority, n.level AS priority_level, o.days_valid,
  o.created_us, o.expires_us, o.state, 'rules' AS arm, 1.0 AS choice_probability, 'SG-01' AS reasons,
  (SELECT h.name || '@' || substr(h.hash, 1, 12) FROM policy_history h WHERE h.seq = o.policy) AS policy, '' AS model
FROM offer o JOIN identity i ON i.id = o.customer JOIN offer_template t ON t.number = o.template
LEFT JOIN name_of n ON n.what = 'tier' AND n.number = o.tier;

CREATE VIEW mart_marketing_daily AS
SELECT date(m.day * 86400, 'unixepoch') AS day, s.name AS combined_segment, m.clients AS clients_count,
  m.revenue_minor AS total_revenue_minor, (2 * m.revenue_minor + m.clients) / (2 * m.clients) AS avg_revenue_minor,
  m.active AS active_clients, m.new AS new_clients
FROM marketing_day m JOIN name_of s ON s.what = 'combined' AND s.number = m.combined WHERE m.clients > 0;

CREATE VIEW mart_offer_type AS
SELECT t.type AS offer_type, t.segment AS combined_segment, count(*) AS offers, sum(o.expected_revenue_minor) AS expected_revenue_minor,
  avg(o.expected_revenue_minor) AS avg_expected_revenue_minor, min(o.days_valid) AS min_days_valid, max(o.days_valid) AS max_days_valid
FROM offer o JOIN offer_template t ON t.number = o.template WHERE o.state = 'READY' GROUP BY t.number;

CREATE VIEW mart_data_quality AS SELECT system, kind, verdict, count, last_us FROM data_quality;
