-- A small shop's own database, with names that nobody outside it needs to know. Money is in integer cents,
-- instants are UTC microseconds.
CREATE TABLE t_so (
  so_no  TEXT PRIMARY KEY,
  cst    TEXT NOT NULL,
  cls    INTEGER NOT NULL CHECK (cls IN (1, 2)),            -- 1 regular, 2 gold
  st     TEXT NOT NULL CHECK (st IN ('N', 'S', 'D', 'R')),  -- new, sent, delivered, returned
  tot_c  INTEGER NOT NULL,
  back_c INTEGER NOT NULL DEFAULT 0 CHECK (back_c BETWEEN 0 AND tot_c),
  dlv_us INTEGER,
  hold_f INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE t_sol (
  so_no TEXT NOT NULL,
  art   TEXT NOT NULL,
  prc_c INTEGER NOT NULL,
  ret_f INTEGER NOT NULL,
  PRIMARY KEY (so_no, art)
) STRICT;

CREATE TABLE t_bank (
  xid   INTEGER PRIMARY KEY AUTOINCREMENT,
  so_no TEXT NOT NULL,
  amt_c INTEGER NOT NULL
) STRICT;

-- Effects already performed, by idempotency key.
CREATE TABLE t_done (op_key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;

INSERT INTO t_so (so_no, cst, cls, st, tot_c, dlv_us, hold_f) VALUES
  ('o1', 'carla', 1, 'D',   8000, 1772355600000000, 0),     -- delivered 2026-03-01
  ('o2', 'carla', 2, 'D', 120000, 1772355600000000, 0),
  ('o3', 'dora',  1, 'D',   4000, 1772355600000000, 1);     -- on hold
INSERT INTO t_sol VALUES ('o1', 'a1', 8000, 1), ('o2', 'b1', 120000, 1), ('o3', 'c1', 4000, 1);
