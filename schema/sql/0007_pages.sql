-- What the pages ask for one customer at a time, and two sums of loans. Only tables that grow with customers and loans are
-- indexed; histories and offers, which grow with events, are read through for the one look-up a person makes.

CREATE INDEX identity_key ON identity(key);
CREATE INDEX identity_display ON identity(display_key);
CREATE INDEX identity_leader ON identity(leader);
CREATE INDEX instalment_payment_loan ON silver_instalment_payment(customer, loan_name);

-- Of the loans that began in a month, how many had been overdue by so many months on book: the share only grows.
CREATE VIEW mart_loan_vintage AS
WITH loan AS (
  SELECT l.customer, l.loan_name, substr(l.start_date, 1, 7) AS cohort, substr(l.start_date, 1, 4) * 12 + substr(l.start_date, 6, 2) AS began,
    (SELECT min(CASE WHEN CASE WHEN y.fact_date = '' THEN y.payment_date < (SELECT date(d.day * 86400, 'unixepoch') FROM cursor d) AND (SELECT n.level FROM name_of n WHERE n.what = 'unpaid_is_overdue')
                             ELSE y.fact_date > y.payment_date OR y.paid_minor < l.planned_minor END
                    THEN substr(y.payment_date, 1, 4) * 12 + substr(y.payment_date, 6, 2) END)
     FROM silver_instalment_payment y WHERE y.customer = l.customer AND y.loan_name = l.loan_name AND y.state = 0) AS first_overdue
  FROM gold_loan l WHERE l.loan_seq > 0 AND l.start_date <> ''),
age(months) AS (SELECT 0 UNION ALL SELECT months + 1 FROM age WHERE months < 60),
cohort AS (SELECT cohort, began, count(*) AS loans FROM loan GROUP BY cohort)
SELECT c.cohort, a.months AS months_on_book, c.loans, (SELECT count(*) FROM loan o WHERE o.cohort = c.cohort AND o.first_overdue <= o.began + a.months) AS overdue_loans
FROM cohort c JOIN age a ON c.began + a.months <= (SELECT strftime('%Y', d.day * 86400, 'unixepoch') * 12 + strftime('%m', d.day * 86400, 'unixepoch') FROM cursor d);

-- Who is behind, by region, gender and employment; an unknown value is ''.
CREATE VIEW mart_overdue_group AS
WITH stand AS (
  SELECT coalesce(p.region, '') AS region, coalesce(p.gender, '') AS gender, coalesce(p.job_type, '') AS job_type, l.dpd > 0 AS is_overdue, l.amount_minor
  FROM gold_loan l JOIN identity i ON i.id = l.customer LEFT JOIN gold_profile p ON p.customer = i.leader WHERE l.loan_seq > 0),
named AS (
  SELECT 'region' AS dimension, region AS value, is_overdue, amount_minor FROM stand
  UNION ALL SELECT 'gender', gender, is_overdue, amount_minor FROM stand
  UNION ALL SELECT 'job_type', job_type, is_overdue, amount_minor FROM stand)
SELECT dimension, value, count(*) AS loans, sum(is_overdue) AS overdue_loans, sum(amount_minor) AS sum_amount_minor FROM named GROUP BY dimension, value;
