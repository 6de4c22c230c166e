-- One file an ISO week: DATA/bronze/2026-W47.db. Append only. design.md 2.
CREATE TABLE IF NOT EXISTS record(
  seq INTEGER PRIMARY KEY,          -- gapless over all files
  now_us INTEGER NOT NULL,          -- the time the engine knows in this turn; never decreasing
  received_us INTEGER NOT NULL,
  producer INTEGER NOT NULL,        -- 0: the daemon itself
  producer_seq INTEGER NOT NULL,
  kind INTEGER NOT NULL,            -- wire::Kind, + 256 in a backfill, + 512 when all due deadlines run first
  crc INTEGER NOT NULL,             -- CRC-32C of payload
  payload BLOB NOT NULL             -- the exact bytes as received
);
CREATE TABLE IF NOT EXISTS producer(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  incarnation INTEGER NOT NULL,
  mark INTEGER NOT NULL,            -- greatest producer_seq that is noted in `batch`; what is later stands in `record`
  UNIQUE(name, incarnation)
);
CREATE TABLE IF NOT EXISTS batch(   -- where a producer's seqs stand, to tell a duplicate from a conflict: written in
                                    -- the order of seq for many commits at once; the last 8,192 records may be missing
  producer INTEGER NOT NULL,
  first_producer_seq INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY(producer, first_producer_seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS setting( -- what the newest record of a setting's kind has set
  kind INTEGER PRIMARY KEY,
  hash TEXT NOT NULL
);
