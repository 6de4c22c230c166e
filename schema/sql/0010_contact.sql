-- Contact policy (policy.md 3) and what queues keep of it.

-- What the rules ask of an offer. purpose: 1 marketing, 2 collection, 3 service; channel: 1 call, 2 message; credit: 0 none,
-- 1 secured, 2 unsecured; skills: a JSON array.
ALTER TABLE offer_template ADD COLUMN issue TEXT NOT NULL DEFAULT '';
ALTER TABLE offer_template ADD COLUMN group_name TEXT NOT NULL DEFAULT '';
ALTER TABLE offer_template ADD COLUMN purpose INTEGER NOT NULL DEFAULT 1;
ALTER TABLE offer_template ADD COLUMN channel INTEGER NOT NULL DEFAULT 1;
ALTER TABLE offer_template ADD COLUMN credit INTEGER NOT NULL DEFAULT 0;
ALTER TABLE offer_template ADD COLUMN skills TEXT NOT NULL DEFAULT '[]';

-- When its last lease was granted: the contact is reserved from then until the lease ends.
ALTER TABLE queue_item ADD COLUMN granted_us INTEGER NOT NULL DEFAULT 0;

-- Of a queue: leases of that branch day that were not given back, and offers ever refused because it was full.
CREATE TABLE queue_day(queue INTEGER PRIMARY KEY, day INTEGER NOT NULL, taken INTEGER NOT NULL, refused INTEGER NOT NULL) STRICT;

-- Time zones of those who told one.
CREATE TABLE contact_zone(customer INTEGER PRIMARY KEY, zone TEXT NOT NULL) STRICT;
