"""Goal: no value of a database is held in memory whatever its size; the operator is told what drifted, without it."""

import sqlite3
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from edca.kernel.machine import Machine
from edca.kernel.values import Unknown
from edca.routing import Drift, Routes, SourceRouter, open_engine
from edca.routing.bounds import VALUE_BYTES_MAX
from edca.runtime.ports import Request

_AS_OF = 1_700_000_000_000_000
_HUGE = 50_000_000


@pytest.fixture
def drifts() -> list[Drift]:
    return []


@pytest.fixture
def watched(routes: Routes, machine: Machine, engine: sa.Engine, drifts: list[Drift]) -> SourceRouter:
    return SourceRouter(routes, machine, {"yard": engine}, drifts.append)


def test_a_huge_value_is_never_held(watched: SourceRouter, database: sqlite3.Connection, drifts: list[Drift]) -> None:
    database.execute("UPDATE x_pcl SET nt = printf('%.*c', ?, 'x') WHERE pno = 'p1'", (_HUGE,))
    tracemalloc.start()
    (parcel,) = watched.read([Request("parcel", ("p1",), ("note", "pieces"))], _AS_OF)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert parcel.fields == {"note": Unknown.DRIFT, "pieces": Unknown.DRIFT}
    assert peak < 5 * VALUE_BYTES_MAX
    assert [(drift.entity, drift.place, drift.found) for drift in drifts] == [
        ("parcel", "x_pcl", "a value that is too large")
    ]


def test_one_huge_value_costs_no_other_instance_its_facts(watched: SourceRouter, database: sqlite3.Connection) -> None:
    database.execute("UPDATE x_pcl SET nt = zeroblob(?) WHERE pno = 'p1'", (_HUGE,))
    requests = [Request("parcel", (key,), ("note", "pieces")) for key in ("p1", "p2", "p4")]
    first, second, absent = watched.read(requests, _AS_OF)
    assert set(first.fields.values()) == {Unknown.DRIFT}
    assert second.fields == {"note": "handle with care", "pieces": 1}
    assert not absent.found


def test_the_bound_is_the_routes_own(watched: SourceRouter, database: sqlite3.Connection) -> None:
    watched.read([Request("parcel", ("p1",), ("note",))], _AS_OF)
    assert len(database.execute("SELECT zeroblob(?)", (_HUGE,)).fetchone()[0]) == _HUGE, "the host's is as it was"


@pytest.fixture
def served(postgres_url: Callable[[], str]) -> Iterator[sa.Engine]:
    engine = open_engine(postgres_url())
    with engine.begin() as connection:
        connection.exec_driver_sql('CREATE TABLE x_cst (cno text PRIMARY KEY, "odd col" text)')
        connection.exec_driver_sql("INSERT INTO x_cst VALUES ('c1', repeat('x', 50000000)), ('c2', 'Bavaria')")
    yield engine
    engine.dispose()


def test_postgres_sends_no_huge_value(routes: Routes, machine: Machine, served: sa.Engine, drifts: list[Drift]) -> None:
    router = SourceRouter(routes, machine, {"yard": served}, drifts.append)
    tracemalloc.start()
    huge, small = router.read([Request("customer", (key,), ("state",)) for key in ("c1", "c2")], _AS_OF)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (huge.fields, small.fields) == ({"state": Unknown.DRIFT}, {"state": "Bavaria"})
    assert peak < 5 * VALUE_BYTES_MAX
    assert [drift.place for drift in drifts] == ["x_cst.odd col"]


@pytest.mark.parametrize(
    ("change", "field", "place", "found"),
    [
        ("UPDATE x_pcl SET pcs_n = 'three'", "pieces", "x_pcl.pcs_n", "a text of 5 characters"),
        ("UPDATE x_pcl SET pcs_n = 2.5", "pieces", "x_pcl.pcs_n", "a floating-point number"),
        ("UPDATE x_pcl SET sz = 9", "size", "x_pcl.sz", "a whole number"),
        ("UPDATE x_pcl SET lb2 = 'Q'", "label", "x_pcl.lb2", "a text of 1 characters"),
        ("UPDATE x_stp SET fee_c = 'x'", "stops", "x_stp.fee_c", "a text of 1 characters"),
        ("INSERT INTO x_nxt VALUES ('p1', 'D1')", "depot_next", "x_nxt", "2 or more"),
        ("UPDATE x_pcl SET st = 'secret-code'", None, "x_pcl.st", "a text of 11 characters"),
    ],
)
def test_the_operator_is_told_what_drifted(
    watched: SourceRouter,
    database: sqlite3.Connection,
    drifts: list[Drift],
    change: str,
    field: str | None,
    place: str,
    found: str,
) -> None:
    database.execute(change)
    fields = ("pieces",) if field is None else (field,)
    (parcel,) = watched.read([Request("parcel", ("p1",), fields)], _AS_OF)
    assert Unknown.DRIFT in (parcel.state, *parcel.fields.values())
    assert {(drift.entity, drift.field, drift.source, drift.place, drift.found) for drift in drifts} == {
        ("parcel", field, "yard", place, found)
    }
    assert "secret-code" not in str(drifts), "its kind, never the value"


def test_an_operator_who_fails_changes_no_fact(
    routes: Routes, machine: Machine, engine: sa.Engine, database: sqlite3.Connection
) -> None:
    def fail(_: Drift) -> None:
        raise RuntimeError("the pager is broken")

    database.execute("UPDATE x_pcl SET pcs_n = 'three'")
    router = SourceRouter(routes, machine, {"yard": engine}, fail)
    (parcel,) = router.read([Request("parcel", ("p1",), ("pieces", "city"))], _AS_OF)
    assert parcel.fields == {"pieces": Unknown.DRIFT, "city": "Ulm"}


def test_without_drift_nobody_is_told(watched: SourceRouter, machine: Machine, drifts: list[Drift]) -> None:
    fields = tuple(field.name for field in machine.index.entities["parcel"].fields)
    watched.read([Request("parcel", (key,), fields) for key in ("p1", "p2")], _AS_OF)
    assert drifts == []
