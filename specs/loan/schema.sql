-- The bank's own system, with names that nobody outside needs to know. Money is in integer cents, interest in hundredths
-- of a percent, instants are UTC microseconds.
CREATE TABLE t_kd (
  kdnr    TEXT PRIMARY KEY,
  idf_f   INTEGER NOT NULL CHECK (idf_f IN (0, 1)),
  eink_c  INTEGER NOT NULL,
  last_c  INTEGER NOT NULL,
  iban    TEXT NOT NULL,
  madr    TEXT NOT NULL,
  sperr_f INTEGER NOT NULL DEFAULT 0 CHECK (sperr_f IN (0, 1))
) STRICT;

CREATE TABLE t_kv (
  kvnr   TEXT PRIMARY KEY,
  kdnr   TEXT NOT NULL REFERENCES t_kd (kdnr),
  wu_c   INTEGER NOT NULL,
  unt_f  INTEGER NOT NULL CHECK (unt_f IN (0, 1)),
  bon    TEXT NOT NULL CHECK (bon IN ('1A', '2B', '3C', '4D')),
  bon_us INTEGER,
  rat_c  INTEGER NOT NULL,
  ang_f  INTEGER NOT NULL DEFAULT 0 CHECK (ang_f IN (0, 1)),
  ausz_c INTEGER NOT NULL DEFAULT 0 CHECK (ausz_c >= 0),
  rst_c  INTEGER NOT NULL DEFAULT 0 CHECK (rst_c >= 0),
  rue_c  INTEGER NOT NULL DEFAULT 0 CHECK (rue_c >= 0),
  rue_us INTEGER,
  stu_us INTEGER,
  stu_n  INTEGER NOT NULL DEFAULT 0,
  end_us INTEGER NOT NULL,
  kue_f  INTEGER NOT NULL DEFAULT 0 CHECK (kue_f IN (0, 1)),
  abs_c  INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Letters that were sent.
CREATE TABLE t_post (
  pid    INTEGER PRIMARY KEY AUTOINCREMENT,
  kvnr   TEXT NOT NULL,
  art    TEXT NOT NULL CHECK (art IN ('ANG', 'RUF', 'KUE')),
  madr   TEXT,
  betr_c INTEGER,
  zins_p INTEGER
) STRICT;

-- Money that went out (with an account) or came back (with a fee).
CREATE TABLE t_zahl (
  zid    INTEGER PRIMARY KEY AUTOINCREMENT,
  kvnr   TEXT NOT NULL,
  iban   TEXT,
  betr_c INTEGER NOT NULL,
  geb_c  INTEGER NOT NULL
) STRICT;

-- Effects already performed, by idempotency key.
CREATE TABLE t_done (op_key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;

INSERT INTO t_kd (kdnr, idf_f, eink_c, last_c, iban, madr, sperr_f) VALUES
  ('bea',  1, 280000, 20000, 'DE02120300000000202051', 'bea@example.org',  0),
  ('bo',   1, 150000, 90000, 'DE02500105170137075030', 'bo@example.org',   0),
  ('brit', 1, 900000,     0, 'DE02100500000054540402', 'brit@example.org', 1);
INSERT INTO t_kv (kvnr, kdnr, wu_c, unt_f, bon, bon_us, rat_c, end_us) VALUES
  ('l1', 'bea',  1200000, 1, '2B', 1772355600000000, 25000, 1898586000000000),   -- scored 2026-03-01
  ('l2', 'bo',    800000, 1, '3C', 1772355600000000, 30000, 1898586000000000),
  ('l3', 'brit', 9000000, 1, '1A', 1772355600000000, 90000, 1898586000000000);   -- on a list
