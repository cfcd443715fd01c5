"""Checking the records of a ledger's file in several processes, which is most of the work of checking one.

A worker reads some rows for itself, and says of them what whoever goes over all records must know: which part they are
(`parts.py`), and the roots of the complete subtrees over them. It says nothing where they are not sound, or not there:
then the pass looks for itself. So only what is as it should be is ever taken from a worker.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edca.ledger.errors import LedgerError
from edca.ledger.forms import Forms
from edca.ledger.parts import Part, part_of
from edca.ledger.schema import READ_ERRORS, connect
from edca.ledger.tree import CompactRange

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

ROWS_A_PART: Final = 4096
"""A power of two: then the tree over a part is one subtree of the ledger's."""
_NO_HELP: Final = (BrokenExecutor, MemoryError, OSError)
"""What a worker raises that was killed or is refused memory, files or its place among the processes."""
_AHEAD: Final = 3  # parts that each worker may be ahead of the pass: it bounds what waits in memory

_forms: Final = Forms()  # of this process, so that a worker learns each form once


@dataclass(frozen=True, slots=True)
class Checked:
    """A part, the tree over its records, and those over its first ones where a kept checkpoint ends inside of it."""

    part: Part
    tree: CompactRange
    marks: tuple[CompactRange, ...]


def check_part(path: Path, first: int, size: int, marks: tuple[int, ...], *, decoding: bool) -> Checked | None:
    """Return what `size` rows from index `first` on are, null where they are not all there and sound in themselves.

    `marks` are the sizes of ledgers that kept checkpoints are over. Raises nothing for what is in the file.
    """
    query = "SELECT leaf, back, header, body FROM ledger WHERE leaf >= ? AND leaf < ? ORDER BY leaf"
    try:
        with closing(connect(path, "ro")) as connection:
            tolerate(connection)
            rows = connection.execute(query, (first, first + size))
            made = part_of(first, rows, _forms.read if decoding else None, has_hints=True)
    except (LedgerError, *READ_ERRORS):
        return None  # the pass meets the same, and says so
    if made is None or made[0].size != size:
        return None
    part, leaves = made
    within = [mark - first for mark in marks if first < mark < first + size]
    return Checked(
        part, CompactRange().extend(leaves), tuple(CompactRange().extend(leaves[:count]) for count in within)
    )


def tolerate(connection: sqlite3.Connection) -> None:
    """Let garbage in a text column reach the comparison that finds it, instead of ending the reading."""
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    connection.execute("PRAGMA trusted_schema = OFF")


class Workers:
    """What workers say of each part, handed out as the pass comes to it."""

    def __init__(
        self, pool: ProcessPoolExecutor, path: Path, size: int, jobs: int, marks: tuple[int, ...], *, decoding: bool
    ) -> None:
        """Use `workers`."""
        self._pool, self._path, self._size = pool, path, size
        self._marks, self._decoding = marks, decoding
        self._places = iter(range(0, size, ROWS_A_PART))
        self._waiting: dict[int, Future[Checked | None]] = {}
        for _ in range(jobs * _AHEAD):
            self._submit()

    def at(self, first: int) -> Checked | None:
        """Return what is to be said of the part from there on, null for nothing. Places are asked for in rising order.

        Null also where no part begins.
        """
        for passed in [place for place in self._waiting if place < first]:
            self._waiting.pop(passed).cancel()
            self._submit()
        waiting = self._waiting.pop(first, None)
        if waiting is None:
            return None
        self._submit()
        try:
            return waiting.result()
        except _NO_HELP:
            return None

    def _submit(self) -> None:
        place = next(self._places, None)
        if place is None:
            return
        size = min(ROWS_A_PART, self._size - place)
        try:
            self._waiting[place] = self._pool.submit(
                check_part, self._path, place, size, self._marks, decoding=self._decoding
            )
        except _NO_HELP:
            self._places = iter(())  # the pass goes on alone


@contextmanager
def workers(path: Path, size: int, jobs: int, marks: tuple[int, ...], *, decoding: bool) -> Iterator[Workers | None]:
    """Start so many workers on a file of `size` records, and end them with the block; null where none can be."""
    try:
        # Not forked: the caller may have threads, and SQLite's connections don't survive a fork.
        pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"))
    except (NotImplementedError, OSError):  # a machine without shared semaphores
        yield None
        return
    try:
        yield Workers(pool, path, size, jobs, marks, decoding=decoding)
    finally:
        pool.shutdown(cancel_futures=True)
