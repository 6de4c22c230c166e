-- Queues (policy.md 5): offers that have been granted at least once, and the clients they were granted to. A function of
-- the log like everything else; an offer without a row here waits as it was made.
-- state: 0 READY, 1 LEASED, 2 SCHEDULED, 3 DONE, 4 DEAD, 5 READY for its client alone, 6 ended (the offer says how).
CREATE TABLE queue_item(
  number INTEGER PRIMARY KEY, offer_id INTEGER NOT NULL UNIQUE, customer INTEGER NOT NULL, state INTEGER NOT NULL, epoch INTEGER NOT NULL,
  faults INTEGER NOT NULL, client INTEGER NOT NULL, wait_ms INTEGER NOT NULL, at_us INTEGER NOT NULL, code TEXT NOT NULL,
  reason TEXT NOT NULL, is_mine INTEGER NOT NULL, is_unacked INTEGER NOT NULL
) STRICT;
CREATE INDEX queue_item_live ON queue_item(number) WHERE state NOT IN (3, 6) OR is_unacked = 1;

-- answers: the newest answers of the session, so that a question asked again is answered alike: a JSON array of
-- [request, code, [[number, offer_id, epoch], …]].
CREATE TABLE queue_client(
  number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, session TEXT NOT NULL, skills TEXT NOT NULL, fenced TEXT NOT NULL,
  answered INTEGER NOT NULL, answers TEXT NOT NULL
) STRICT;

-- What an offer is for the desk and for the marts.
CREATE VIEW offer_state AS
SELECT o.number, CASE WHEN q.state = 3 THEN 'DONE' WHEN o.state <> 'READY' OR q.state IS NULL THEN o.state
  WHEN q.state = 1 THEN 'LEASED' WHEN q.state = 2 THEN 'SCHEDULED' WHEN q.state = 4 THEN 'DEAD' ELSE 'READY' END AS state
FROM offer o LEFT JOIN queue_item q ON q.number = o.number;

DROP VIEW mart_offer;
CREATE VIEW mart_offer AS
SELECT printf('%016x', o.offer_id) AS offer_id, i.display_key AS customer_key, t.queue, t.action, t.type AS offer_type,
  t.segment AS combined_segment, o.expected_revenue_minor, t.priority AS offer_priority, n.level AS priority_level, o.days_valid,
  o.created_us, o.expires_us, s.state, 'rules' AS arm, 1.0 AS choice_probability, 'SG-01' AS reasons,
  (SELECT h.name || '@' || substr(h.hash, 1, 12) FROM policy_history h WHERE h.seq = o.policy) AS policy, '' AS model
FROM offer o JOIN identity i ON i.id = o.customer JOIN offer_template t ON t.number = o.template JOIN offer_state s ON s.number = o.number
LEFT JOIN name_of n ON n.what = 'tier' AND n.number = o.tier;

DROP VIEW mart_offer_type;
CREATE VIEW mart_offer_type AS
SELECT t.type AS offer_type, t.segment AS combined_segment, count(*) AS offers, sum(o.expected_revenue_minor) AS expected_revenue_minor,
  avg(o.expected_revenue_minor) AS avg_expected_revenue_minor, min(o.days_valid) AS min_days_valid, max(o.days_valid) AS max_days_valid
FROM offer o JOIN offer_template t ON t.number = o.template JOIN offer_state s ON s.number = o.number
WHERE o.state = 'READY' AND s.state <> 'DONE' GROUP BY t.number;

-- Offers of a customer: an outcome names both, and people ask by customer.
CREATE INDEX offer_by_customer ON offer_made(customer);

-- What an outcome's code means; written from decide/outcome_code.h when a store is opened.
CREATE TABLE outcome_code(
  code TEXT PRIMARY KEY, level TEXT NOT NULL, human INTEGER NOT NULL, right_party INTEGER NOT NULL, presented INTEGER NOT NULL, sale INTEGER NOT NULL,
  reject INTEGER NOT NULL, do_not_call INTEGER NOT NULL, callback INTEGER NOT NULL, attempt INTEGER NOT NULL, conversation INTEGER NOT NULL, message INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which offer a fact speaks of, by the fact's seq; rows go when the fact is replaced.
-- what: 1 an outcome, 2 an order fulfilled, 3 an order cancelled.
CREATE TABLE offer_fact(seq INTEGER PRIMARY KEY, number INTEGER NOT NULL, what INTEGER NOT NULL) STRICT;
CREATE INDEX offer_fact_of ON offer_fact(number);
-- Promises to pay, by the outcome's seq: kept when an instalment was paid from the promise to its day.
CREATE TABLE offer_promise(seq INTEGER PRIMARY KEY, number INTEGER NOT NULL, customer INTEGER NOT NULL, from_day INTEGER NOT NULL, to_day INTEGER NOT NULL, is_kept INTEGER NOT NULL) STRICT;

-- The label of an offer: 1 taken, 0 not, NULL not known. Never presented: never a label (policy.md 6).
CREATE VIEW offer_label AS
WITH told AS (
  SELECT f.number, min(CASE WHEN c.presented THEN y.occurred_us END) AS presented_us, max(c.presented AND c.sale) AS sale, max(c.presented AND c.reject) AS reject,
    sum(c.attempt) AS attempts, sum(c.conversation) AS conversations, sum(CASE WHEN c.presented AND c.sale THEN y.amount_minor ELSE 0 END) AS amount_minor
  FROM offer_fact f JOIN silver_outcome y ON y.seq = f.seq JOIN outcome_code c ON c.code = y.code WHERE f.what = 1 GROUP BY f.number),
later AS (SELECT number, max(what = 2) AS fulfilled, max(what = 3) AS cancelled FROM offer_fact WHERE what > 1 GROUP BY number),
promise AS (SELECT p.number, max(p.is_kept) AS kept, max(p.to_day) AS to_day FROM offer_promise p GROUP BY p.number)
SELECT t.number, t.presented_us, t.attempts, t.conversations, t.amount_minor,
  CASE WHEN t.presented_us IS NULL THEN NULL WHEN l.cancelled THEN 0 WHEN l.fulfilled THEN 1
    WHEN p.kept THEN 1 WHEN p.to_day < k.day THEN 0 WHEN p.number IS NOT NULL THEN NULL
    WHEN t.sale THEN 1 WHEN t.reject THEN 0 WHEN k.now_us - t.presented_us >= 1209600000000 THEN 0 END AS label,
  CASE WHEN t.presented_us IS NULL THEN 'never presented' WHEN l.cancelled THEN 'order cancelled' WHEN l.fulfilled THEN 'order fulfilled'
    WHEN p.kept THEN 'promise kept' WHEN p.to_day < k.day THEN 'promise broken' WHEN p.number IS NOT NULL THEN 'promised'
    WHEN t.sale THEN 'accepted' WHEN t.reject THEN 'rejected' WHEN k.now_us - t.presented_us >= 1209600000000 THEN 'no answer in 14 days' ELSE 'waits' END AS label_reason
FROM told t CROSS JOIN cursor k LEFT JOIN later l ON l.number = t.number LEFT JOIN promise p ON p.number = t.number;

CREATE VIEW mart_offer_outcome AS
SELECT printf('%016x', o.offer_id) AS offer_id, i.display_key AS customer_key, t.queue, t.action, t.type AS offer_type, t.segment AS combined_segment,
  y.code, c.level, c.human, c.right_party, c.presented, c.sale, c.reject, c.do_not_call, c.callback, c.attempt, c.conversation, c.message,
  y.occurred_us, y.desk, y.amount_minor, nullif(y.promise_date, '') AS promise_date, y.version > 0 AS is_corrected, l.label, l.label_reason
FROM offer_fact f JOIN silver_outcome y ON y.seq = f.seq JOIN offer o ON o.number = f.number JOIN offer_template t ON t.number = o.template
JOIN identity i ON i.id = o.customer LEFT JOIN outcome_code c ON c.code = y.code LEFT JOIN offer_label l ON l.number = o.number WHERE f.what = 1;

-- What each template has brought: issued is every offer that left, revenue what was sold or, where no amount was told, what was expected.
CREATE VIEW mart_campaign AS
WITH cost AS (SELECT coalesce((SELECT n.level FROM name_of n WHERE n.what = 'contact_cost_minor'), 0) AS minor)
SELECT t.queue, t.action, t.type AS offer_type, t.segment AS combined_segment, count(*) AS issued, count(l.presented_us) AS presented, sum(coalesce(l.label, 0)) AS accepted,
  CASE WHEN count(l.presented_us) > 0 THEN round(100.0 * sum(coalesce(l.label, 0)) / count(l.presented_us), 2) END AS pct_accepted,
  coalesce(sum(l.attempts), 0) AS attempts, coalesce(sum(l.conversations), 0) AS conversations,
  sum(CASE WHEN l.label = 1 THEN CASE WHEN l.amount_minor > 0 THEN l.amount_minor ELSE o.expected_revenue_minor END ELSE 0 END) AS revenue_minor,
  coalesce(sum(l.attempts), 0) * cost.minor AS cost_minor,
  CASE WHEN coalesce(sum(l.attempts), 0) * cost.minor > 0 THEN
    round(1.0 * sum(CASE WHEN l.label = 1 THEN CASE WHEN l.amount_minor > 0 THEN l.amount_minor ELSE o.expected_revenue_minor END ELSE 0 END) / (sum(l.attempts) * cost.minor), 2) END AS return_on_cost
FROM offer o JOIN offer_template t ON t.number = o.template CROSS JOIN cost LEFT JOIN offer_label l ON l.number = o.number
WHERE o.number NOT IN (SELECT h.number FROM held_offer h) GROUP BY t.number;
