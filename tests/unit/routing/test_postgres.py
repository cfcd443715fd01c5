"""Goal: on PostgreSQL routes read, perform and are checked as on SQLite, on a real server."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from threading import Thread

import pytest
import sqlalchemy as sa

from edca.diagnostics import Source
from edca.kernel.machine import Machine
from edca.kernel.values import Raw, Unknown
from edca.routing import Routes, SourceRouter, check_against, load, open_engine
from edca.runtime.ports import Performed, Permit, Report, Request

_AS_OF = 1_700_000_000_000_000
_TABLES = """
CREATE TABLE x_done (k text PRIMARY KEY, v text NOT NULL);
CREATE TABLE x_dpt (dcd text PRIMARY KEY, cty text);
CREATE TABLE x_cst (cno text PRIMARY KEY, "odd col" text, bal_c bigint CHECK (bal_c >= 0));
CREATE TABLE x_pcl (
  pno text, cno text, dcd text, wgt_c bigint, val_t numeric(12, 2), sz integer, knd text, frg_f boolean, ins text,
  mk_us bigint, due_s bigint, seen_t timestamptz, due_d date, made_n integer, pat_us bigint, psz_s integer, nt text,
  pcs_n smallint, crr varchar(40), lb1 text, lb2 text, st text
);
CREATE TABLE x_stp (sid serial PRIMARY KEY, pno text, dcd text, fee_c bigint, pd_f integer);
CREATE TABLE x_nxt (pno text, dcd text);
CREATE TABLE x_tag (tid serial PRIMARY KEY, pno text, tg text);
CREATE TABLE x_slt (dcd text, sdt integer, left_n integer, PRIMARY KEY (dcd, sdt));
CREATE TABLE x_nos (pno text PRIMARY KEY, ord integer);
"""
_NAMES = ("x_dpt", "x_cst", "x_pcl", "x_stp", "x_nxt", "x_tag", "x_slt", "x_nos")
_SHIP: dict[str, Raw] = {
    "parcel": ["p1"],
    "fee": "2.50",
    "moves": [{"depot": "D1", "day": "2024-05-20", "fee": "1.00"}],
    "when_sent": "2024-05-20T10:00:00Z",
}


def _permit(effect: str, arguments: Mapping[str, Raw], key: str = "k1") -> Permit:
    return Permit(b"r" * 32, "case", 1, b"m" * 32, 0, effect, arguments, key)


@pytest.fixture
def served(postgres_url: Callable[[], str], database: sqlite3.Connection) -> Iterator[sa.Engine]:
    """The rows of the SQLite source, in columns of PostgreSQL's own types."""
    engine = open_engine(postgres_url())
    with engine.begin() as connection:
        connection.exec_driver_sql(_TABLES)
        for name in _NAMES:
            for row in database.execute(f"SELECT * FROM {name}"):
                values = [bool(value) if name == "x_pcl" and index == 7 else value for index, value in enumerate(row)]
                marks = ", ".join(["%s"] * len(values))
                connection.exec_driver_sql(f"INSERT INTO {name} VALUES ({marks})", tuple(values))
        for serial in ("x_stp", "x_tag"):
            connection.exec_driver_sql(f"SELECT setval('{serial}_{'sid' if serial == 'x_stp' else 'tid'}_seq', 100)")
    yield engine
    engine.dispose()


@pytest.fixture
def on_postgres(routes: Routes, machine: Machine, served: sa.Engine) -> SourceRouter:
    """A router on the served source."""
    return SourceRouter(routes, machine, {"yard": served})


def test_every_answer_is_that_of_sqlite(on_postgres: SourceRouter, router: SourceRouter, machine: Machine) -> None:
    fields = tuple(field.name for field in machine.index.entities["parcel"].fields)
    requests = [Request("parcel", (key,), fields) for key in ("p1", "p2", "p3", "p4")]
    requests += [Request("slot", ("D1", 19863), ("free",)), Request("customer", ("c2",), ("state",))]
    answers = on_postgres.read(requests, _AS_OF)
    assert answers == router.read(requests, _AS_OF)
    assert [answer.found for answer in answers] == [True, True, True, False, True, True]
    assert not any(isinstance(value, Unknown) for value in answers[0].fields.values())
    assert on_postgres.allot("parcel") == ("p8",)


def test_one_statement_a_table_however_many_instances(on_postgres: SourceRouter, served: sa.Engine) -> None:
    statements: list[str] = []
    sa.event.listen(served, "before_cursor_execute", lambda *args: statements.append(args[2]))
    fields = ("city", "pieces", "stops", "depot_last", "tags")
    answers = on_postgres.read([Request("parcel", (f"p{n}",), fields) for n in range(1, 150)], _AS_OF)
    assert len([text for text in statements if text.startswith("SELECT")]) == 4
    assert [answer.found for answer in answers].count(True) == 3


def test_all_is_read_at_one_moment(on_postgres: SourceRouter, served: sa.Engine) -> None:
    meddled: list[str] = []

    def meddle(connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        if not meddled and "x_pcl" in statement:
            meddled.append(statement)
            with served.begin() as other:
                other.exec_driver_sql("DELETE FROM x_stp")
                other.exec_driver_sql("UPDATE x_pcl SET pcs_n = 0")

    sa.event.listen(served, "after_cursor_execute", meddle)
    (answer,) = on_postgres.read([Request("parcel", ("p1",), ("pieces", "stops"))], _AS_OF)
    assert answer.fields == {"pieces": 3, "stops": (("D1", 100), ("D2", 250))}
    (answer,) = on_postgres.read([Request("parcel", ("p1",), ("stops",))], _AS_OF)
    assert answer.fields == {"stops": ()}, "and the next read sees the next moment"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ("x_pcl ALTER pcs_n TYPE text", "pieces"),
        ("x_pcl ALTER wgt_c TYPE double precision", "weight"),
        ("x_pcl ALTER seen_t TYPE timestamp", "seen_at"),
        ("x_pcl ALTER pno TYPE bytea USING pno::bytea", None),
        ("x_pcl RENAME pcs_n TO pcs_n2", "pieces"),
    ],
)
def test_a_changed_schema_is_never_a_value(
    on_postgres: SourceRouter, served: sa.Engine, change: str, field: str | None
) -> None:
    with served.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {change}")
    (answer,) = on_postgres.read([Request("parcel", ("p1",), (field or "pieces",))], _AS_OF)
    assert not answer.found or isinstance(answer.fields[field or "pieces"], Unknown)


def test_an_effect_happens_once(on_postgres: SourceRouter, served: sa.Engine) -> None:
    permit = _permit("ship", _SHIP)
    assert on_postgres.performed(permit) is Performed.FAILED
    assert on_postgres.perform(permit) == Report(Performed.DONE)
    assert on_postgres.perform(permit) == Report(Performed.DONE, "performed before")
    assert on_postgres.performed(permit) is Performed.DONE
    other = _permit("ship", {**_SHIP, "fee": "1.00"})
    assert on_postgres.perform(other).performed is Performed.FAILED
    with served.connect() as connection:
        assert connection.exec_driver_sql("SELECT bal_c FROM x_cst WHERE cno = 'c1'").scalar() == 750
        assert connection.exec_driver_sql("SELECT tg FROM x_tag WHERE tid > 100").scalars().all() == ["trip_8"]
        assert connection.exec_driver_sql("SELECT st FROM x_pcl WHERE pno = 'p1'").scalar() == "G"


@pytest.mark.parametrize(
    "change", ["UPDATE x_pcl SET st = 'X'", "UPDATE x_slt SET left_n = 0", "INSERT INTO x_cst VALUES ('banned')"]
)
def test_a_lost_precondition_changes_nothing(on_postgres: SourceRouter, served: sa.Engine, change: str) -> None:
    with served.begin() as connection:
        connection.exec_driver_sql(change)
    permit = _permit("ship", _SHIP)
    assert on_postgres.perform(permit).performed is Performed.PRECONDITION_LOST
    assert on_postgres.performed(permit) is Performed.FAILED
    with served.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM x_stp").scalar() == 3


def test_concurrent_deliveries_make_one_change(on_postgres: SourceRouter, served: sa.Engine) -> None:
    reports: list[Report] = []
    permit = _permit("ship", _SHIP)

    def deliver() -> None:
        report = on_postgres.perform(permit)
        for _ in range(10):  # PostgreSQL takes back all but one of what overlaps: that much may be tried again
            if report.performed is not Performed.TRANSIENT:
                break
            report = on_postgres.perform(permit)
        reports.append(report)

    threads = [Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [report.performed for report in reports] == [Performed.DONE] * 8
    with served.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM x_stp").scalar() == 4


def test_a_connection_that_breaks_leaves_nothing_half_known(
    on_postgres: SourceRouter, served: sa.Engine, postgres_url: Callable[[], str]
) -> None:
    def cut(connection: sa.Connection, *_: object) -> None:
        with served.connect() as other:
            pid = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]  # psycopg's own
            sa.event.remove(served, "commit", cut)
            other.exec_driver_sql("SELECT pg_terminate_backend(%s)", (pid,))

    sa.event.listen(served, "commit", cut)
    permit = _permit("ship", _SHIP)
    assert on_postgres.perform(permit).performed is Performed.UNKNOWN
    assert on_postgres.performed(permit) is Performed.FAILED, "asked again, the source knows"
    assert on_postgres.perform(permit).performed is Performed.DONE


def test_the_routes_are_checked_against_the_live_schema(
    routes: Routes, text: str, machine: Machine, served: sa.Engine
) -> None:
    assert check_against(routes, {"yard": served}) == ()
    changed = load(Source("p.arp", text.replace("pcs_n", "psc_n")), machine).routes
    assert changed is not None
    (finding,) = check_against(changed, {"yard": served})
    assert (finding.code.id, finding.help) == ("R006", "did you mean `pcs_n`?")
