-- Offers as narrow as they can be, and found by their customer without an index, which would cost each of them a page
-- somewhere in its middle: the offers of a customer are a chain, newest first, from gold_customer.last_offer by prev (0
-- ends it). What an end says holds for `count` numbers. What follows from the rest is told by the view.
ALTER TABLE gold_customer ADD COLUMN last_offer INTEGER NOT NULL DEFAULT 0;
CREATE TABLE old_offer AS SELECT number, offer_id, customer, decided_seq, template, tier, expected_revenue_minor, days_valid, created_us,
  lag(number, 1, 0) OVER (PARTITION BY customer ORDER BY number) AS prev FROM offer_made;
DROP TABLE offer_made;
CREATE TABLE offer_made(
  number INTEGER PRIMARY KEY, offer_id INTEGER NOT NULL, customer INTEGER NOT NULL, decided_seq INTEGER NOT NULL, template INTEGER NOT NULL,
  tier INTEGER NOT NULL, expected_revenue_minor INTEGER NOT NULL, days_valid INTEGER NOT NULL, created_us INTEGER NOT NULL, prev INTEGER NOT NULL
) STRICT;
INSERT INTO offer_made SELECT * FROM old_offer ORDER BY number;
DROP TABLE old_offer;
UPDATE gold_customer SET last_offer = m.number FROM (SELECT customer, max(number) AS number FROM offer_made GROUP BY customer) m
WHERE m.customer = gold_customer.id;
CREATE TABLE old_end AS SELECT number, state, ended_us FROM offer_end;
DROP TABLE offer_end;
CREATE TABLE offer_end(number INTEGER PRIMARY KEY, count INTEGER NOT NULL, state TEXT NOT NULL, ended_us INTEGER NOT NULL) STRICT;
INSERT INTO offer_end SELECT number, 1, state, ended_us FROM old_end ORDER BY number;
DROP TABLE old_end;

DROP VIEW offer;
CREATE VIEW offer AS
SELECT m.number, m.offer_id, m.customer, m.decided_seq, m.template, m.tier, m.expected_revenue_minor, m.days_valid, m.created_us,
  m.created_us + m.days_valid * 86400000000 AS expires_us, coalesce(e.state, 'READY') AS state, e.ended_us,
  (SELECT max(h.seq) FROM policy_history h WHERE h.seq <= m.decided_seq) AS policy
FROM offer_made m LEFT JOIN offer_end e
  ON e.number = (SELECT max(n.number) FROM offer_end n WHERE n.number <= m.number) AND m.number < e.number + e.count;

-- mart_offer with the number that chains and histories point at.
CREATE VIEW offer_told AS
SELECT o.number, printf('%016x', o.offer_id) AS offer_id, i.display_key AS customer_key, t.queue, t.action, t.type AS offer_type,
  t.segment AS combined_segment, o.expected_revenue_minor, t.priority AS offer_priority, n.level AS priority_level, o.days_valid,
  o.created_us, o.expires_us, s.state, 'rules' AS arm, 1.0 AS choice_probability, 'SG-01' AS reasons,
  (SELECT h.name || '@' || substr(h.hash, 1, 12) FROM policy_history h WHERE h.seq = o.policy) AS policy, '' AS model
FROM offer o JOIN identity i ON i.id = o.customer JOIN offer_template t ON t.number = o.template JOIN offer_state s ON s.number = o.number
LEFT JOIN name_of n ON n.what = 'tier' AND n.number = o.tier;
DROP VIEW mart_offer;
CREATE VIEW mart_offer AS
SELECT offer_id, customer_key, queue, action, offer_type, combined_segment, expected_revenue_minor, offer_priority, priority_level,
  days_valid, created_us, expires_us, state, arm, choice_probability, reasons, policy, model
FROM offer_told;
