-- Choices: decisions as they were made, what they learn from, and what is kept of each customer to choose by.
-- A decision's probability is never null; offer 0 is silence, template and runner_up are -1 where there is none. arm: 0 the rule,
-- 1 random, 2 no contact. Shares in millionths, C and L in percent, priority and margin in thousandths of a minor unit.
-- flips: bits P C V L F whose absence would have made another one win. funnel: counts of the seven stages.

CREATE TABLE decision(
  number INTEGER PRIMARY KEY, customer INTEGER NOT NULL, seq INTEGER NOT NULL, due_us INTEGER NOT NULL, at_us INTEGER NOT NULL,
  offer INTEGER NOT NULL, template INTEGER NOT NULL, runner_up INTEGER NOT NULL, arm INTEGER NOT NULL, probability_ppm INTEGER NOT NULL,
  p_ppm INTEGER NOT NULL, c_percent INTEGER NOT NULL, v_minor INTEGER NOT NULL, l_percent INTEGER NOT NULL, f_ppm INTEGER NOT NULL,
  priority_milli INTEGER NOT NULL, margin_milli INTEGER NOT NULL, is_drawn INTEGER NOT NULL, flips INTEGER NOT NULL,
  funnel TEXT NOT NULL, reasons TEXT NOT NULL, policy INTEGER NOT NULL, learnt INTEGER NOT NULL, situation BLOB NOT NULL
) STRICT;
CREATE INDEX decision_of_offer ON decision(offer) WHERE offer > 0;

-- Of each action over a channel (name_of 'acceptance'): counts, the AUC of what was foretold, and the model's weights.
CREATE TABLE acceptance(
  number INTEGER PRIMARY KEY, positives INTEGER NOT NULL, negatives INTEGER NOT NULL, auc_ppm INTEGER NOT NULL, health TEXT NOT NULL, bytes BLOB NOT NULL
) STRICT;
CREATE TABLE choice_template(template INTEGER PRIMARY KEY, acceptance INTEGER NOT NULL) STRICT;
-- label: 1 accepted, 0 not, -1 waits until due_us. seq is the fact it rests on.
CREATE TABLE acceptance_label(offer INTEGER PRIMARY KEY, label INTEGER NOT NULL, seq INTEGER NOT NULL, acceptance INTEGER NOT NULL, due_us INTEGER NOT NULL) STRICT;
CREATE INDEX acceptance_label_waits ON acceptance_label(due_us) WHERE label = -1;
CREATE TABLE choice_state(customer INTEGER PRIMARY KEY, again_us INTEGER NOT NULL, silence INTEGER NOT NULL, shown BLOB NOT NULL) STRICT;
CREATE TABLE choice_fold(id INTEGER PRIMARY KEY CHECK(id = 1), decisions INTEGER NOT NULL, learnt INTEGER NOT NULL) STRICT;
INSERT INTO choice_fold VALUES(1, 0, 0);

DROP VIEW mart_offer;
DROP VIEW offer_told;
CREATE VIEW offer_told AS
SELECT o.number, printf('%016x', o.offer_id) AS offer_id, i.display_key AS customer_key, t.queue, t.action, t.type AS offer_type,
  t.segment AS combined_segment, o.expected_revenue_minor, t.priority AS offer_priority, n.level AS priority_level, o.days_valid,
  o.created_us, o.expires_us, s.state,
  CASE d.arm WHEN 0 THEN 'rule' WHEN 1 THEN 'random' WHEN 2 THEN 'holdout' ELSE 'rules' END AS arm,
  coalesce(d.probability_ppm / 1000000.0, 1.0) AS choice_probability, coalesce(d.reasons, 'SG-01') AS reasons,
  (SELECT h.name || '@' || substr(h.hash, 1, 12) FROM policy_history h WHERE h.seq = o.policy) AS policy,
  coalesce('acceptance@' || d.learnt, '') AS model
FROM offer o JOIN identity i ON i.id = o.customer JOIN offer_template t ON t.number = o.template JOIN offer_state s ON s.number = o.number
LEFT JOIN name_of n ON n.what = 'tier' AND n.number = o.tier LEFT JOIN decision d ON d.offer = o.number AND d.offer > 0;
CREATE VIEW mart_offer AS
SELECT offer_id, customer_key, queue, action, offer_type, combined_segment, expected_revenue_minor, offer_priority, priority_level,
  days_valid, created_us, expires_us, state, arm, choice_probability, reasons, policy, model
FROM offer_told;

CREATE VIEW mart_decision AS
SELECT d.number, i.display_key AS customer_key, d.at_us, d.seq, coalesce(t.action, '') AS action, coalesce(a.name, '') AS candidate,
  CASE WHEN d.offer > 0 THEN printf('%016x', o.offer_id) ELSE '' END AS offer_id, coalesce(r.action, '') AS runner_up,
  CASE d.arm WHEN 0 THEN 'rule' WHEN 1 THEN 'random' ELSE 'holdout' END AS arm, d.probability_ppm / 1000000.0 AS choice_probability,
  d.p_ppm / 1000000.0 AS p, d.c_percent / 100.0 AS c, d.v_minor AS v_minor, d.l_percent / 100.0 AS l, d.f_ppm / 1000000.0 AS f,
  d.priority_milli / 1000.0 AS priority, d.margin_milli / 1000.0 AS margin, d.is_drawn, d.flips, d.funnel, d.reasons,
  (SELECT h.name || '@' || substr(h.hash, 1, 12) FROM policy_history h WHERE h.seq = d.policy) AS policy, d.learnt
FROM decision d JOIN identity i ON i.id = d.customer LEFT JOIN offer_template t ON t.number = d.template
LEFT JOIN offer_template r ON r.number = d.runner_up LEFT JOIN offer_made o ON o.number = d.offer AND d.offer > 0
LEFT JOIN choice_template c ON c.template = d.template LEFT JOIN name_of a ON a.what = 'acceptance' AND a.number = c.acceptance;

CREATE VIEW mart_acceptance AS
SELECT n.name AS candidate, coalesce(a.positives, 0) AS positives, coalesce(a.negatives, 0) AS negatives,
  coalesce(a.auc_ppm / 1000000.0, 0.5) AS auc, coalesce(a.health, 'untried') AS health,
  coalesce(a.positives, 0) < 200 OR coalesce(a.health, '') = 'useless' AS is_drawn
FROM name_of n LEFT JOIN acceptance a ON a.number = n.number WHERE n.what = 'acceptance';

-- Who gets nothing, and which rule did it: the newest decision of each customer that nothing came of.
CREATE VIEW mart_silence AS
SELECT d.reasons, count(*) AS customers FROM (SELECT customer, max(number) AS number FROM decision GROUP BY customer) newest
JOIN decision d ON d.number = newest.number WHERE d.offer = 0 GROUP BY d.reasons;
