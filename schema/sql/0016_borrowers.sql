-- Who a borrower is: what the system of the loan says, else what the customer's other profile says. Unknown is ''.
CREATE VIEW borrower AS
SELECT i.id AS customer, coalesce(nullif(o.region, ''), p.region, '') AS region, coalesce(nullif(o.gender, ''), p.gender, '') AS gender,
  coalesce(nullif(o.job_type, ''), p.job_type, '') AS job_type
FROM identity i LEFT JOIN gold_profile o ON o.customer = i.id LEFT JOIN gold_profile p ON p.customer = i.leader;

DROP VIEW mart_loan_payment;
CREATE VIEW mart_loan_payment AS
SELECT i.display_key AS customer_key, y.loan_name, l.amount_minor AS loan_amount_minor, l.start_date AS loan_start_date,
  y.payment_number, y.payment_date, nullif(y.fact_date, '') AS payment_fact_date, l.planned_minor,
  y.paid_minor AS paid_fact_amount_minor,
  CASE WHEN y.fact_date = '' THEN (SELECT n.level FROM name_of n WHERE n.what = 'unpaid_is_overdue')
         AND y.payment_date < (SELECT date(d.day * 86400, 'unixepoch') FROM cursor d)
       ELSE y.fact_date > y.payment_date OR y.paid_minor < l.planned_minor END AS is_overdue,
  b.region, b.gender, b.job_type
FROM silver_instalment_payment y JOIN gold_loan l ON l.customer = y.customer AND l.loan_name = y.loan_name AND l.loan_seq > 0
JOIN identity i ON i.id = y.customer JOIN borrower b ON b.customer = y.customer WHERE y.state = 0;

-- Who is behind, by region, gender and employment; an unknown value is ''. The view is open to everybody, so a group of fewer
-- than five customers says nothing of its own: such groups stand together as 'few', with the next smallest where they are
-- still fewer, so that no difference to a total tells of them. Where even that is fewer, there is no row.
DROP VIEW mart_overdue_group;
CREATE VIEW mart_overdue_group AS
WITH stand AS (
  SELECT i.leader AS customer, b.region, b.gender, b.job_type, l.dpd > 0 AS is_overdue, l.amount_minor
  FROM gold_loan l JOIN identity i ON i.id = l.customer JOIN borrower b ON b.customer = l.customer WHERE l.loan_seq > 0),
named AS (
  SELECT 'region' AS dimension, region AS value, customer, is_overdue, amount_minor FROM stand
  UNION ALL SELECT 'gender', gender, customer, is_overdue, amount_minor FROM stand
  UNION ALL SELECT 'job_type', job_type, customer, is_overdue, amount_minor FROM stand),
grouped AS (
  SELECT dimension, value, count(DISTINCT customer) AS customers, count(*) AS loans, sum(is_overdue) AS overdue_loans, sum(amount_minor) AS sum_amount_minor
  FROM named GROUP BY dimension, value),
placed AS (
  SELECT *, sum(CASE WHEN customers < 5 THEN customers ELSE 0 END) OVER (PARTITION BY dimension) AS in_few,
    sum(customers < 5) OVER (PARTITION BY dimension) AS few, row_number() OVER (PARTITION BY dimension ORDER BY customers, value) AS place
  FROM grouped)
SELECT dimension, CASE WHEN customers < 5 OR (in_few BETWEEN 1 AND 4 AND place = few + 1) THEN 'few' ELSE value END AS value,
  sum(loans) AS loans, sum(overdue_loans) AS overdue_loans, sum(sum_amount_minor) AS sum_amount_minor
FROM placed GROUP BY 1, 2 HAVING sum(customers) >= 5;
