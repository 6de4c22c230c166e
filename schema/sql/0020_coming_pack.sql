-- A pack that is to decide: the one in use goes on until gold is derived under it. At most one row.
CREATE TABLE policy_coming(seq INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL, files TEXT NOT NULL) STRICT;
