-- The shop's internal database, as an old order system might hold it. Nothing above the routing layer may learn these
-- names or codes. Money is in integer cents. An autoincrement id keeps the order of the list that a row belongs to.
--
-- order codes    10 pending   15 pending, items modified   20 processed   30 delivered   40 return requested
--                45 exchange requested   90 cancelled

-- customers: the first and last name, the e-mail address, and the default address in six columns
CREATE TABLE t_cu (
  cno  TEXT PRIMARY KEY,
  n1   TEXT NOT NULL,
  n2   TEXT NOT NULL,
  em   TEXT NOT NULL,
  adr1 TEXT NOT NULL,
  adr2 TEXT NOT NULL,
  cty  TEXT NOT NULL,
  rgn  TEXT NOT NULL,
  cntr TEXT NOT NULL,
  plz  TEXT NOT NULL
) STRICT;

-- tenders: kind G gift card, P PayPal, C credit card; only a gift card has a balance; `doc` is JSON of the rest
CREATE TABLE t_tnd (
  pos   INTEGER PRIMARY KEY AUTOINCREMENT,
  cno   TEXT NOT NULL,
  tid   TEXT NOT NULL,
  kd    TEXT NOT NULL CHECK (kd IN ('G', 'P', 'C')),
  bal_c INTEGER CHECK ((bal_c IS NULL) = (kd != 'G')),
  doc   TEXT NOT NULL,
  UNIQUE (cno, tid)
) STRICT;

-- which orders a customer lists
CREATE TABLE t_own (
  oid INTEGER PRIMARY KEY AUTOINCREMENT,
  cno TEXT NOT NULL,
  ono TEXT NOT NULL
) STRICT;

-- product types and their articles; `opt` is JSON of an article's options, `stk` whether it can be had
CREATE TABLE t_prd (
  pno TEXT PRIMARY KEY,
  nm  TEXT NOT NULL
) STRICT;
CREATE TABLE t_art (
  ano   TEXT PRIMARY KEY,
  pno   TEXT NOT NULL,
  prc_c INTEGER NOT NULL,
  stk   INTEGER NOT NULL CHECK (stk IN (0, 1)),
  opt   TEXT NOT NULL
) STRICT;

-- order headers: `cxl` why it was cancelled (N no longer needed, M by mistake), `trk` JSON of what was shipped,
-- `ver` how often the desk has changed it
CREATE TABLE t_hd (
  seq  INTEGER PRIMARY KEY AUTOINCREMENT,
  ono  TEXT NOT NULL UNIQUE,
  cno  TEXT NOT NULL,
  st   INTEGER NOT NULL CHECK (st IN (10, 15, 20, 30, 40, 45, 90)),
  adr1 TEXT NOT NULL,
  adr2 TEXT NOT NULL,
  cty  TEXT NOT NULL,
  rgn  TEXT NOT NULL,
  cntr TEXT NOT NULL,
  plz  TEXT NOT NULL,
  cxl  TEXT CHECK (cxl IN ('N', 'M')),
  trk  TEXT NOT NULL,
  ver  INTEGER NOT NULL DEFAULT 0
) STRICT;

-- order lines: one row a piece, at the price that was paid
CREATE TABLE t_ln (
  lid   INTEGER PRIMARY KEY AUTOINCREMENT,
  ono   TEXT NOT NULL,
  ano   TEXT NOT NULL,
  pno   TEXT NOT NULL,
  prc_c INTEGER NOT NULL
) STRICT;
CREATE INDEX x_ln ON t_ln (ono);

-- amendments: an inserted row puts one article in the place of the first line that carries the other
CREATE TABLE t_amd (
  mid   INTEGER PRIMARY KEY AUTOINCREMENT,
  ono   TEXT NOT NULL,
  out_a TEXT NOT NULL,
  in_a  TEXT NOT NULL,
  prc_c INTEGER NOT NULL
) STRICT;
CREATE TRIGGER g_amd AFTER INSERT ON t_amd
BEGIN
  SELECT RAISE (ABORT, 'no such line') WHERE NOT EXISTS (SELECT 1 FROM t_ln WHERE ono = NEW.ono AND ano = NEW.out_a);
  UPDATE t_ln SET ano = NEW.in_a, prc_c = NEW.prc_c
  WHERE lid = (SELECT min(lid) FROM t_ln WHERE ono = NEW.ono AND ano = NEW.out_a);
END;

-- bookings: what was charged; negative amounts went back to the customer
CREATE TABLE t_bk (
  xid   INTEGER PRIMARY KEY AUTOINCREMENT,
  ono   TEXT NOT NULL,
  tid   TEXT NOT NULL,
  amt_c INTEGER NOT NULL
) STRICT;
CREATE INDEX x_bk ON t_bk (ono);

-- what comes back: a header for an order with the tender, for an exchange the difference too; a row for each piece,
-- with the article that is sent in its place
CREATE TABLE t_rma (
  ono   TEXT PRIMARY KEY,
  tid   TEXT NOT NULL,
  dif_c INTEGER
) STRICT;
CREATE TABLE t_rml (
  rid   INTEGER PRIMARY KEY AUTOINCREMENT,
  ono   TEXT NOT NULL,
  out_a TEXT NOT NULL,
  in_a  TEXT
) STRICT;
CREATE INDEX x_rml ON t_rml (ono);

-- effects already performed, by idempotency key; written by the routing layer only
CREATE TABLE t_done (
  op_key TEXT PRIMARY KEY,
  body   TEXT NOT NULL
) STRICT;

-- all that is sold, and what was shipped, as columns
CREATE VIEW v_cat AS SELECT 'all' AS cat;
CREATE VIEW v_cap AS SELECT 'all' AS cat, pno, nm FROM t_prd;
CREATE VIEW v_trk AS
SELECT h.ono AS ono, f.key AS pos, t.value AS tid
FROM t_hd AS h, json_each(h.trk) AS f, json_each(f.value, '$.tracking_id') AS t;
