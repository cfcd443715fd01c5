"""Other versions' tables: older ones are led on, with a copy beside them; newer ones are left alone."""

import sqlite3
from contextlib import closing
from pathlib import Path
from types import MappingProxyType

import pytest

from edca.ledger import schema
from edca.ledger.errors import LedgerError, SchemaError
from edca.ledger.record import Draft
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verify import verify

TO_2 = "CREATE TABLE notes(name TEXT PRIMARY KEY) STRICT"
TO_3 = "ALTER TABLE notes ADD COLUMN text TEXT"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with SQLiteLedger.open(tmp_path / "ledger.db") as ledger:
        ledger.commit([Draft("c1", "note", {})])
    return tmp_path / "ledger.db"


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as file:
        return int(file.execute("PRAGMA user_version").fetchone()[0])


def set_version(path: Path, number: int) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA user_version = {number}")


def later(monkeypatch: pytest.MonkeyPatch, *steps: str) -> int:
    """Make the program one that has those migrations, from the version that it has now on."""
    first = schema.SCHEMA_VERSION
    monkeypatch.setattr(schema, "MIGRATIONS", MappingProxyType({first + n: (step,) for n, step in enumerate(steps)}))
    monkeypatch.setattr(schema, "SCHEMA_VERSION", first + len(steps))
    return first


def test_an_older_ledger_is_led_through_every_step_and_a_copy_is_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = verify(path)
    first = later(monkeypatch, TO_2, TO_3)
    with SQLiteLedger.open(path) as ledger:
        assert ledger.size == 1
        ledger.commit([Draft("c1", "note", {})])
    assert version(path) == first + 2
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT name, text FROM notes").fetchall() == []
    copy = path.with_name(f"ledger.db.schema-{first}")
    assert version(copy) == first
    monkeypatch.undo()
    assert verify(copy).root == before.root


def test_a_step_that_fails_changes_nothing_and_the_next_try_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        first = later(broken, TO_2, "CREATE TABLE cells(wrong TEXT)")
        with pytest.raises(LedgerError, match="already exists"):
            SQLiteLedger.open(path)
    assert version(path) == first
    with SQLiteLedger.open(path) as ledger:  # the older program still reads it
        assert ledger.size == 1
    later(monkeypatch, TO_2)
    with SQLiteLedger.open(path) as ledger:
        assert ledger.size == 1
    assert version(path) == first + 1


def test_a_reader_does_not_migrate(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later(monkeypatch, TO_2)
    with pytest.raises(SchemaError, match="open it once for writing to bring it up to date"):
        SQLiteLedger.open(path, readonly=True)


def test_a_newer_ledger_is_left_alone(path: Path) -> None:
    set_version(path, schema.SCHEMA_VERSION + 1)
    content = path.read_bytes()
    with pytest.raises(SchemaError, match="a newer version of EDCA has written it"):
        SQLiteLedger.open(path)
    assert path.read_bytes() == content


def test_a_version_that_nothing_leads_on_from_is_named(path: Path) -> None:
    set_version(path, -1)
    with pytest.raises(SchemaError, match="no migration leads there"):
        SQLiteLedger.open(path)
