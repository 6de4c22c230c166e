-- Where a customer and a loan stood before, for whoever speaks to the customer. left_tier: the tier before the present
-- one, -1 when there was none; left_bucket: the bucket that time alone moved a loan out of, 0 when facts did; moved_on: when.
ALTER TABLE gold_customer ADD COLUMN left_tier INTEGER NOT NULL DEFAULT -1;
ALTER TABLE gold_loan ADD COLUMN left_bucket INTEGER NOT NULL DEFAULT 0;
ALTER TABLE gold_loan ADD COLUMN moved_on INTEGER NOT NULL DEFAULT -2147483648;
