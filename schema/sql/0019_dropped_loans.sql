-- Loans go five years after their closing. Their names stay as hashes of (customer, loan_name), so that one that comes again is told so;
-- months keep what they added. Places of dropped loans are not given again: the cursor says how many there are.
CREATE TABLE dropped_loan(key_hash INTEGER PRIMARY KEY) STRICT;
CREATE INDEX loan_of ON silver_loan(customer);
ALTER TABLE cursor ADD COLUMN next_loan INTEGER NOT NULL DEFAULT 1;
ALTER TABLE cursor ADD COLUMN loan_count INTEGER NOT NULL DEFAULT 0;
UPDATE cursor SET loan_count = (SELECT coalesce(max(place), 0) FROM gold_loan);
