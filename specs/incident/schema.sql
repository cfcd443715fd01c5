-- The platform's own database: what the monitoring writes, and the orders that the platform carries out.
CREATE TABLE t_svc (
  sid    TEXT PRIMARY KEY,
  env_cd TEXT NOT NULL CHECK (env_cd IN ('S', 'P')),
  err_m  INTEGER NOT NULL,
  rep_w  INTEGER NOT NULL,
  rep_r  INTEGER NOT NULL,
  rst_n  INTEGER NOT NULL DEFAULT 0,
  rel_c  TEXT NOT NULL,
  rel_p  TEXT NOT NULL,
  rel_us INTEGER NOT NULL,
  frz_us INTEGER,
  sec_f  INTEGER NOT NULL DEFAULT 0 CHECK (sec_f IN (0, 1))
) STRICT;

CREATE TABLE t_zn (
  sid   TEXT NOT NULL,
  zid   TEXT NOT NULL,
  ok_f  INTEGER NOT NULL CHECK (ok_f IN (0, 1)),
  off_f INTEGER NOT NULL DEFAULT 0 CHECK (off_f IN (0, 1)),
  PRIMARY KEY (sid, zid)
) STRICT;

CREATE TABLE t_alr (
  aid  TEXT PRIMARY KEY,
  sid  TEXT NOT NULL REFERENCES t_svc (sid),
  sev  INTEGER NOT NULL CHECK (sev IN (1, 2, 3)),
  on_f INTEGER NOT NULL CHECK (on_f IN (0, 1)),
  pg_n INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE t_ds (
  did    TEXT PRIMARY KEY,
  sid    TEXT NOT NULL REFERENCES t_svc (sid),
  tmp_f  INTEGER NOT NULL CHECK (tmp_f IN (0, 1)),
  bck_us INTEGER,
  lgl_f  INTEGER NOT NULL DEFAULT 0 CHECK (lgl_f IN (0, 1)),
  del_f  INTEGER NOT NULL DEFAULT 0 CHECK (del_f IN (0, 1))
) STRICT;

-- Orders to the platform: RST restart, REL release, REP replicas, DEL delete, PAG page.
CREATE TABLE t_ord (
  oid   INTEGER PRIMARY KEY AUTOINCREMENT,
  sid   TEXT,
  cmd   TEXT NOT NULL CHECK (cmd IN ('RST', 'REL', 'REP', 'DEL', 'PAG')),
  arg_t TEXT,
  arg_n INTEGER
) STRICT;

-- Effects already performed, by idempotency key.
CREATE TABLE t_done (op_key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;

INSERT INTO t_svc (sid, env_cd, err_m, rep_w, rep_r, rel_c, rel_p, rel_us) VALUES
  ('shop',      'P', 900, 12, 11, 'shop-41', 'shop-40', 1773997200000000),     -- released 2026-03-20 at 09:00
  ('shop-test', 'S', 300,  2,  2, 'shop-42', 'shop-41', 1773997200000000);
INSERT INTO t_zn (sid, zid, ok_f) VALUES
  ('shop', 'north', 1), ('shop', 'south', 0), ('shop', 'west', 1), ('shop-test', 'north', 1);
INSERT INTO t_alr (aid, sid, sev, on_f) VALUES ('a1', 'shop', 1, 1), ('a2', 'shop-test', 3, 1);
INSERT INTO t_ds (did, sid, tmp_f, bck_us, lgl_f) VALUES
  ('thumbnails', 'shop', 1, 1773986400000000, 0), ('receipts', 'shop', 0, 1773986400000000, 1);
