"""The settings follow the SQLite version: write-ahead logging only where the WAL-reset bug is fixed."""

import sqlite3
from pathlib import Path

import pytest

from edca.ledger.durability import ROLLBACK, WRITE_AHEAD, Durability, durability_for
from edca.ledger.sqlite import SQLiteLedger


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ((3, 37, 0), ROLLBACK),
        ((3, 40, 1), ROLLBACK),
        ((3, 44, 5), ROLLBACK),
        ((3, 44, 6), WRITE_AHEAD),
        ((3, 45, 0), ROLLBACK),
        ((3, 50, 6), ROLLBACK),
        ((3, 50, 7), WRITE_AHEAD),
        ((3, 51, 0), ROLLBACK),
        ((3, 51, 2), ROLLBACK),
        ((3, 51, 3), WRITE_AHEAD),
        ((3, 53, 0), WRITE_AHEAD),
        ((4, 0, 0), WRITE_AHEAD),
    ],
)
def test_settings_by_version(version: tuple[int, int, int], expected: Durability) -> None:
    assert durability_for(version) == expected


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 3)])
def test_a_ledger_works_either_way(
    version: tuple[int, int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    path = tmp_path / "ledger.db"
    expected = durability_for(version)
    for _ in range(2):
        with SQLiteLedger.open(path) as ledger:
            connection = ledger._connection
            assert connection.execute("PRAGMA journal_mode").fetchone()[0] == expected.journal_mode
            levels = {"FULL": 2, "EXTRA": 3}
            assert connection.execute("PRAGMA synchronous").fetchone()[0] == levels[expected.synchronous]


def test_a_file_changes_over_when_the_version_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.db"
    for version in ((3, 51, 3), (3, 40, 1), (3, 53, 0)):
        monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
        with SQLiteLedger.open(path) as ledger:
            mode = ledger._connection.execute("PRAGMA journal_mode").fetchone()[0]
            assert mode == durability_for(version).journal_mode
