"""Goal: the internal database holds exactly the data, under other names, and gives it back."""

import sqlite3
from pathlib import Path
from types import ModuleType
from typing import Any


def test_projection_returns_what_was_loaded(
    world: ModuleType, small: dict[str, Any], database: sqlite3.Connection
) -> None:
    assert world.project(database, small) == small


def test_projection_returns_the_recorded_data(
    world: ModuleType, recorded: dict[str, Any], recorded_template: sqlite3.Connection
) -> None:
    assert len(recorded["reservations"]) == 2000
    assert len(recorded["users"]) == 500
    projected = world.project(recorded_template, recorded)
    assert projected == recorded
    assert world.data_hash(projected) == world.data_hash(recorded)


def test_codes_and_units(database: sqlite3.Connection) -> None:
    header = database.execute("SELECT cno, jt, bkd_cls, mk_us, ins_f, st, amd_n FROM t_hdr").fetchall()
    # 2024-05-14T16:03:16 in the policy's EST (UTC-5) is 21:03:16 UTC.
    assert header == [("ann_lee_1", "O", "Y", 1_715_720_596_000_000, 0, "A", 0)]
    wallet = database.execute("SELECT wid, kd, bal_c FROM t_wlt ORDER BY pos").fetchall()
    assert wallet == [("credit_card_1", "C", None), ("gift_card_1", "G", 9050), ("certificate_1", "V", 10000)]
    assert database.execute("SELECT cls, fare_c FROM t_leg WHERE old_f = 0").fetchall() == [("Y", 8000)]
    status = database.execute("SELECT fdt, st_cd FROM t_ops WHERE fno = 'HAT001' ORDER BY fdt").fetchall()
    assert status == [("2024-05-01", "LD"), ("2024-05-20", "AV"), ("2024-05-21", "CX")]


def test_no_public_code_or_key_is_stored_internally(database: sqlite3.Connection) -> None:
    tables = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 't%'").fetchall()
    columns = {row[1] for (table,) in tables for row in database.execute(f"PRAGMA table_info({table})")}
    public = {
        "cabin",
        "status",
        "flight_number",
        "reservation_id",
        "user_id",
        "payment_id",
        "amount",
        "insurance",
    }
    assert not columns & public
    rows = (row for (table,) in tables for row in database.execute(f"SELECT * FROM {table}"))
    values = {value for row in rows for value in row}
    assert not values & {
        "economy",
        "business",
        "basic_economy",
        "available",
        "one_way",
        "silver",
        "gift_card",
    }


def test_reservation_codes_are_handed_out_in_order(world: ModuleType, database: sqlite3.Connection) -> None:
    codes = [pnr for (pnr,) in database.execute("SELECT pnr FROM t_key ORDER BY pos")]
    assert codes[:3] == ["HATHAT", "HATHAU", "HATHAV"]
    assert codes == list(world.RESERVATION_CODES)
    assert len(set(codes)) == len(codes) == 400
    assert all(len(code) == 6 and code.isalpha() and code.isupper() for code in codes)


def test_fresh_copies_don_t_share_changes(world: ModuleType, database: sqlite3.Connection, tmp_path: Path) -> None:
    for target in (":memory:", tmp_path / "airline.sqlite3"):
        copy = world.fresh(database, target)
        with copy:
            copy.execute("UPDATE t_hdr SET st = 'X'")
        assert database.execute("SELECT st FROM t_hdr").fetchall() == [("A",)]
        assert world.fresh(database, ":memory:").execute("SELECT count(*) FROM t_key").fetchone() == (400,)
        copy.close()


def test_a_changed_status_shows_in_the_projection(
    world: ModuleType, small: dict[str, Any], database: sqlite3.Connection
) -> None:
    with database:
        database.execute("UPDATE t_ops SET st_cd = 'DL' WHERE fno = 'HAT001' AND fdt = '2024-05-20'")
        database.execute("DELETE FROM t_inv WHERE fno = 'HAT001' AND fdt = '2024-05-20'")
    projected = world.project(database, small)
    assert projected["flights"]["HAT001"]["dates"]["2024-05-20"] == {"status": "delayed"}
