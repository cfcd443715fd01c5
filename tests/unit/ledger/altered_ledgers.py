"""Ledgers to be altered, for the tests of whoever must notice."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from edca.ledger.checks import Flaw
from edca.ledger.record import Draft
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verification import Verification

Alteration = Callable[[sqlite3.Connection], object]

CHAINS = ["c1", "c2", "intake", "c1", "config", "c1", "c2", "intake", "c3"]


def write(path: Path, chains: list[str]) -> None:
    with SQLiteLedger.open(path, durable=False) as ledger:
        for start in range(0, len(chains), 4):
            batch = enumerate(chains[start : start + 4], start)
            ledger.commit([Draft(chain, "note", {"n": number}) for number, chain in batch])


def altered(sound: Path, folder: Path, alteration: Alteration) -> Path:
    copy = folder / "altered.db"
    shutil.copyfile(sound, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER ledger_keeps_records_unchanged")
        connection.execute("DROP TRIGGER ledger_keeps_records")
        alteration(connection)
    return copy


def named(verification: Verification) -> list[tuple[int | None, Flaw]]:
    return [(finding.index, finding.what) for finding in verification.findings]
