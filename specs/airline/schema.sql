-- The airline's internal database, as an old reservation system might hold it. Nothing above the routing layer may
-- learn these names or codes. Money is in integer cents, instants in UTC microseconds, dates are ISO 8601 text.
--
-- fare classes    M basic economy   Y economy   J business
-- flight status   AV available   DL delayed   OT on time   FL flying   LD landed   CX cancelled
-- An autoincrement id keeps the order of the list that a row belongs to.

-- customers: tier B regular, S silver, G gold; `doc` is JSON of the profile parts that no call touches
CREATE TABLE t_cust (
  cno     TEXT PRIMARY KEY,
  tier_cd TEXT NOT NULL CHECK (tier_cd IN ('B', 'S', 'G')),
  doc     TEXT NOT NULL
) STRICT;

-- means of payment: kind C credit card, G gift card, V certificate; a credit card has no balance
CREATE TABLE t_wlt (
  pos   INTEGER PRIMARY KEY AUTOINCREMENT,
  cno   TEXT NOT NULL,
  wid   TEXT NOT NULL,
  kd    TEXT NOT NULL CHECK (kd IN ('C', 'G', 'V')),
  bal_c INTEGER CHECK ((bal_c IS NULL) = (kd = 'C')),
  doc   TEXT NOT NULL,
  UNIQUE (cno, wid)
) STRICT;

-- reservation headers: journey type O one way, R round trip; status A active, X cancelled.
-- `bkd_cls` is the fare class as first booked: the old system never updates it, t_leg.cls holds the current one.
-- `mk_us` is the booking instant, `bag_n` counts all checked bags, `bag_x` those paid for, `amd_n` the amendments.
CREATE TABLE t_hdr (
  ord     INTEGER PRIMARY KEY AUTOINCREMENT,
  pnr     TEXT NOT NULL UNIQUE,
  cno     TEXT NOT NULL,
  dep_ap  TEXT NOT NULL,
  arr_ap  TEXT NOT NULL,
  jt      TEXT NOT NULL CHECK (jt IN ('O', 'R')),
  bkd_cls TEXT NOT NULL CHECK (bkd_cls IN ('M', 'Y', 'J')),
  mk_us   INTEGER NOT NULL,
  bag_n   INTEGER NOT NULL,
  bag_x   INTEGER NOT NULL,
  ins_f   INTEGER NOT NULL CHECK (ins_f IN (0, 1)),
  st      TEXT NOT NULL DEFAULT 'A' CHECK (st IN ('A', 'X')),
  amd_n   INTEGER NOT NULL DEFAULT 0
) STRICT;

-- flight segments of a reservation; `fare_c` is the price for one passenger, `old_f` marks a segment that was replaced
CREATE TABLE t_leg (
  lid    INTEGER PRIMARY KEY AUTOINCREMENT,
  pnr    TEXT NOT NULL,
  fno    TEXT NOT NULL,
  fdt    TEXT NOT NULL,
  cls    TEXT NOT NULL CHECK (cls IN ('M', 'Y', 'J')),
  dep_ap TEXT NOT NULL,
  arr_ap TEXT NOT NULL,
  fare_c INTEGER NOT NULL,
  old_f  INTEGER NOT NULL DEFAULT 0 CHECK (old_f IN (0, 1))
) STRICT;
CREATE INDEX x_leg ON t_leg (pnr);

-- passengers: first name, last name, date of birth
CREATE TABLE t_pax (
  pid INTEGER PRIMARY KEY AUTOINCREMENT,
  pnr TEXT NOT NULL,
  fn  TEXT NOT NULL,
  ln  TEXT NOT NULL,
  bd  TEXT NOT NULL
) STRICT;
CREATE INDEX x_pax ON t_pax (pnr);

-- payments; negative amounts went back to the customer
CREATE TABLE t_pay (
  xid   INTEGER PRIMARY KEY AUTOINCREMENT,
  pnr   TEXT NOT NULL,
  wid   TEXT NOT NULL,
  amt_c INTEGER NOT NULL
) STRICT;
CREATE INDEX x_pay ON t_pay (pnr);

-- which reservations a customer lists
CREATE TABLE t_own (
  oid INTEGER PRIMARY KEY AUTOINCREMENT,
  cno TEXT NOT NULL,
  pnr TEXT NOT NULL
) STRICT;
CREATE INDEX x_own ON t_own (cno);

-- flights; `doc` is JSON of the timetable
CREATE TABLE t_flt (
  fno    TEXT PRIMARY KEY,
  dep_ap TEXT NOT NULL,
  arr_ap TEXT NOT NULL,
  doc    TEXT NOT NULL
) STRICT;

-- the status of a flight on a date
CREATE TABLE t_ops (
  fno   TEXT NOT NULL,
  fdt   TEXT NOT NULL,
  st_cd TEXT NOT NULL CHECK (st_cd IN ('AV', 'DL', 'OT', 'FL', 'LD', 'CX')),
  PRIMARY KEY (fno, fdt)
) STRICT;

-- seats left and today's price for one passenger; only bookable flights have rows
CREATE TABLE t_inv (
  fno    TEXT NOT NULL,
  fdt    TEXT NOT NULL,
  cls    TEXT NOT NULL CHECK (cls IN ('M', 'Y', 'J')),
  left_n INTEGER NOT NULL,
  fare_c INTEGER NOT NULL,
  PRIMARY KEY (fno, fdt, cls)
) STRICT;

-- effects already performed, by idempotency key; written by the routing layer only
CREATE TABLE t_done (
  op_key TEXT PRIMARY KEY,
  body   TEXT NOT NULL
) STRICT;

-- reservation codes in the order in which they are handed out: the next is the first that no header carries
CREATE TABLE t_key (
  pnr TEXT PRIMARY KEY,
  pos INTEGER NOT NULL UNIQUE
) STRICT;

-- certificate ids in the order in which they are handed out, and the next one for each customer: the first of them
-- that the customer does not hold
CREATE TABLE t_vch (
  wid TEXT PRIMARY KEY,
  pos INTEGER NOT NULL UNIQUE
) STRICT;
INSERT INTO t_vch (wid, pos)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99)
SELECT 'certificate_' || (3221322 + i), i FROM n;
CREATE VIEW v_nxt AS
SELECT c.cno AS cno, (
  SELECT v.wid FROM t_vch AS v
  WHERE NOT EXISTS (SELECT 1 FROM t_wlt AS w WHERE w.cno = c.cno AND w.wid = v.wid)
  ORDER BY v.pos LIMIT 1
) AS wid
FROM t_cust AS c;

-- what the profiles' and the timetable's documents hold, as columns; and what can be booked from place to place
CREATE VIEW v_prf AS
SELECT cno, json_extract(doc, '$.name.first_name') AS fn, json_extract(doc, '$.name.last_name') AS ln,
       json_extract(doc, '$.email') AS em, json_extract(doc, '$.dob') AS bd,
       json_extract(doc, '$.address.city') AS ct, json_extract(doc, '$.address.zip') AS zp
FROM t_cust;
CREATE VIEW v_cmp AS
SELECT c.cno AS cno, p.key AS pos, json_extract(p.value, '$.first_name') AS fn,
       json_extract(p.value, '$.last_name') AS ln, json_extract(p.value, '$.dob') AS bd
FROM t_cust AS c, json_each(c.doc, '$.saved_passengers') AS p;
CREATE VIEW v_tt AS
SELECT fno, json_extract(doc, '$.scheduled_departure_time_est') AS dep_t,
       json_extract(doc, '$.scheduled_arrival_time_est') AS arr_t
FROM t_flt;
CREATE VIEW v_net AS SELECT 'all' AS net;
CREATE VIEW v_nap AS SELECT DISTINCT 'all' AS net, dep_ap AS ap FROM t_flt;
CREATE VIEW v_mkt AS
SELECT a.ap AS dep_ap, b.ap AS arr_ap, d.fdt AS fdt
FROM v_nap AS a, v_nap AS b, (SELECT DISTINCT fdt FROM t_ops) AS d;
CREATE VIEW v_dir AS
SELECT f.dep_ap AS dep_ap, f.arr_ap AS arr_ap, o.fdt AS fdt, f.fno AS fno
FROM t_flt AS f JOIN t_ops AS o ON o.fno = f.fno WHERE o.st_cd = 'AV';
-- two flights in a row: the second leaves from where the first lands, not before, on the day on which that is
CREATE VIEW v_one AS
SELECT f.dep_ap AS dep_ap, g.arr_ap AS arr_ap, o.fdt AS fdt, f.fno AS fno, g.fno AS fno2, p.fdt AS fdt2
FROM t_flt AS f
JOIN t_ops AS o ON o.fno = f.fno AND o.st_cd = 'AV'
JOIN v_tt AS s ON s.fno = f.fno
JOIN t_flt AS g ON g.dep_ap = f.arr_ap
JOIN v_tt AS t ON t.fno = g.fno
JOIN t_ops AS p ON p.fno = g.fno AND p.st_cd = 'AV'
  AND p.fdt = CASE WHEN s.arr_t LIKE '%+1' THEN date(o.fdt, '+1 day') ELSE o.fdt END
WHERE substr(s.arr_t, 1, 8) <= t.dep_t;
