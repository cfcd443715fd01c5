-- The office's own database; office.db was made from this. Money is in integer cents.
CREATE TABLE t_rq (
  rq_no  TEXT PRIMARY KEY,
  emp_no TEXT NOT NULL,
  amt_c  INTEGER NOT NULL,
  bud_c  INTEGER NOT NULL CHECK (bud_c >= 0),
  bk_f   INTEGER NOT NULL DEFAULT 0 CHECK (bk_f IN (0, 1))
) STRICT;

-- Effects already performed, by idempotency key.
CREATE TABLE t_done (op_key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;

INSERT INTO t_rq (rq_no, emp_no, amt_c, bud_c) VALUES
  ('r1', 'ann',  4000, 10000),
  ('r2', 'ann', 70000, 90000),
  ('r3', 'ben',  4000, 10000);
