"""Tables that are not made as a ledger's are refused by all who read them: rows in them can mean two things at once."""

import importlib.util
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from altered_ledgers import altered, named

from edca.ledger.checks import Flaw
from edca.ledger.errors import TamperedError
from edca.ledger.record import Draft, parse, seal
from edca.ledger.rotation import KeyLine
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verify import line_of, verify

VERIFIER = Path(__file__).resolve().parents[3] / "verifiers" / "verify_ledger.py"
LOOSE = "CREATE TABLE ledger(leaf, back, header, body)"

Alter = Callable[[sqlite3.Connection], object]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "ledger.db"
    with SQLiteLedger.open(path, durable=False) as ledger:
        ledger.commit([Draft(f"c{number % 5}", "note", {"n": number}) for number in range(70)])
    return path


def made_anew(file: sqlite3.Connection, table: str, statement: str, columns: str) -> None:
    """Put the same rows into another table of that name."""
    file.execute(f"CREATE TABLE kept AS SELECT * FROM {table}")
    file.execute(f"DROP TABLE {table}")
    file.execute(statement)
    file.execute(f"INSERT INTO {table}({columns}) SELECT {columns} FROM kept")
    file.execute("DROP TABLE kept")


def loose(file: sqlite3.Connection) -> None:
    made_anew(file, "ledger", LOOSE, "leaf, back, header, body")


def two_rows_of_one_index(file: sqlite3.Connection) -> None:
    """Add a forged record behind a sound one, where a pass begins to read anew."""
    loose(file)
    header, body = file.execute("SELECT header, body FROM ledger WHERE leaf = 63").fetchone()
    record = parse(body)
    forged = seal(Draft(record.chain, record.kind, {"n": "forged"}), record.entry, record.prev)
    file.execute("INSERT INTO ledger VALUES(63, 58, ?, ?)", (header, forged))


def an_index_that_is_none(value: str) -> Alter:
    def alter(file: sqlite3.Connection) -> None:
        loose(file)
        file.execute(f"INSERT INTO ledger VALUES({value}, NULL, x'00', x'00')")

    return alter


def computed(file: sqlite3.Connection) -> None:
    """Let each body be computed, and be so large that a few of them are more than memory holds."""
    statement = "CREATE TABLE ledger(leaf INTEGER PRIMARY KEY, back, header, body AS (zeroblob(900000000)))"
    made_anew(file, "ledger", statement, "leaf, back, header")


def two_cells_of_one_key(file: sqlite3.Connection) -> None:
    made_anew(file, "cells", "CREATE TABLE cells(space TEXT, key TEXT, value BLOB)", "space, key, value")


def heads_without_a_key(file: sqlite3.Connection) -> None:
    made_anew(file, "chains", "CREATE TABLE chains(chain, entry, leaf, head)", "chain, entry, leaf, head")


ALTERATIONS: dict[str, tuple[Alter, str]] = {
    "two rows": (two_rows_of_one_index, "ledger"),
    "null": (an_index_that_is_none("NULL"), "ledger"),
    "text": (an_index_that_is_none("'x'"), "ledger"),
    "bytes": (an_index_that_is_none("x'00'"), "ledger"),
    "real": (an_index_that_is_none("63.5"), "ledger"),
    "computed": (computed, "ledger"),
    "cells": (two_cells_of_one_key, "cells"),
    "heads": (heads_without_a_key, "chains"),
    "trigger": (
        lambda file: file.execute("CREATE TRIGGER more AFTER INSERT ON ledger BEGIN DELETE FROM cells; END"), "more",
    ),
    "index": (lambda file: file.execute("CREATE INDEX more ON cells(key)"), "more"),
}  # fmt: skip


@pytest.mark.parametrize("what", ALTERATIONS)
def test_a_file_with_other_tables_is_found_and_not_opened(sound: Path, tmp_path: Path, what: str) -> None:
    alteration, name = ALTERATIONS[what]
    path = altered(sound, tmp_path, alteration)
    found = verify(path)
    assert named(found) == [(None, Flaw.NOT_A_LEDGER)]
    assert f"`{name}`" in found.findings[0].detail
    assert found.is_ledger
    for readonly in (False, True):
        with pytest.raises(TamperedError, match=f"`{name}`"):
            SQLiteLedger.open(path, readonly=readonly)
    assert line_of(path, ()) == KeyLine.of(())


@pytest.mark.parametrize("what", [what for what, (_, name) in ALTERATIONS.items() if name == "ledger"])
@pytest.mark.skipif(importlib.util.find_spec("cryptography") is None, reason="the verifier needs it")
def test_the_independent_verifier_refuses_another_table_of_records(sound: Path, tmp_path: Path, what: str) -> None:
    path = altered(sound, tmp_path, ALTERATIONS[what][0])
    for given, code in ((sound, 0), (path, 1)):
        told = subprocess.run(
            [sys.executable, str(VERIFIER), str(given)], capture_output=True, text=True, timeout=60, check=False
        )
        assert told.returncode == code, told.stdout + told.stderr
    assert "it has no table of records, or one that is not made as section 7 says" in told.stdout


def test_tables_of_somebody_else_and_missing_triggers_change_nothing(sound: Path, tmp_path: Path) -> None:
    path = altered(sound, tmp_path, lambda file: file.execute("CREATE TABLE theirs(x)"))
    with closing(sqlite3.connect(path)) as file:
        file.execute("ANALYZE")
    assert verify(path) == verify(sound)
    SQLiteLedger.open(path).close()
