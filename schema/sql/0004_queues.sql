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
