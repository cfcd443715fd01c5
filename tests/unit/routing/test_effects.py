"""Goal: an effect happens whole, once, and only while the world is as the decision read it; or it is known not to."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from edca.kernel.machine import Machine
from edca.kernel.values import Raw
from edca.routing import Routes, SourceRouter, open_engine
from edca.runtime.ports import Performed, Permit, Report

_SHIP: dict[str, Raw] = {
    "parcel": ["p1"],
    "fee": "2.50",
    "moves": [{"depot": "D1", "day": "2024-05-20", "fee": "1.00"}],
    "when_sent": "2024-05-20T10:00:00Z",
}


def _permit(effect: str, arguments: Mapping[str, Raw], key: str = "k1") -> Permit:
    return Permit(b"r" * 32, "case", 1, b"m" * 32, 0, effect, arguments, key)


def _dump(database: sqlite3.Connection) -> list[str]:
    return list(database.iterdump())


def test_all_statements_happen(router: SourceRouter, database: sqlite3.Connection) -> None:
    assert router.perform(_permit("ship", _SHIP)) == Report(Performed.DONE)
    assert database.execute("SELECT st, mk_us FROM x_pcl WHERE pno = 'p1'").fetchall() == [("G", 1716199200000000)]
    assert database.execute("SELECT dcd, fee_c, pd_f FROM x_stp WHERE sid > 3").fetchall() == [("D1", 100, 0)]
    assert database.execute("SELECT left_n FROM x_slt WHERE dcd = 'D1'").fetchall() == [(0,)]
    assert database.execute("SELECT bal_c FROM x_cst WHERE cno = 'c1'").fetchall() == [(750,)]
    # `trip_7` was taken.
    assert database.execute("SELECT tg FROM x_tag WHERE tid > 3").fetchall() == [("trip_8",)]
    assert [key for key, _ in database.execute("SELECT k, v FROM x_done")] == ["k1"]


def test_the_same_permit_twice_makes_one_change(router: SourceRouter, database: sqlite3.Connection) -> None:
    permit = _permit("ship", _SHIP)
    assert router.performed(permit) is Performed.FAILED
    router.perform(permit)
    after = _dump(database)
    assert router.perform(permit).performed is Performed.DONE
    assert router.performed(permit) is Performed.DONE
    assert _dump(database) == after


def test_one_key_stands_for_one_effect(router: SourceRouter, database: sqlite3.Connection) -> None:
    router.perform(_permit("ship", _SHIP))
    after = _dump(database)
    other = _permit("ship", {**_SHIP, "parcel": ["p2"]})
    assert router.perform(other).performed is Performed.FAILED
    assert router.performed(other) is Performed.FAILED
    assert _dump(database) == after


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE x_pcl SET st = 'G' WHERE pno = 'p1'",  # the parcel has left: the first statement finds no row
        "UPDATE x_slt SET left_n = 0",  # the last slot has gone: a later statement finds none
        "INSERT INTO x_cst VALUES ('banned', NULL, 0)",  # the check finds one too many
        "CREATE UNIQUE INDEX one_tag ON x_tag (tg); INSERT INTO x_tag (pno, tg) VALUES ('p2', 'trip_8')",
    ],
)
def test_a_lost_precondition_changes_nothing(router: SourceRouter, database: sqlite3.Connection, change: str) -> None:
    database.executescript(change)
    before = _dump(database)
    report = router.perform(_permit("ship", _SHIP))
    assert report.performed is Performed.PRECONDITION_LOST
    assert report.detail
    assert _dump(database) == before
    assert router.performed(_permit("ship", _SHIP)) is Performed.FAILED


def test_an_error_before_the_commit_changes_nothing(router: SourceRouter, database: sqlite3.Connection) -> None:
    database.execute("ALTER TABLE x_tag RENAME COLUMN tg TO tg2")
    before = _dump(database)
    report = router.perform(_permit("ship", _SHIP))
    assert report.performed is Performed.FAILED
    assert "2.50" not in report.detail
    assert _dump(database) == before


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {**_SHIP, "fee": "-1.00"},
        {**_SHIP, "fee": 2.5},
        {**_SHIP, "surplus": 1},
        {**_SHIP, "parcel": "p1"},
        {**_SHIP, "moves": [{"depot": "D1"}]},
    ],
    ids=["none", "out of range", "float", "surplus", "no key", "part missing"],
)
def test_other_arguments_than_declared_do_nothing(
    router: SourceRouter, database: sqlite3.Connection, arguments: Mapping[str, Raw]
) -> None:
    before = _dump(database)
    assert router.perform(_permit("ship", arguments)).performed is Performed.FAILED
    assert _dump(database) == before


def test_an_effect_nobody_routed(router: SourceRouter) -> None:
    permit = _permit("teleport", {})
    assert router.perform(permit).performed is Performed.FAILED
    assert router.performed(permit) is Performed.FAILED


def test_a_failing_commit_is_unknown(router: SourceRouter, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_connection: object) -> None:
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

    monkeypatch.setattr(engine.dialect, "do_commit", fail)
    assert router.perform(_permit("drop", {"parcel": ["p3"]})).performed is Performed.UNKNOWN
    monkeypatch.undo()
    assert router.performed(_permit("drop", {"parcel": ["p3"]})) is Performed.FAILED
    assert router.perform(_permit("drop", {"parcel": ["p3"]})).performed is Performed.DONE


def test_a_source_that_is_not_there(routes: Routes, machine: Machine, gone: sa.Engine) -> None:
    router = SourceRouter(routes, machine, {"yard": gone})
    permit = _permit("ship", _SHIP)
    assert router.perform(permit).performed is Performed.TRANSIENT  # nothing was sent
    assert router.performed(permit) is Performed.UNKNOWN


def test_a_source_that_somebody_else_is_writing_can_be_tried_again(
    routes: Routes, machine: Machine, database: sqlite3.Connection, tmp_path: Path
) -> None:
    file = tmp_path / "yard.db"
    with sqlite3.connect(file) as copy:
        database.backup(copy)
    engine = open_engine(f"sqlite:///{file}")
    sa.event.listen(engine, "connect", lambda opened, _: opened.execute("PRAGMA busy_timeout = 0").close())
    router = SourceRouter(routes, machine, {"yard": engine})
    copy.execute("BEGIN IMMEDIATE")
    assert router.perform(_permit("ship", _SHIP)).performed is Performed.TRANSIENT
    copy.rollback()
    copy.close()
    assert router.perform(_permit("ship", _SHIP)).performed is Performed.DONE
    engine.dispose()


class _Overtaken(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__("overtaken")
        self.sqlstate = sqlstate


@pytest.mark.parametrize("at", ["do_execute", "do_commit"])
@pytest.mark.parametrize(
    ("sqlstate", "performed"),
    [("40001", Performed.TRANSIENT), ("40P01", Performed.TRANSIENT), ("55P03", Performed.TRANSIENT), ("42601", None)],
)
def test_what_another_transaction_did_to_ours_can_be_tried_again(
    router: SourceRouter,
    engine: sa.Engine,
    monkeypatch: pytest.MonkeyPatch,
    at: str,
    sqlstate: str,
    performed: Performed | None,
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("…", {}, _Overtaken(sqlstate))

    monkeypatch.setattr(engine.dialect, at, fail)
    other = Performed.FAILED if at == "do_execute" else Performed.UNKNOWN
    assert router.perform(_permit("ship", _SHIP)).performed is (performed or other)


def test_concurrent_deliveries_make_one_change(
    routes: Routes, machine: Machine, database: sqlite3.Connection, tmp_path: Path
) -> None:
    file = tmp_path / "yard.db"
    with sqlite3.connect(file) as copy:
        database.backup(copy)
    copy.close()
    router = SourceRouter(routes, machine, {"yard": (engine := open_engine(f"sqlite:///{file}"))})
    reports: list[Report] = []
    threads = [Thread(target=lambda: reports.append(router.perform(_permit("ship", _SHIP)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.dispose()
    assert [report.performed for report in reports] == [Performed.DONE] * 8
    with sqlite3.connect(file) as copy:
        assert copy.execute("SELECT count(*) FROM x_stp").fetchone() == (4,)
    copy.close()
