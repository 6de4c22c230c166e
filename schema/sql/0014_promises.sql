-- The label of an offer (policy.md 6): what is told of a promise, kept or broken, counts like what its instalments say.
DROP VIEW offer_label;
CREATE VIEW offer_label AS
WITH told AS (
  SELECT f.number, min(CASE WHEN c.presented THEN y.occurred_us END) AS presented_us, max(c.presented AND c.sale) AS sale, max(c.presented AND c.reject) AS reject,
    sum(c.attempt) AS attempts, sum(c.conversation) AS conversations, sum(CASE WHEN c.presented AND c.sale THEN y.amount_minor ELSE 0 END) AS amount_minor,
    max(f.what = 2) AS fulfilled, max(f.what = 3) AS cancelled, max(coalesce(p.is_kept, 0) OR coalesce(y.code = 'PROMISE_KEPT', 0)) AS kept,
    max(coalesce(y.code = 'PROMISE_BROKEN', 0)) AS broken, max(p.to_day) AS to_day
  FROM offer_fact f LEFT JOIN silver_outcome y ON f.what = 1 AND y.seq = f.seq LEFT JOIN outcome_code c ON c.code = y.code
  LEFT JOIN offer_promise p ON p.seq = f.seq GROUP BY f.number HAVING count(c.code) > 0)
SELECT t.number, t.presented_us, t.attempts, t.conversations, t.amount_minor,
  CASE WHEN t.presented_us IS NULL THEN NULL WHEN t.cancelled THEN 0 WHEN t.fulfilled THEN 1
    WHEN t.kept THEN 1 WHEN t.broken OR t.to_day < k.day THEN 0 WHEN t.to_day IS NOT NULL THEN NULL
    WHEN t.sale THEN 1 WHEN t.reject THEN 0 WHEN k.now_us - t.presented_us >= 1209600000000 THEN 0 END AS label,
  CASE WHEN t.presented_us IS NULL THEN 'never presented' WHEN t.cancelled THEN 'order cancelled' WHEN t.fulfilled THEN 'order fulfilled'
    WHEN t.kept THEN 'promise kept' WHEN t.broken OR t.to_day < k.day THEN 'promise broken' WHEN t.to_day IS NOT NULL THEN 'promised'
    WHEN t.sale THEN 'accepted' WHEN t.reject THEN 'rejected' WHEN k.now_us - t.presented_us >= 1209600000000 THEN 'no answer in 14 days' ELSE 'waits' END AS label_reason
FROM told t CROSS JOIN cursor k;
