CREATE TABLE x_done (k TEXT PRIMARY KEY, v TEXT NOT NULL);
CREATE TABLE x_dpt (dcd TEXT PRIMARY KEY, cty TEXT);
CREATE TABLE x_cst (cno TEXT PRIMARY KEY, "odd col" TEXT, bal_c INTEGER CHECK (bal_c >= 0));
CREATE TABLE x_pcl (
  pno, cno, dcd, wgt_c, val_t, sz, knd, frg_f, ins, mk_us, due_s, seen_t, due_d, made_n, pat_us, psz_s, nt, pcs_n, crr,
  lb1, lb2, st
);
CREATE TABLE x_stp (sid INTEGER PRIMARY KEY, pno TEXT, dcd TEXT, fee_c, pd_f INTEGER);
CREATE TABLE x_nxt (pno TEXT, dcd TEXT);
CREATE TABLE x_tag (tid INTEGER PRIMARY KEY, pno TEXT, tg TEXT);
CREATE TABLE x_slt (dcd TEXT, sdt INTEGER, left_n INTEGER, PRIMARY KEY (dcd, sdt));
CREATE TABLE x_nos (pno TEXT PRIMARY KEY, ord INTEGER);

INSERT INTO x_dpt VALUES ('D1', 'Ulm'), ('D2', 'Bonn');
INSERT INTO x_cst VALUES ('c1', 'Bavaria', 1000), ('c2', NULL, 0);
INSERT INTO x_pcl VALUES
  ('p1', 'c1', 'D1', 1250, '20.00', 2, 'air mail', 1, 'Y', 1700000000000001, 1700000000, '2024-05-20T10:00:00+02:00',
   '2024-05-20', 19863, 60000000, 90, NULL, 3, 'ann', 'To Eve', 'R', 'W'),
  ('p2', 'c1', 'D2', 0, '0.00', 1, 'road', 0, 'N', 0, 0, NULL, '1970-01-01', 0, 0, 0, 'handle with care', 1, 'bob',
   NULL, NULL, 'G'),
  ('p3', 'c2', 'D9', 1, '0.01', 1, 'road', 0, 'N', 0, 0, NULL, '1970-01-01', 0, 0, 0, 'x', 1, 'bob', 'Y', 'B', 'Z');
INSERT INTO x_stp (pno, dcd, fee_c, pd_f) VALUES ('p1', 'D1', 100, 1), ('p2', 'D2', 5, 1), ('p1', 'D2', 250, 0);
INSERT INTO x_nxt VALUES ('p1', 'D2');
INSERT INTO x_tag (pno, tg) VALUES ('p1', 'b'), ('p1', 'a'), ('p1', 'trip_7');
INSERT INTO x_slt VALUES ('D1', 19863, 1), ('D2', 19863, 0);
INSERT INTO x_nos VALUES ('p3', 1), ('p2', 2), ('p7', 4), ('p8', 3);
