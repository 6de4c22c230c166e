-- Retention: offers before first_offer are gone or go, with what hangs on them; while is_dropping, so do decisions before
-- decisions_below, facts of records before facts_below, lines of the feed before lines_before_us. A week knows the first offer
-- and decision that were made in it or later.
ALTER TABLE cursor ADD COLUMN first_offer INTEGER NOT NULL DEFAULT 1;
ALTER TABLE cursor ADD COLUMN decisions_below INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cursor ADD COLUMN facts_below INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cursor ADD COLUMN lines_before_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cursor ADD COLUMN is_dropping INTEGER NOT NULL DEFAULT 0;
ALTER TABLE week_mark ADD COLUMN first_offer INTEGER NOT NULL DEFAULT 1;
ALTER TABLE week_mark ADD COLUMN first_decision INTEGER NOT NULL DEFAULT 1;
