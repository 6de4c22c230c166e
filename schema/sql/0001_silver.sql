-- Silver: one typed row per real-world fact, keyed by the seq of the record that brought it; appended, never rewritten.
-- state: 0 alive, 1 replaced or withdrawn (kept until retention drops its week), 2 waits for a rate.
-- prev chains a customer's dated facts, newest first: seq * 32 + kind of the one before, 0 at the end.
-- branch_minor is the amount in the branch currency (NULL while it waits for a rate); is_competitor is the active pack's
-- match. The columns after them are the kind's own fields, as schema/event.fbs names them.

CREATE TABLE silver_transaction(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  branch_minor INTEGER, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, direction TEXT NOT NULL, mcc INTEGER NOT NULL, merchant TEXT NOT NULL, city TEXT NOT NULL, channel TEXT NOT NULL
) STRICT;

CREATE TABLE silver_support_contact(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  topic TEXT NOT NULL, channel TEXT NOT NULL
) STRICT;

CREATE TABLE silver_sms(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  is_competitor INTEGER, sender TEXT NOT NULL, text TEXT NOT NULL
) STRICT;

CREATE TABLE silver_host_visit(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  is_competitor INTEGER, host TEXT NOT NULL
) STRICT;

CREATE TABLE silver_login(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  success INTEGER NOT NULL, device TEXT NOT NULL, browser TEXT NOT NULL
) STRICT;

CREATE TABLE silver_activity(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  type TEXT NOT NULL, minutes INTEGER NOT NULL, page_views INTEGER NOT NULL
) STRICT;

CREATE TABLE silver_holding(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  security_type TEXT NOT NULL, security_name TEXT NOT NULL, quantity_micro INTEGER NOT NULL, purchase_price_minor INTEGER NOT NULL, current_price_minor INTEGER NOT NULL, currency TEXT NOT NULL, purchase_date TEXT NOT NULL
) STRICT;

CREATE TABLE silver_loan(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  loan_name TEXT NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, start_date TEXT NOT NULL, end_date TEXT NOT NULL, payment_count INTEGER NOT NULL, planned_minor INTEGER NOT NULL, closed_date TEXT NOT NULL
) STRICT;

CREATE TABLE silver_loan_change(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  loan_name TEXT NOT NULL, change TEXT NOT NULL, from_date TEXT NOT NULL, to_date TEXT NOT NULL, amount_minor INTEGER NOT NULL
) STRICT;

CREATE TABLE silver_instalment_payment(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  loan_name TEXT NOT NULL, payment_number INTEGER NOT NULL, payment_date TEXT NOT NULL, fact_date TEXT NOT NULL, paid_minor INTEGER NOT NULL
) STRICT;

CREATE TABLE silver_bill_payment(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  branch_minor INTEGER, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL
) STRICT;

CREATE TABLE silver_product(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  product TEXT NOT NULL, category TEXT NOT NULL, name TEXT NOT NULL, price_minor INTEGER NOT NULL, currency TEXT NOT NULL, in_stock INTEGER NOT NULL
) STRICT;

CREATE TABLE silver_product_view(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  session TEXT NOT NULL, product TEXT NOT NULL, category TEXT NOT NULL, price_minor INTEGER NOT NULL, dwell_ms INTEGER NOT NULL, referrer TEXT NOT NULL
) STRICT;

CREATE TABLE silver_order(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  product TEXT NOT NULL, quantity INTEGER NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, status TEXT NOT NULL, session TEXT NOT NULL
) STRICT;

CREATE TABLE silver_impression(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  session TEXT NOT NULL, item TEXT NOT NULL, slot INTEGER NOT NULL, noticed INTEGER NOT NULL, reaction TEXT NOT NULL
) STRICT;

CREATE TABLE silver_outcome(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  offer_id TEXT NOT NULL, code TEXT NOT NULL, note TEXT NOT NULL, amount_minor INTEGER NOT NULL, promise_date TEXT NOT NULL, desk TEXT NOT NULL
) STRICT;

CREATE TABLE silver_rate(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  base TEXT NOT NULL, quote TEXT NOT NULL, value_micro INTEGER NOT NULL, type TEXT NOT NULL
) STRICT;

CREATE TABLE silver_profile(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  name TEXT NOT NULL, phone TEXT NOT NULL, email TEXT NOT NULL, birth_date TEXT NOT NULL, registered_on TEXT NOT NULL, city TEXT NOT NULL, segment TEXT NOT NULL, status TEXT NOT NULL, gender TEXT NOT NULL, education TEXT NOT NULL, job_type TEXT NOT NULL, region TEXT NOT NULL, family_status TEXT NOT NULL, address TEXT NOT NULL, passport TEXT NOT NULL, children INTEGER NOT NULL, income_minor INTEGER NOT NULL, language TEXT NOT NULL, timezone TEXT NOT NULL, client_code INTEGER NOT NULL, resident INTEGER NOT NULL
) STRICT;

CREATE TABLE silver_attribute(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  name TEXT NOT NULL, value TEXT NOT NULL, source TEXT NOT NULL
) STRICT;

CREATE TABLE silver_alias(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  other_system TEXT NOT NULL, other_key TEXT NOT NULL, valid INTEGER NOT NULL
) STRICT;

CREATE TABLE silver_merchant(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  merchant TEXT NOT NULL, name TEXT NOT NULL, mcc INTEGER NOT NULL, city TEXT NOT NULL
) STRICT;

CREATE TABLE silver_consent(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  purpose TEXT NOT NULL, channel TEXT NOT NULL, granted INTEGER NOT NULL, evidence TEXT NOT NULL, valid_to TEXT NOT NULL
) STRICT;

CREATE TABLE silver_restriction(
  seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, prev INTEGER NOT NULL, occurred_us INTEGER NOT NULL,
  version INTEGER NOT NULL, state INTEGER NOT NULL, id TEXT NOT NULL,
  type TEXT NOT NULL, active INTEGER NOT NULL, source TEXT NOT NULL, valid_to TEXT NOT NULL
) STRICT;

-- Where natural keys stand: runs of (hash, seq - first_seq) pairs of 12 bytes, little-endian, one run a flush.
-- A run holds dated facts or the others: retention drops the former with their rows.
CREATE TABLE key_run(first_seq INTEGER NOT NULL, is_dated INTEGER NOT NULL, last_seq INTEGER NOT NULL, pairs BLOB NOT NULL, PRIMARY KEY(first_seq, is_dated)) STRICT;

-- Facts in another currency than the branch's, to convert again when a rate arrives or changes.
CREATE TABLE foreign_fact(
  currency TEXT NOT NULL, occurred_us INTEGER NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL,
  PRIMARY KEY(currency, occurred_us, seq)
) STRICT, WITHOUT ROWID;

-- What was refused, with its bytes. state: open, repaired, refused again.
CREATE TABLE quarantine(
  seq INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, producer TEXT NOT NULL, producer_seq INTEGER NOT NULL,
  kind TEXT NOT NULL, reason TEXT NOT NULL, field TEXT NOT NULL, state TEXT NOT NULL, answered_by INTEGER, payload BLOB NOT NULL
) STRICT;

-- Keys of customers by system; the first mention makes one. leader is the customer that an alias join made of them.
CREATE TABLE system(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE identity(
  id INTEGER PRIMARY KEY, system INTEGER NOT NULL, key TEXT NOT NULL, leader INTEGER NOT NULL, display_key TEXT NOT NULL
) STRICT;
CREATE INDEX identity_by_display_key ON identity(display_key);
