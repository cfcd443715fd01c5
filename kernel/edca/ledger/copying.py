"""A copy of a ledger's file as it is at one moment, made while a writer may go on."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from edca.ledger.errors import LedgerError

_PAGES_A_STEP: Final = 4096
"""Pages copied at a time. The writer waits for one step at most, until the copy is tried the last time."""

_STARTS_MAX: Final = 5
"""How often the copy is begun anew because a commit came in between: then the writer waits for the whole of it."""

_MODE: Final = 0o600


class _StartedAnewError(Exception):
    """Commits come faster than the copy gets on."""


def copied(source: sqlite3.Connection, target: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Copy the database of `source` to a new file, durably, by SQLite's own online backup.

    The file is readable by its owner alone. Raises `LedgerError` where it can't be made, and leaves nothing then.
    """
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE))
    except OSError as error:
        raise LedgerError(f"can't make `{target}`: {error.strerror}") from error
    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as connection:
            _back_up(source, connection, progress)
            # One file, whole: without the log or journal that the source's settings call for.
            connection.execute("PRAGMA journal_mode = DELETE")
        with target.open("rb") as file:
            os.fsync(file.fileno())
    except (sqlite3.Error, OSError) as error:
        target.unlink(missing_ok=True)
        raise LedgerError(f"can't copy to `{target}`: {error}") from error
    except BaseException:  # an interrupt, too, leaves no half of a copy behind that could be taken for one
        target.unlink(missing_ok=True)
        raise


def _back_up(
    source: sqlite3.Connection, target: sqlite3.Connection, progress: Callable[[int, int], None] | None
) -> None:
    left_before, starts = -1, 0

    def step(_status: int, left: int, total: int) -> None:
        nonlocal left_before, starts
        if left >= left_before:  # the first step, or one that began anew
            starts += 1
        left_before = left
        if starts > _STARTS_MAX:
            raise _StartedAnewError
        if progress is not None:
            progress(total - left, total)

    try:
        source.backup(target, pages=_PAGES_A_STEP, progress=step, sleep=0.01)
    except _StartedAnewError:
        source.backup(target, pages=-1)


def sync_folder(folder: Path) -> None:
    """Make new and changed names in a folder durable. Raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
