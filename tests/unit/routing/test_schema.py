"""Goal: routes are held against the live source and against the spec: neither may know what the other has not."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from edca.diagnostics import Source
from edca.dsl.parse import parse
from edca.kernel.machine import Machine
from edca.routing import (
    RouteError,
    Routes,
    SourceRouter,
    check_against,
    clashes,
    load,
    open_engine,
    open_sources,
)
from edca.runtime.ports import Request

_SPEC = """edca 1
machine parcels version "1"
role clerk human
enum size { small "S" | large "KND" }
record stop { depot: id, fee: decimal(2, 0.00 to 9.00) }
entity parcel key (parcel_id: id) { OWNER_FIELD: id, kind: one of lb1 | other }
case about parcel by parcel_id
state waiting initial "In the yard, status st in x_pcl."
transition go(x_tag: id) from waiting to waiting {
  means "Go on."
  by clerk
  answers clerk
  let pcs_n = 1
  require pcs_n == 1 else refuse left_n "No."
}
"""


def test_the_sample_fits_its_source(routes: Routes, engine: sa.Engine) -> None:
    assert check_against(routes, {"yard": engine}) == ()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("DROP TABLE x_nxt", [("R005", "x_nxt")]),
        ("ALTER TABLE x_nos RENAME COLUMN ord TO ordr", [("R006", "ord")]),
        ('ALTER TABLE x_cst RENAME COLUMN "odd col" TO odd', [("R006", "`odd col`")]),
        ("DROP TABLE x_done; CREATE TABLE x_done (k TEXT, v TEXT)", [("R011", "k")]),
    ],
)
def test_what_the_source_does_not_have(
    routes: Routes, engine: sa.Engine, database: sqlite3.Connection, change: str, found: list[tuple[str, str]]
) -> None:
    database.executescript(change)
    said = [(finding.code.id, finding.primary.span.text) for finding in check_against(routes, {"yard": engine})]
    assert said == found


def test_a_source_that_can_not_be_looked_at(routes: Routes, machine: Machine, gone: sa.Engine) -> None:
    with pytest.raises(RouteError, match="no engine"):
        check_against(routes, {})
    with pytest.raises(RouteError, match="can't be looked at"):
        check_against(routes, {"yard": gone})
    with pytest.raises(RouteError, match="no engine"):
        SourceRouter(routes, machine, {})


def test_engines_come_from_the_environment(routes: Routes, tmp_path: Path) -> None:
    with pytest.raises(RouteError, match="YARD_URL"):
        open_sources(routes, {})
    with pytest.raises(RouteError) as caught:
        open_sources(routes, {"YARD_URL": "no url at all: s3cret"})
    assert "s3cret" not in str(caught.value)
    (tmp_path / "yard.db").touch()
    engines = open_sources(routes, {"YARD_URL": f"sqlite:///{tmp_path / 'yard.db'}"})
    with engines["yard"].connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engines["yard"].dispose()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("no url at all: s3cret", "the source's URL can't be read; it looks like `sqlite:///"),
        ("mongo://s3cret@host/yard", "no kind of database is called `mongo`"),
        ("oracle+oracledb://me:s3cret@host/yard", "no driver for oracle is installed (the Python package `oracledb`)"),
        ("sqlite://me:s3cret@host/yard.db", "there is no database at `yard.db`"),
        ("sqlite:///no/such/yard.db", "there is no database at `no/such/yard.db` (source `yard`)"),
    ],
)
def test_a_source_that_can_not_be_opened_says_why_in_plain_words(routes: Routes, url: str, message: str) -> None:
    with pytest.raises(RouteError) as caught:
        open_sources(routes, {"YARD_URL": url})
    told = str(caught.value)
    assert message in told and "(source `yard`)" in told
    assert "s3cret" not in told and "Error" not in told


def test_a_database_file_is_never_made(tmp_path: Path) -> None:
    path = tmp_path / "a yard #ö.db"
    with pytest.raises(RouteError, match="there is no database at"):
        open_engine(f"sqlite:///{path}")
    path.touch()
    engine = open_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER)")
    engine.dispose()
    assert path.stat().st_size
    path.unlink()
    with pytest.raises(sa.exc.OperationalError), engine.connect():
        pass
    engine.dispose()
    assert list(tmp_path.iterdir()) == []


def test_no_public_name_is_an_internal_one(routes: Routes) -> None:
    source = Source("parcels.edca", _SPEC.replace("OWNER_FIELD", "crr"))
    spec = parse(source).spec
    assert spec is not None
    found = [(finding.code.id, finding.primary.span.text) for finding in clashes(spec, routes)]
    assert found == [
        ("R009", '"KND"'),
        ("R009", "crr"),
        ("R009", "lb1"),
        ("N013", '"In the yard, status st in x_pcl."'),
        ("R009", "x_tag"),
        ("R009", "pcs_n"),
        ("R009", "left_n"),
    ]
    (label,) = clashes(spec, routes)[0].secondary
    assert (label.span.source.name, label.span.text) == ("parcel.arp", "knd")


def test_a_spec_with_names_of_its_own(routes: Routes) -> None:
    clean = 'edca 1\nmachine parcels version "1"\nstate waiting initial "In the yard."\n'
    spec = parse(Source("clean.edca", clean)).spec
    assert spec is not None
    assert clashes(spec, routes) == ()


def test_a_renamed_schema_with_renamed_routes_changes_no_answer(
    text: str, machine: Machine, router: SourceRouter, database: sqlite3.Connection
) -> None:
    fields = tuple(field.name for field in machine.index.entities["parcel"].fields)
    requests = [Request("parcel", (key,), fields) for key in ("p1", "p2", "p3", "p4")]
    before = router.read(requests, 5)
    moved = sqlite3.connect(":memory:", isolation_level=None)
    database.backup(moved)
    for change in ("x_pcl RENAME TO other_t", "x_stp RENAME COLUMN dcd TO wh", "x_tag RENAME COLUMN tg TO zz"):
        moved.execute(f"ALTER TABLE {change}")
    changed = text.replace("x_pcl", "other_t").replace("tag.tg", "tag.zz").replace("tg = num", "zz = num")
    changed = (
        changed.replace("x_stp.dcd", "x_stp.wh")
        .replace("{ depot = dcd", "{ depot = wh")
        .replace("dcd = m.depot, fee", "wh = m.depot, fee")
    )
    routes = load(Source("moved.arp", changed), machine).routes
    assert routes is not None
    engine = open_engine("sqlite://", creator=lambda: moved)
    assert check_against(routes, {"yard": engine}) == ()
    assert SourceRouter(routes, machine, {"yard": engine}).read(requests, 5) == before
    moved.close()
