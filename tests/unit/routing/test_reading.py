"""Goal: what a source holds becomes typed abstract values, through names that have nothing in common with them."""

import json
import sqlite3

import pytest
import sqlalchemy as sa

from edca.kernel.facts import Instance
from edca.kernel.machine import Machine
from edca.kernel.values import Unknown, Value
from edca.routing import Routes, SourceRouter
from edca.runtime.ports import Request

_AS_OF = 1_700_000_000_000_000


def _read(router: SourceRouter, key: str, *fields: str) -> Instance:
    (instance,) = router.read([Request("parcel", (key,), fields)], _AS_OF)
    return instance


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("owner", ("c1",)),
        ("weight", 1250),
        ("declared", 2000),
        ("size", "large"),
        ("kind", "air_mail"),
        ("fragile", True),
        ("insured", True),
        ("sent_at", 1_700_000_000_000_001),
        ("due_at", 1_700_000_000_000_000),
        ("seen_at", 1_716_192_000_000_000),
        ("due_day", 19863),
        ("made_day", 19863),
        ("patience", 60_000_000),
        ("pause", 90_000_000),
        ("note", None),
        ("pieces", 3),
        ("courier", "ann"),
        ("city", "Ulm"),
        ("label", ("To Eve", "red")),
        ("depot_last", "D2"),
        ("depot_next", "D2"),
        ("stops", (("D1", 100), ("D2", 250))),
        ("paid_stops", (("D1", 100),)),
        ("others", (("p1",), ("p2",))),
        ("tags", ("b", "a", "trip_7")),
    ],
)
def test_every_encoding(router: SourceRouter, field: str, value: Value) -> None:
    instance = _read(router, "p1", field)
    assert (instance.found, instance.state, instance.source, instance.as_of) == (True, "waiting", "yard", _AS_OF)
    assert instance.fields == {field: value}


def test_absent_and_missing(router: SourceRouter) -> None:
    fields = ("seen_at", "label", "depot_next", "tags", "depot_last")
    assert _read(router, "p2", *fields).fields == {
        "seen_at": None,
        "label": None,
        "depot_next": None,
        "tags": (),
        "depot_last": "D2",
    }
    # No depot of that code to join, no stop to take the last of, and a status nobody has mapped.
    third = _read(router, "p3", "city", "depot_last", "note")
    assert third.fields == {"city": Unknown.MISSING, "depot_last": Unknown.MISSING, "note": "x"}
    assert third.state is Unknown.DRIFT


def test_unknown_instance(router: SourceRouter) -> None:
    instance = _read(router, "p9", "city", "stops")
    assert (instance.found, instance.state, dict(instance.fields)) == (False, None, {})
    assert instance.key == ("p9",)


def test_composite_keys_and_the_order_of_answers(router: SourceRouter) -> None:
    keys = [("D2", 19863), ("D9", 1), ("D1", 19863), ("D2", 19863), ("D1", 1)]
    answers = router.read([Request("slot", key, ("free",)) for key in keys], _AS_OF)
    assert [answer.key for answer in answers] == keys
    assert [answer.fields.get("free") for answer in answers] == [0, None, 1, 0, None]


def test_only_what_was_asked_for(router: SourceRouter) -> None:
    answers = router.read(
        [Request("parcel", ("p1",), ("city",)), Request("parcel", ("p2",), ("pieces", "tags"))], _AS_OF
    )
    assert [sorted(answer.fields) for answer in answers] == [["city"], ["pieces", "tags"]]


@pytest.mark.parametrize(
    ("column", "content", "field"),
    [
        ("wgt_c", "1250", "weight"),
        ("wgt_c", 12.5, "weight"),
        ("wgt_c", -1, "weight"),
        ("wgt_c", 2**62, "weight"),
        ("val_t", 20.0, "declared"),
        ("val_t", "20.001", "declared"),
        ("val_t", "NaN", "declared"),
        ("val_t", "1e3", "declared"),
        ("sz", 3, "size"),
        ("sz", "1", "size"),
        ("knd", "air_mail", "kind"),
        ("frg_f", 2, "fragile"),
        ("frg_f", "true", "fragile"),
        ("ins", 1, "insured"),
        ("mk_us", "2024-05-20T10:00:00Z", "sent_at"),
        ("mk_us", 2**62, "sent_at"),
        ("due_s", 2**50, "due_at"),
        ("seen_t", "2024-05-20T10:00:00", "seen_at"),
        ("seen_t", 1_700_000_000, "seen_at"),
        ("due_d", "2024-02-30", "due_day"),
        ("due_d", 19863, "due_day"),
        ("made_n", 2**40, "made_day"),
        ("pat_us", 1.5, "patience"),
        ("nt", "x" * 21, "note"),
        ("nt", b"bytes", "note"),
        ("pcs_n", 21, "pieces"),
        ("pcs_n", "1", "pieces"),
        ("crr", "", "courier"),
        ("crr", "a\nb", "courier"),
        ("lb2", "G", "label"),
        ("st", "?", None),
    ],
)
def test_drift(
    router: SourceRouter, database: sqlite3.Connection, column: str, content: object, field: str | None
) -> None:
    database.execute(f"UPDATE x_pcl SET {column} = ? WHERE pno = 'p1'", [content])
    instance = _read(router, "p1", *([field] if field else []), "city")
    assert instance.found
    assert instance.fields["city"] == "Ulm", "one drifted field leaves the others known"
    assert (instance.fields[field] if field else instance.state) is Unknown.DRIFT


@pytest.mark.parametrize("field", ["owner", "weight", "size", "fragile", "due_day", "pieces", "courier"])
def test_null_is_missing_where_a_value_is_due(router: SourceRouter, database: sqlite3.Connection, field: str) -> None:
    database.execute(
        "UPDATE x_pcl SET cno = NULL, wgt_c = NULL, sz = NULL, frg_f = NULL, due_d = NULL, pcs_n = NULL, crr = NULL"
    )
    assert _read(router, "p1", field).fields == {field: Unknown.MISSING}


def test_lists_keep_their_bounds(router: SourceRouter, database: sqlite3.Connection) -> None:
    database.executemany("INSERT INTO x_tag (pno, tg) VALUES ('p1', ?)", [("y",)] * 500)
    database.execute("INSERT INTO x_tag (pno, tg) VALUES ('p2', 'z')")
    first, second, third = router.read([Request("parcel", (key,), ("tags",)) for key in ("p1", "p2", "p3")], _AS_OF)
    assert first.fields == {"tags": Unknown.DRIFT}
    assert second.fields == {"tags": ("z",)}, "one list's surplus doesn't hide another's rows"
    assert third.fields == {"tags": ()}
    database.execute("UPDATE x_tag SET tg = NULL WHERE pno = 'p2'")
    assert _read(router, "p2", "tags").fields == {"tags": Unknown.MISSING}
    assert _read(router, "p3", "others").fields == {"others": (("p3",),)}


def test_a_second_row_where_there_may_be_one(router: SourceRouter, database: sqlite3.Connection) -> None:
    database.execute("INSERT INTO x_nxt VALUES ('p1', 'D1')")
    assert _read(router, "p1", "depot_next").fields == {"depot_next": Unknown.DRIFT}
    database.execute("INSERT INTO x_pcl SELECT * FROM x_pcl WHERE pno = 'p1'")
    twice = _read(router, "p1", "pieces")
    assert (twice.found, twice.state, twice.fields) == (True, Unknown.DRIFT, {"pieces": Unknown.DRIFT})


@pytest.mark.parametrize("change", ["ALTER TABLE x_stp RENAME COLUMN dcd TO dc2", "DROP TABLE x_stp"])
def test_a_source_that_fails_is_unknown_never_an_exception(
    router: SourceRouter, database: sqlite3.Connection, change: str
) -> None:
    database.execute(change)
    instance = _read(router, "p1", "city", "stops")
    assert (instance.found, instance.state, dict(instance.fields)) == (False, Unknown.MISSING, {})
    assert _read(router, "p1", "city").fields == {"city": "Ulm"}, "what doesn't need the table is still read"


def test_a_source_that_is_not_there(routes: Routes, machine: Machine, gone: sa.Engine) -> None:
    router = SourceRouter(routes, machine, {"yard": gone})
    assert not _read(router, "p1", "city").found
    assert router.allot("parcel") is None


def test_one_statement_a_table_however_many_instances(router: SourceRouter, engine: sa.Engine) -> None:
    statements: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    fields = ("city", "pieces", "stops", "depot_last", "tags")
    requests = [Request("parcel", (f"p{number}",), fields) for number in range(1, 150)]
    answers = router.read(requests, _AS_OF)
    selects = [statement for statement in statements if statement.startswith("SELECT")]
    # The parcels with their depots, the stops forwards and backwards, the tags.
    assert len(selects) == 4
    assert [answer.found for answer in answers].count(True) == 3
    statements.clear()
    router.read([Request("parcel", ("p1",), ("pieces",))], _AS_OF)
    (select,) = [statement for statement in statements if statement.startswith("SELECT")]
    assert "x_dpt" not in select, "a joined table that no field needs isn't read"
    assert "wgt_c" not in select, "nor a column"


def test_many_keys_are_read_in_chunks(router: SourceRouter, database: sqlite3.Connection) -> None:
    rows = [("D3", day, day % 50) for day in range(450)]
    database.executemany("INSERT INTO x_slt VALUES (?, ?, ?)", rows)
    requests = [Request("slot", ("D3", day), ("free",)) for day in range(450)]
    assert [answer.fields["free"] for answer in router.read(requests, _AS_OF)] == [day % 50 for day in range(450)]


def test_answers_hold_nothing_internal(router: SourceRouter, machine: Machine, routes: Routes) -> None:
    fields = tuple(field.name for field in machine.index.entities["parcel"].fields)
    raw = _read(router, "p1", *fields).to_raw(machine.index.entities)
    assert raw.pop("source") == "yard"
    said = json.dumps(raw)
    names = {identifier.column or identifier.table for identifier in routes.identifiers}
    assert not [name for name in names if len(name) > 2 and f'"{name}"' in said]


def test_the_next_key_is_the_first_that_nothing_has(router: SourceRouter, database: sqlite3.Connection) -> None:
    assert router.allot("parcel") == ("p8",)
    database.execute("INSERT INTO x_pcl (pno) VALUES ('p8')")
    assert router.allot("parcel") == ("p7",)
    database.execute("INSERT INTO x_pcl (pno) VALUES ('p7')")
    assert router.allot("parcel") is None
    assert router.allot("customer") is None


def test_texts_are_values_never_sql(router: SourceRouter, database: sqlite3.Connection) -> None:
    hostile = "p1' OR '1'='1"
    assert not _read(router, hostile, "city").found
    assert database.execute("SELECT count(*) FROM x_pcl").fetchone() == (3,)
