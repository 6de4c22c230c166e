-- What the contacts of a campaign have cost: each attempt by its channel, at the active pack's cost of one contact
-- (name_of 'contact_cost_minor': call, message; a pack without costs has 0). Channel 2 is a message.
DROP VIEW mart_campaign;
CREATE VIEW mart_campaign AS
WITH contact AS (
  SELECT t.number AS template, coalesce((SELECT n.level FROM name_of n WHERE n.what = 'contact_cost_minor'
    AND n.name = CASE t.channel WHEN 2 THEN 'message' ELSE 'call' END), 0) AS cost_minor FROM offer_template t),
brought AS (
  SELECT o.template, count(*) AS issued, count(l.presented_us) AS presented, sum(coalesce(l.label, 0)) AS accepted,
    coalesce(sum(l.attempts), 0) AS attempts, coalesce(sum(l.conversations), 0) AS conversations,
    sum(CASE WHEN l.label = 1 THEN CASE WHEN l.amount_minor > 0 THEN l.amount_minor ELSE o.expected_revenue_minor END ELSE 0 END) AS revenue_minor
  FROM offer o LEFT JOIN offer_label l ON l.number = o.number
  WHERE o.number NOT IN (SELECT h.number FROM held_offer h) GROUP BY o.template)
SELECT t.queue, t.action, t.type AS offer_type, t.segment AS combined_segment, b.issued, b.presented, b.accepted,
  CASE WHEN b.presented > 0 THEN round(100.0 * b.accepted / b.presented, 2) END AS pct_accepted,
  b.attempts, b.conversations, b.revenue_minor, b.attempts * c.cost_minor AS cost_minor,
  CASE WHEN b.attempts * c.cost_minor > 0 THEN round(1.0 * b.revenue_minor / (b.attempts * c.cost_minor), 2) END AS return_on_cost
FROM brought b JOIN offer_template t ON t.number = b.template JOIN contact c ON c.template = b.template;
