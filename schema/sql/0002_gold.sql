-- Gold: what we know of each customer, its history, the decisions and what waits to leave. One writer, the engine;
-- everything here is a function of the log (design.md 1).

CREATE TABLE cursor(
  id INTEGER PRIMARY KEY CHECK(id = 1), seq INTEGER NOT NULL, now_us INTEGER NOT NULL, received_us INTEGER NOT NULL,
  week INTEGER NOT NULL, day INTEGER NOT NULL, derive_version INTEGER NOT NULL, zone TEXT NOT NULL,
  pack_name TEXT NOT NULL, pack_hash TEXT NOT NULL, pack_seq INTEGER NOT NULL, offer_count INTEGER NOT NULL,
  segment_count INTEGER NOT NULL, churn_count INTEGER NOT NULL, dpd_count INTEGER NOT NULL
) STRICT;
INSERT INTO cursor VALUES(1, 0, 0, 0, -2147483648, -2147483648, 0, '', '', '', 0, 0, 0, 0, 0);

-- Packs as they were activated; files is a JSON object of file name to text.
CREATE TABLE policy_history(seq INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL, files TEXT NOT NULL) STRICT;

-- First seq of each week of arrival: what retention drops below.
CREATE TABLE week_mark(week INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL) STRICT;

-- One wide row a customer, as of its own week; the views move it to the running one. Bits: domain.md 1. `state` is what
-- only the engine reads (gold/customer_rows.cpp).
CREATE TABLE gold_customer(
  id INTEGER PRIMARY KEY, week INTEGER NOT NULL, last_tx_week INTEGER,
  transaction_count INTEGER NOT NULL, transaction_total_minor INTEGER NOT NULL, transaction_max_minor INTEGER NOT NULL,
  login_count INTEGER NOT NULL, successful_login_count INTEGER NOT NULL, activity_count INTEGER NOT NULL,
  activity_minutes INTEGER NOT NULL, page_views INTEGER NOT NULL, bill_count INTEGER NOT NULL,
  bill_total_minor INTEGER NOT NULL, holding_count INTEGER NOT NULL, portfolio_value_minor INTEGER NOT NULL,
  tx_any INTEGER NOT NULL, sup_any INTEGER NOT NULL, sms_any INTEGER NOT NULL, host_any INTEGER NOT NULL,
  tier INTEGER NOT NULL, combined INTEGER NOT NULL, tier_since_us INTEGER NOT NULL, churn INTEGER NOT NULL,
  dpd INTEGER NOT NULL, dpd_bucket INTEGER NOT NULL, overdue_loans INTEGER NOT NULL, priority_category TEXT, state BLOB NOT NULL
) STRICT;

CREATE TABLE gold_profile(
  customer INTEGER PRIMARY KEY, profile_seq INTEGER NOT NULL, name_masked TEXT NOT NULL, city TEXT NOT NULL,
  registered_on TEXT NOT NULL, client_code INTEGER NOT NULL, region TEXT NOT NULL, gender TEXT NOT NULL, job_type TEXT NOT NULL
) STRICT;

-- Names of the numbers in gold_customer and the histories, as the packs so far have used them; never renumbered.
CREATE TABLE name_of(what TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, level INTEGER NOT NULL, PRIMARY KEY(what, number)) STRICT, WITHOUT ROWID;

-- Histories are appended as things happen; a row ends where the customer's next one begins.
CREATE TABLE segment_history(
  number INTEGER PRIMARY KEY, customer INTEGER NOT NULL, from_us INTEGER NOT NULL, cause_seq INTEGER NOT NULL,
  tier INTEGER NOT NULL, combined INTEGER NOT NULL, reason INTEGER NOT NULL
) STRICT;
CREATE TABLE churn_history(
  number INTEGER PRIMARY KEY, customer INTEGER NOT NULL, from_us INTEGER NOT NULL, cause_seq INTEGER NOT NULL, state INTEGER NOT NULL
) STRICT;
CREATE TABLE dpd_history(
  number INTEGER PRIMARY KEY, customer INTEGER NOT NULL, loan_name TEXT NOT NULL, from_us INTEGER NOT NULL, cause_seq INTEGER NOT NULL,
  day INTEGER NOT NULL, dpd INTEGER NOT NULL, bucket INTEGER NOT NULL
) STRICT;

-- A loan's days past due; the loan itself is silver_loan.
CREATE TABLE gold_loan(
  customer INTEGER NOT NULL, loan_name TEXT NOT NULL, place INTEGER NOT NULL, loan_seq INTEGER NOT NULL, amount_minor INTEGER NOT NULL,
  planned_minor INTEGER NOT NULL, start_date TEXT NOT NULL, dpd INTEGER NOT NULL, bucket INTEGER NOT NULL, refreshed_on INTEGER NOT NULL,
  PRIMARY KEY(customer, loan_name)
) STRICT, WITHOUT ROWID;
CREATE TABLE gold_loan_cell(
  month INTEGER NOT NULL, bucket INTEGER NOT NULL, loans INTEGER NOT NULL, overdue_loans INTEGER NOT NULL,
  issued_minor INTEGER NOT NULL, overdue_paid_minor INTEGER NOT NULL, PRIMARY KEY(month, bucket)
) STRICT, WITHOUT ROWID;
-- Instalments whose loan, views whose product has not come: withdrawn after seven days of received_us (domain.md 6).
CREATE TABLE waiting_reference(seq INTEGER PRIMARY KEY, received_us INTEGER NOT NULL, kind INTEGER NOT NULL) STRICT;

-- Offers as they were made and, apart, how they ended: both are only appended to, so no flush goes through old pages.
CREATE TABLE offer_made(
  number INTEGER PRIMARY KEY, offer_id INTEGER NOT NULL, customer INTEGER NOT NULL, decided_seq INTEGER NOT NULL,
  due_us INTEGER NOT NULL, template INTEGER NOT NULL, tier INTEGER NOT NULL, expected_revenue_minor INTEGER NOT NULL,
  days_valid INTEGER NOT NULL, created_us INTEGER NOT NULL, expires_us INTEGER NOT NULL, policy INTEGER NOT NULL
) STRICT;
CREATE TABLE offer_end(number INTEGER PRIMARY KEY, state TEXT NOT NULL, ended_us INTEGER NOT NULL) STRICT;
CREATE VIEW offer AS
SELECT m.number, m.offer_id, m.customer, m.decided_seq, m.due_us, m.template, m.tier, m.expected_revenue_minor, m.days_valid,
  m.created_us, m.expires_us, coalesce(e.state, 'READY') AS state, e.ended_us, m.policy
FROM offer_made m LEFT JOIN offer_end e ON e.number = m.number;
CREATE TABLE offer_template(
  number INTEGER PRIMARY KEY, queue TEXT NOT NULL, segment TEXT NOT NULL, action TEXT NOT NULL, type TEXT NOT NULL,
  name_ru TEXT NOT NULL, base_minor INTEGER NOT NULL, priority INTEGER NOT NULL, days_valid INTEGER NOT NULL
) STRICT;

-- What the feed says, in order, a sequence a topic; the words are made from the rows it points at.
-- what: 1 an offer (a = its number), 2 an offer's end (a = its number), 3 segment, 4 churn, 5 overdue (a = the number in its history), 6 an offer's outcome (a = its number).
-- A row stands for `count` lines of one turn that differ by one in topic_seq and a. Topics segment and churn have no rows:
-- their topic_seq is the number in segment_history and churn_history.
CREATE TABLE topic(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, last_seq INTEGER NOT NULL) STRICT;
CREATE TABLE outbox(
  topic INTEGER NOT NULL, topic_seq INTEGER NOT NULL, at_us INTEGER NOT NULL, what INTEGER NOT NULL,
  a INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY(topic, topic_seq)
) STRICT, WITHOUT ROWID;
-- Offers of a load that has not ended: they leave when it does, if they still stand.
CREATE TABLE held_offer(number INTEGER PRIMARY KEY, producer INTEGER NOT NULL) STRICT;
CREATE TABLE active_load(producer INTEGER PRIMARY KEY, last_received_us INTEGER NOT NULL) STRICT;

CREATE TABLE marketing_day(
  day INTEGER NOT NULL, combined INTEGER NOT NULL, clients INTEGER NOT NULL, revenue_minor INTEGER NOT NULL,
  active INTEGER NOT NULL, new INTEGER NOT NULL, PRIMARY KEY(day, combined)
) STRICT, WITHOUT ROWID;
CREATE TABLE data_quality(
  system TEXT NOT NULL, kind TEXT NOT NULL, verdict TEXT NOT NULL, count INTEGER NOT NULL, last_us INTEGER NOT NULL,
  PRIMARY KEY(system, kind, verdict)
) STRICT, WITHOUT ROWID;
