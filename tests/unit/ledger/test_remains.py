"""Goal: of a ledger that contradicts itself, every record that is sound in itself is read, and the rest is named."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edca.ledger.errors import LedgerError, LedgerFormatError, TamperedError
from edca.ledger.record import Draft, parse
from edca.ledger.remains import Remains
from edca.ledger.sqlite import SQLiteLedger

CHAINS = ("c1", "c2", "intake", "c1", "c1", "c2")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of six records, closed."""
    path = tmp_path / "ledger.db"
    with SQLiteLedger.open(path, durable=False) as ledger:
        ledger.commit([Draft(chain, "note", {"n": number}) for number, chain in enumerate(CHAINS)])
    return path


def alter(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER ledger_keeps_records_unchanged")
        connection.execute("DROP TRIGGER ledger_keeps_records")
        for statement in statements:
            connection.execute(statement)


def indexes(remains: Remains, chain: str | None = None) -> list[int]:
    return [record.leaf.index for record in remains.records(chain=chain)]


def test_a_whole_ledger_is_read_whole(path: Path) -> None:
    with Remains.open(path) as remains, SQLiteLedger.open(path, readonly=True) as ledger:
        assert list(remains.records()) == list(ledger.records())
        assert list(remains.records(chain="c1")) == list(ledger.records(chain="c1"))
        assert (remains.size, remains.read(3), list(remains.losses())) == (6, ledger.read(3), [])


@pytest.mark.parametrize(
    ("statement", "left", "losses"),
    [
        ("DELETE FROM ledger WHERE leaf = 1", [0, 2, 3, 4, 5], ["record 1 is not there"]),
        ("DELETE FROM ledger WHERE leaf < 3", [3, 4, 5], ["records 0 to 2 are not there"]),
        (
            "UPDATE ledger SET body = x'c1' WHERE leaf = 4",
            [0, 1, 2, 3, 5],
            ["record 4: its body is not the one its header was made for"],
        ),
        (
            "UPDATE ledger SET leaf = 9 WHERE leaf = 5",
            [0, 1, 2, 3, 4],
            ["records 5 to 8 are not there", "record 9: it"],
        ),
        ("UPDATE ledger SET leaf = -3 WHERE leaf = 0", [1, 2, 3, 4, 5], ["record -3: it", "record 0 is not there"]),
        ("DELETE FROM ledger", [], []),
    ],
)
def test_what_is_left_is_read_and_the_rest_is_named(
    path: Path, statement: str, left: list[int], losses: list[str]
) -> None:
    alter(path, statement)
    with Remains.open(path) as remains:
        assert indexes(remains) == left
        assert [parse(remains.read(index).body).content["n"] for index in left] == left
        told = list(remains.losses())
        assert [line[: len(start)] for line, start in zip(told, losses, strict=True)] == losses
        for index in set(range(remains.size)) - set(left):
            with pytest.raises(TamperedError, match=f"record {index}"):
                remains.read(index)


def test_a_chain_is_read_without_its_lost_records(path: Path) -> None:
    alter(path, "DELETE FROM ledger WHERE leaf = 3")
    with Remains.open(path) as remains:
        assert indexes(remains, "c1") == [0, 4]


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger"):
        Remains.open(tmp_path / "nowhere")
    noise = tmp_path / "noise"
    for content in (b"", b"noise" * 1000):
        noise.write_bytes(content)
        with pytest.raises(LedgerFormatError):
            Remains.open(noise)
