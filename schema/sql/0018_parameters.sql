-- What an action offers in figures: a short name, and a JSON list of [name, value] for the agent and the script. And an offer's number in
-- its queue: the seq of its line in the feed, 0 while it is held back by its load or when it never left.
ALTER TABLE offer_template ADD COLUMN treatment TEXT NOT NULL DEFAULT '';
ALTER TABLE offer_template ADD COLUMN parameters TEXT NOT NULL DEFAULT '[]';
ALTER TABLE offer_made ADD COLUMN queue_seq INTEGER NOT NULL DEFAULT 0;
